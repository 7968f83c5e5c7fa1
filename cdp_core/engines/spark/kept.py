"""Static segments: the digests of their members' keys, evaluated once, and the rows that have them still."""

# ruff: noqa: S608 - names are quoted by `text`, and a segment's text is read by `reach` first
from __future__ import annotations

from collections.abc import Iterator

from cdp_core.contract.digests import DIGEST_SIZE
from cdp_core.contract.source import KeptKeys
from cdp_core.engines.places import QueryPlace
from cdp_core.engines.spark.segments import where_of
from cdp_core.engines.spark.session import Session
from cdp_core.engines.spark.table import Table
from cdp_core.engines.spark.text import name
from cdp_core.model.configuration import Segment

_AT_ONCE = 100_000


def keys_in(session: Session, table: Table, key: str, segment: Segment, condition: str) -> Iterator[bytes]:
    """The digests of the keys of the rows that a condition is true for, in their order."""
    where = where_of(segment)
    query = (
        f"SELECT DISTINCT {_digest(table, key)} AS digest FROM profiles "
        f"WHERE profiles.{name(key)} IS NOT NULL AND {condition} ORDER BY digest"
    )
    frame = session.analysed(query, QueryPlace(""), where=where)
    rows = session.run(frame.toLocalIterator, where=where)
    while some := session.run(lambda: [row.digest for _, row in zip(range(_AT_ONCE), rows)], where=where):  # noqa: B905
        yield bytes.fromhex("".join(some))


def kept_condition(session: Session, table: Table, key: str, segment_id: str, keys: KeptKeys) -> str:
    """SQL that is true for the rows of `profiles` whose key's digest is kept."""
    rows = [
        (block[at : at + DIGEST_SIZE].hex(),)
        for block in keys.blocks(_AT_ONCE)
        for at in range(0, len(block), DIGEST_SIZE)
    ]
    view = f"kept_{segment_id}"
    session.spark.createDataFrame(rows, "digest STRING").createOrReplaceTempView(view)
    return f"coalesce({_digest(table, key)} IN (SELECT digest FROM {name(view)}), false)"


def _digest(table: Table, key: str) -> str:
    return f"sha2({table.text_of(key)}, 256)"
