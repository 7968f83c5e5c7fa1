"""Files under an fsspec URL: where ledger and plans lie when several machines are to reach them."""
