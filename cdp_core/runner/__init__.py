"""One run, from lease to commit: settle, prepare, compare, gates, deliver, commit, read back."""
