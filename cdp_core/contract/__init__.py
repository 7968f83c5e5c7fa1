"""What plugins implement. Public names are handed on by `cdp_core`; nothing else is public."""
