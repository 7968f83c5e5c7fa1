"""A plain Python loop: read the column, mend and hash each value with the standard library, post batches."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

import pyarrow.parquet

from benchmarks.peers.rule import BATCH
from benchmarks.peers.sending import add, session, told

_WELL_FORMED = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_DIGEST = re.compile(r"[0-9a-f]{64}")


def digests(path: str) -> Iterator[str]:
    with pyarrow.parquet.ParquetFile(path) as file:
        for rows in file.iter_batches(BATCH, columns=["email"]):
            for raw in rows.column(0).to_pylist():
                email = (raw or "").strip().lower()
                if _DIGEST.fullmatch(email):
                    yield email
                elif _WELL_FORMED.fullmatch(email) and email != "test@test.com":
                    yield hashlib.sha256(email.encode()).hexdigest()


def main() -> None:
    options = told(__doc__)
    batch: list[str] = []
    with session(options.token) as sending:
        for digest in digests(options.profiles):
            batch.append(digest)
            if len(batch) == BATCH:
                add(sending, options.url, batch)
                batch = []
        if batch:
            add(sending, options.url, batch)


if __name__ == "__main__":
    main()
