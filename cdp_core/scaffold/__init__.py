"""The scaffold: a plugin's project that works as it is written, for an author to go on from."""
