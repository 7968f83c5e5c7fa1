"""What stands for a whole row in plans and ledgers, so that neither ever holds one of its values.

A row's *record* is a digest of two halves, 16 bytes each: the first half of SHA-256 of the row's key, by
which all versions of a row are told, and the first half of SHA-256 over what would be sent of it. Where a
value, a chosen field or a column's name changes, the record is another one with the same first half.

What is hashed is a list of texts: the columns' names, the key, and the values, each written as its number of
bytes in UTF-8, a colon and the bytes; a value that is not there is written `-`. No two lists are written
alike.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from cdp_core.model.accounting import Reason
from cdp_core.model.identifiers import Identified, IdentifierKind

# What rows are counted under in plans, ledgers and runs, beside the kinds of identifiers.
RECORD = "RECORD"
HALF = 16
NOT_THERE = "-"


def written(text: str | None) -> str:
    """A text as it is hashed."""
    return NOT_THERE if text is None else f"{len(text.encode())}:{text}"


def beginning(columns: Sequence[str]) -> str:
    """What stands before a row's key and values: the same for all rows of an export."""
    return "".join(map(written, columns))


def record_of(key: str, columns: Sequence[str], values: Sequence[str | None]) -> bytes:
    """The record of a row. Engines make the same of it in their own SQL."""
    row = beginning(columns) + "".join(map(written, (key, *values)))
    return hashlib.sha256(key.encode()).digest()[:HALF] + hashlib.sha256(row.encode()).digest()[:HALF]


def half_of_key(key: str) -> bytes:
    """What the records of all versions of a row begin with."""
    return hashlib.sha256(key.encode()).digest()[:HALF]


def _no_value(_: str | None) -> Identified:
    return Identified(Reason.UNSUPPORTED)


# Counted and grouped like a kind of identifier; no profile field feeds it, and no plugin can declare it.
RECORDS = IdentifierKind(key=RECORD, label="Whole row", rule=_no_value)
