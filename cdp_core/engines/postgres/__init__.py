"""The PostgreSQL engine: the preparation runs inside the server; digests and counts come out."""
