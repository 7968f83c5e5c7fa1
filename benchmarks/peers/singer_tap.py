"""The tap before the Singer target: DuckDB's rows as Singer messages on standard output.

As RECORD messages, which DuckDB writes itself so that next to nothing of the time is the tap's, or with
`batches` as BATCH messages that name Parquet files of 100,000 rows each.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import duckdb
import pyarrow.parquet

from benchmarks.peers.rule import BATCH, hashed, in_batches

_SCHEMA = {
    "type": "SCHEMA",
    "stream": "users",
    "schema": {"properties": {"digest": {"type": "string"}}},
    "key_properties": [],
}


def write_records(query: str) -> None:
    with duckdb.connect() as connection:
        answer = connection.execute(
            """SELECT '{"type":"RECORD","stream":"users","record":{"digest":"' || digest || '"}}' """
            f"FROM ({query})"
        )
        while rows := answer.fetchmany(BATCH):
            sys.stdout.write("\n".join([row[0] for row in rows]))
            sys.stdout.write("\n")


def write_batches(query: str, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for number, rows in enumerate(in_batches(f"SELECT digest FROM ({query})")):
        path = folder / f"{number}.parquet"
        pyarrow.parquet.write_table(rows, path)
        message = {"type": "BATCH", "stream": "users", "encoding": {"format": "parquet"}}
        print(json.dumps(message | {"manifest": [f"file://{path}"]}), flush=True)


if __name__ == "__main__":
    print(json.dumps(_SCHEMA), flush=True)
    if sys.argv[2] == "batches":
        write_batches(hashed(sys.argv[1]), Path.cwd() / "batches")
    else:
        write_records(hashed(sys.argv[1]))
