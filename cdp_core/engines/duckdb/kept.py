"""Static segments: the digests of their members' keys, evaluated once, and the rows that have them still."""

# ruff: noqa: S608 - names are quoted by `text`, and a segment's text is parsed by `segments` first
from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pyarrow as pa

from cdp_core.contract.digests import DIGEST_SIZE
from cdp_core.contract.source import KeptKeys
from cdp_core.engines.duckdb.faults import on_query
from cdp_core.engines.duckdb.segments import place_in
from cdp_core.engines.duckdb.text import name
from cdp_core.model.configuration import Segment

_AT_ONCE = 100_000
_DIGEST = pa.binary(DIGEST_SIZE)


def keys_in(
    connection: duckdb.DuckDBPyConnection, key: str, segment: Segment, condition: str
) -> Iterator[bytes]:
    """The digests of the keys of the rows that a condition is true for, in their order."""
    query = (
        f"SELECT DISTINCT {_digest(key)} AS digest FROM profiles "
        f"WHERE {name(key)} IS NOT NULL AND {condition} ORDER BY digest"
    )
    place, where = place_in(query, segment)
    found = on_query(lambda: connection.execute(query), place, where=where)
    while rows := on_query(lambda: found.fetchmany(_AT_ONCE), place, where=where):
        yield b"".join(digest for (digest,) in rows)


def kept_condition(connection: duckdb.DuckDBPyConnection, key: str, segment_id: str, keys: KeptKeys) -> str:
    """SQL that is true for the rows of `profiles` whose key's digest is kept."""
    arrays = [
        pa.FixedSizeBinaryArray.from_buffers(_DIGEST, len(block) // DIGEST_SIZE, [None, pa.py_buffer(block)])
        for block in keys.blocks(_AT_ONCE)
    ]
    table = f"kept {segment_id}"
    connection.register(table, pa.table({"digest": pa.chunked_array(arrays, _DIGEST)}))
    return f"coalesce({_digest(key)} IN (SELECT digest FROM {name(table)}), false)"


def _digest(key: str) -> str:
    return f"unhex(sha256(CAST({name(key)} AS VARCHAR)))"
