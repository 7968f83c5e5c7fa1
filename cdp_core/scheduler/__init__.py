"""Runs exports when they are due: what is due, one due run under its lease, and the loop that waits."""
