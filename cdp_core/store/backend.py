"""What the state asks of a database, and which one it is: SQLite where it lies in a file, PostgreSQL where
it is a server's. What is a database's own is in a module of its name, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection, Table

from cdp_core.errors import TemporaryFault
from cdp_core.model.secret import Secret
from cdp_core.store import sqlite


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A state in PostgreSQL: `postgresql://USER@HOST/DATABASE#SCHEMA`, and the password, if it takes one."""

    url: str
    password: Secret | None = None


Place = Path | Server


class Backend(Protocol):
    """A database that is connected to."""

    @property
    def where(self) -> str:
        """What faults name as the place."""
        ...

    @property
    def shared(self) -> bool:
        """Whether several machines may use it, which do not see each other's processes."""
        ...

    def reading(self) -> AbstractContextManager[Connection]:
        """A transaction with one view of the state, which does not change under the reader."""
        ...

    def writing(self, *, durable: bool) -> AbstractContextManager[Connection]:
        """A transaction that no other writer's overlaps; it sees all that was committed before it."""
        ...

    def make_room(self, connection: Connection) -> None:
        """Before the first tables are made; raises `InvalidFault` where others are there."""
        ...

    def require_ours(self, connection: Connection) -> None:
        """Raise `InvalidFault` where there is no state of ours."""
        ...

    def clear(self, connection: Connection) -> None:
        """Take the tables of a state of ours away, so that they can be made anew."""
        ...

    def undo_making(self) -> None:
        """Take away what `made` left, where the rest of the making failed."""
        ...

    def clock(self, connection: Connection) -> datetime | None:
        """The time that all who share it go by; None where that is this machine's."""
        ...

    def busy(self) -> TemporaryFault: ...

    def close(self) -> None: ...


def made(place: Place, busy_seconds: float) -> Backend:
    """Where a new state is to be."""
    if isinstance(place, Path):
        return sqlite.Sqlite.made(place, busy_seconds)
    return _postgresql(place, busy_seconds)


def at(place: Place, busy_seconds: float) -> Backend:
    """Where a state is."""
    if isinstance(place, Path):
        return sqlite.Sqlite.at(place, busy_seconds)
    return _postgresql(place, busy_seconds)


def _postgresql(server: Server, busy_seconds: float) -> Backend:
    from cdp_core.store.postgresql import Postgresql

    return Postgresql(server.url, server.password, busy_seconds)


def insert_missing(
    connection: Connection,
    table: Table,
    columns: Sequence[str],
    rows: Iterable[tuple[Any, ...]],
    same: Mapping[str, Any],
) -> None:
    """Insert the rows that break no unique constraint; `same` holds what is the same in all of them."""
    if _is_sqlite(connection):
        sqlite.insert_missing(connection, table, columns, rows, same)
        return
    from cdp_core.store import postgresql

    postgresql.insert_missing(connection, table, columns, rows, same)


def claim(connection: Connection) -> None:
    """Write our mark into a new database."""
    if _is_sqlite(connection):
        sqlite.claim(connection)
        return
    from cdp_core.store import postgresql

    postgresql.claim(connection)


def make_append_only(connection: Connection, table: str, counter: str) -> None:
    """Have the database refuse that a row of `table` is changed, deleted, or put in before the newest."""
    if _is_sqlite(connection):
        sqlite.make_append_only(connection, table, counter)
        return
    from cdp_core.store import postgresql

    postgresql.make_append_only(connection, table, counter)


def last_number(connection: Connection, table: str, column: str) -> int:
    """The highest number that the database has given in a column by itself, or was told of; 0 before."""
    if _is_sqlite(connection):
        return sqlite.last_number(connection, table)
    from cdp_core.store import postgresql

    return postgresql.last_number(connection, table, column)


def number_on_from(connection: Connection, table: str, column: str, last: int) -> None:
    """Let the next number that is given be higher than `last`."""
    if _is_sqlite(connection):
        sqlite.number_on_from(connection, table, last)
        return
    from cdp_core.store import postgresql

    postgresql.number_on_from(connection, table, column, last)


def _is_sqlite(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"
