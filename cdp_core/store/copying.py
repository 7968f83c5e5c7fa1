"""Every table of the state from one database into another, row by row, and whether both hold the same.

Tables are found in the metadata, in the order in which they depend on each other: one that is added later
is taken along without a word here. Rows are compared as what they mean, not as a database writes them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Table, func, insert, select

from cdp_core.errors import Code, InternalFault
from cdp_core.store import backend
from cdp_core.store.tables import metadata

_AT_A_TIME = 1_000
_MODULUS = 2**256


@dataclass(frozen=True, slots=True)
class Content:
    """How many rows a table has, and a digest of them all, whatever their order."""

    rows: int
    digest: str


def tables() -> tuple[Table, ...]:
    """Each after those that it refers to."""
    return tuple(metadata.sorted_tables)


def counts(connection: Connection) -> dict[str, int]:
    """How many rows each table has."""
    return {
        table.name: int(connection.scalar(select(func.count()).select_from(table)) or 0) for table in tables()
    }


def copy(
    source: Connection, target: Connection, progress: Callable[[str, int], None] = lambda table, rows: None
) -> dict[str, int]:
    """Copy all rows into empty tables, with their ids, and let numbers go on where they were; how many rows
    each table has. Both are read again: raises `InternalFault` where they do not hold the same."""
    copied = {}
    for table in tables():
        for rows in _read(source, table):
            target.execute(insert(table), rows)
        _go_on(source, target, table)
        before, after = content(source, table), content(target, table)
        if before != after:
            raise InternalFault(
                Code.UNBALANCED,
                f"the table {table.name} is not what was copied: {before.rows:,} rows became "
                f"{after.rows:,}, or one of them differs",
                hint="nothing was changed; report it",
            )
        copied[table.name] = after.rows
        progress(table.name, after.rows)
    return copied


def copy_only(source: Connection, target: Connection, names: Collection[str]) -> None:
    """Copy the rows of some tables, which refer to no others, into empty ones."""
    for table in tables():
        if table.name in names:
            for rows in _read(source, table):
                target.execute(insert(table), rows)


def content(connection: Connection, table: Table) -> Content:
    """A table's rows, counted and digested."""
    rows = total = 0
    for found in _read(connection, table):
        rows += len(found)
        for row in found:
            total += int.from_bytes(hashlib.sha256(_canonical(row)).digest())
    return Content(rows, f"{total % _MODULUS:064x}")


def _read(connection: Connection, table: Table) -> Iterator[list[dict[str, Any]]]:
    """In the order of the key: an append-only table takes them in no other."""
    query = select(table).order_by(*table.primary_key.columns)
    options = {"yield_per": _AT_A_TIME}
    with closing(connection.execute(query, execution_options=options)) as result:
        for rows in result.mappings().partitions(_AT_A_TIME):
            yield [dict(row) for row in rows]


def _canonical(row: Mapping[str, Any]) -> bytes:
    return json.dumps(
        {name: _same_everywhere(value) for name, value in row.items()}, sort_keys=True, default=str
    ).encode()


def _same_everywhere(value: Any) -> Any:
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds")
    # PostgreSQL's text holds no NUL: what a service said with one is kept there with a replacement.
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value


def _go_on(source: Connection, target: Connection, table: Table) -> None:
    """A number that was given once is not given again, not even one whose row is gone."""
    column: Column[Any] | None = table.autoincrement_column
    if column is None:
        return
    last = backend.last_number(source, table.name, column.name)
    if last:
        backend.number_on_from(target, table.name, column.name, last)
