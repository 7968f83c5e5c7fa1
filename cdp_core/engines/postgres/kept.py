"""Static segments: the digests of their members' keys, evaluated once, and the rows that have them still.

The transaction cannot write, not even to a table of its own: the digests stand in the query.
"""

# ruff: noqa: S608 - names are quoted by `text`, and a segment's text is read by `tokens` first
from __future__ import annotations

from collections.abc import Iterator

from cdp_core.contract.digests import DIGEST_SIZE
from cdp_core.contract.source import KeptKeys
from cdp_core.engines.postgres.segments import where_of
from cdp_core.engines.postgres.session import Session
from cdp_core.engines.postgres.table import Table
from cdp_core.engines.postgres.text import in_utf8, name
from cdp_core.model.configuration import Segment

_AT_ONCE = 100_000


def keys_in(session: Session, table: Table, key: str, segment: Segment, condition: str) -> Iterator[bytes]:
    """The digests of the keys of the rows that a condition is true for, in their order."""
    query = (
        f"{table.profiles} SELECT DISTINCT {_digest(table, key)} AS digest FROM profiles "
        f"WHERE profiles.{name(key)} IS NOT NULL AND {condition} ORDER BY digest"
    )
    for rows in session.stream(query, where=where_of(segment)):
        yield b"".join(bytes(digest) for (digest,) in rows)


def kept_condition(table: Table, key: str, keys: KeptKeys) -> str:
    """SQL that is true for the rows of `profiles` whose key's digest is kept."""
    pieces = ", ".join(f"(decode('{block.hex()}', 'hex'))" for block in keys.blocks(_AT_ONCE))
    if not pieces:
        return "false"
    digests = (
        f"SELECT substring(kept.piece FROM {DIGEST_SIZE} * n + 1 FOR {DIGEST_SIZE}) "
        f"FROM (VALUES {pieces}) AS kept (piece), "
        f"LATERAL generate_series(0, octet_length(kept.piece) / {DIGEST_SIZE} - 1) AS n"
    )
    return f"coalesce({_digest(table, key)} IN ({digests}), false)"


def _digest(table: Table, key: str) -> str:
    return f"sha256({in_utf8(table.text_of(key))})"
