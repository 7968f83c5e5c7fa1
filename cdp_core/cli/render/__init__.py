"""How the command line shows things: tables, panels and pictures for people, one JSON document."""
