"""Who should be in the audience by Python's `hashlib`, and how far what a service holds is from that.

    python -m benchmarks.peers.audience HELD FIRST SECOND

HELD is a file of the members in hexadecimal, one a line; FIRST and SECOND are the profiles of the two days.
A process of its own, since a process that is started begins with the peak memory of the one it came from.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import duckdb
import pyarrow
import pyarrow.parquet

from benchmarks.peers.days import Difference

_HEXADECIMAL = frozenset("0123456789abcdef")
_PLACEHOLDERS = {"test@test.com"}


def digest(raw: str | None) -> bytes | None:
    """The digest of an e-mail as it lies in the table; None if it has none."""
    email = (raw or "").strip().lower()
    if len(email) == 64 and _HEXADECIMAL.issuperset(email):
        return bytes.fromhex(email)
    name, _, domain = email.partition("@")
    well_formed = name and domain.count(".") and all(domain.split(".")) and "@" not in domain
    if not well_formed or len(email.split()) != 1 or email in _PLACEHOLDERS:
        return None
    return hashlib.sha256(email.encode()).digest()


def should_be(profiles: Path) -> Path:
    """A Parquet file of the distinct digests that these profiles yield, kept beside them."""
    path = profiles.with_name(f"digests-of-{profiles.name}")
    if path.exists() and path.stat().st_mtime >= profiles.stat().st_mtime:
        return path
    with tempfile.NamedTemporaryFile(dir=profiles.parent, suffix=".parquet") as every:
        schema = pyarrow.schema([("digest", pyarrow.binary())])
        with pyarrow.parquet.ParquetWriter(every.name, schema) as writer:
            for digests in _digests(profiles):
                writer.write_table(pyarrow.table({"digest": digests}, schema=schema))
        with duckdb.connect() as connection:
            connection.execute(
                f"COPY (SELECT DISTINCT digest FROM '{every.name}') TO '{path}' (FORMAT parquet)"
            )
    return path


def _digests(profiles: Path) -> Iterator[list[bytes]]:
    with pyarrow.parquet.ParquetFile(profiles) as file:
        for rows in file.iter_batches(100_000, columns=["email"]):
            found = map(digest, rows.column(0).to_pylist())
            yield [one for one in found if one is not None]


def compare(held: Path, first: Path, second: Path) -> Difference:
    """A file of the members in hexadecimal, and the files of who should be there on either day."""
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE held AS SELECT DISTINCT unhex(line) AS digest FROM "
            f"read_csv('{held}', header = false, auto_detect = false, columns = {{'line': 'VARCHAR'}})"
        )
        for name, path in (("first", first), ("second", second)):
            connection.execute(f"CREATE VIEW {name}_day AS SELECT digest FROM '{path}'")
        counts = [
            _count(connection, query)
            for query in (
                "held SEMI JOIN second_day USING (digest)",
                "second_day ANTI JOIN held USING (digest)",
                "(FROM held ANTI JOIN second_day USING (digest)) SEMI JOIN first_day USING (digest)",
                "(FROM held ANTI JOIN second_day USING (digest)) ANTI JOIN first_day USING (digest)",
            )
        ]
    right, missing, left, foreign = counts
    return Difference(right=right, missing=missing, left=left, foreign=foreign)


def _count(connection: duckdb.DuckDBPyConnection, relation: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {relation}").fetchone()
    assert row is not None
    return int(row[0])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("held", "first", "second"):
        parser.add_argument(name, type=Path)
    options = parser.parse_args()
    found = compare(options.held, should_be(options.first), should_be(options.second))
    print(json.dumps(asdict(found)))
