"""The command line: each command parses, calls one method of the facade, and renders what it gives back."""
