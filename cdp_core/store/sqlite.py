"""Everything that is SQLite's own: how it is opened, how its transactions begin, its triggers and its faults.

The other modules of the store say only what any database understands.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import shlex
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, exc, text
from sqlalchemy.engine import URL

from cdp_core.errors import CdpError, Code, InvalidFault, TemporaryFault
from cdp_core.workspace.files import create_private, refuse_symlink

# In the file's header: tells our database from another program's. "cdps" in ASCII.
APPLICATION_ID = 0x63647073

_AT_ONCE = 10_000
# Where less than this is free, a write that failed had no room: SQLite does not always say so itself.
_NO_ROOM = 1_000_000

_MOVED = "the state was moved elsewhere"

BEGIN = "cdp_begin"
DURABLE = "durable"
QUICK = "quick"


class Sqlite:
    """A state in one file, which one machine's processes share; see `store.backend.Backend`."""

    shared = False

    def __init__(self, path: Path, busy_seconds: float) -> None:
        self._path = path
        self._engine = connect(path, busy_seconds)
        self.where = str(path)

    @classmethod
    def at(cls, path: Path, busy_seconds: float) -> Sqlite:
        """Over a file that is there."""
        refuse_symlink(path)
        if not path.is_file():
            raise broken(path, "the state database is not there")
        return cls(path, busy_seconds)

    @classmethod
    def made(cls, path: Path, busy_seconds: float) -> Sqlite:
        """Over a new file."""
        if not create_private(path, b""):
            raise InvalidFault(
                Code.WORKSPACE_EXISTS,
                "there is a state database here already",
                where=str(path),
                hint="open the workspace that it belongs to, or name another folder",
            )
        return cls(path, busy_seconds)

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        with faults(self._path), self._engine.connect() as connection:
            yield connection

    @contextlib.contextmanager
    def writing(self, *, durable: bool) -> Iterator[Connection]:
        options = {BEGIN: DURABLE if durable else QUICK}
        with faults(self._path), self._engine.execution_options(**options).begin() as connection:
            yield connection

    def make_room(self, connection: Connection) -> None:
        """The file is new: there is nothing in it."""

    def require_ours(self, connection: Connection) -> None:
        if not is_ours(connection):
            raise broken(self._path, "this is not a state database of cdp")

    def clear(self, connection: Connection) -> None:
        """A file is never made over another."""

    def undo_making(self) -> None:
        self._path.unlink()

    def clock(self, connection: Connection) -> datetime | None:
        """The machine's clock is the only one there is."""
        return None

    def busy(self) -> TemporaryFault:
        return busy(self._path)

    def close(self) -> None:
        self._engine.dispose()


def connect(path: Path, busy_seconds: float) -> Engine:
    """An engine whose writing transactions wait at most so long for another process's."""
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        connect_args={"timeout": busy_seconds, "isolation_level": None, "check_same_thread": False},
        # Settings and names of people stay out of exceptions and logs.
        hide_parameters=True,
        json_serializer=lambda value: json.dumps(value, default=str),
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    try:
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA foreign_keys=ON")
    finally:
        cursor.close()


def _begin(connection: Connection) -> None:
    """A transaction that will write takes the lock at once: one that read first could not wait for it."""
    manner = connection.get_execution_options().get(BEGIN)
    if manner is None:
        connection.exec_driver_sql("BEGIN")
        return
    # FULL is on disk when the commit returns; NORMAL outlives the process, though not a power cut.
    connection.exec_driver_sql(f"PRAGMA synchronous={'FULL' if manner == DURABLE else 'NORMAL'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def insert_missing(
    connection: Connection,
    table: Table,
    columns: Sequence[str],
    rows: Iterable[tuple[Any, ...]],
    same: Mapping[str, Any],
) -> None:
    """Insert the rows that break no unique constraint; `same` holds what is the same in all of them.

    Past SQLAlchemy, which looks at every value of every row: of a million it takes three times as long.
    """
    kept = []
    for name, value in same.items():
        bind = table.c[name].type.dialect_impl(connection.dialect).bind_processor(connection.dialect)
        kept.append(bind(value) if bind else value)
    names = ", ".join((*columns, *same))
    places = ", ".join("?" * (len(columns) + len(same)))
    statement = f"INSERT OR IGNORE INTO {table.name} ({names}) VALUES ({places})"  # noqa: S608 (our own names)
    waiting = iter(rows)
    while some := [(*row, *kept) for row in itertools.islice(waiting, _AT_ONCE)]:
        connection.exec_driver_sql(statement, some)


def claim(connection: Connection) -> None:
    """Write our mark into a new database."""
    connection.exec_driver_sql(f"PRAGMA application_id={APPLICATION_ID}")


def is_ours(connection: Connection) -> bool:
    return bool(connection.exec_driver_sql("PRAGMA application_id").scalar() == APPLICATION_ID)


def make_append_only(connection: Connection, table: str, counter: str) -> None:
    """Have the database refuse that a row of `table` is changed, deleted, or put in before the newest."""
    refusal = f"SELECT RAISE(ABORT, 'the table {table} is append-only')"
    newest = f"(SELECT COALESCE(MAX({counter}), 0) FROM {table})"  # noqa: S608 (names from our own migrations)
    for name, moment in (
        ("update", f"BEFORE UPDATE ON {table}"),
        ("delete", f"BEFORE DELETE ON {table}"),
        # REPLACE deletes without firing the trigger above.
        ("insert", f"BEFORE INSERT ON {table} WHEN NEW.{counter} <= {newest}"),
    ):
        connection.execute(text(f"CREATE TRIGGER {table}_no_{name} {moment} BEGIN {refusal}; END"))


def last_number(connection: Connection, table: str) -> int:
    kept = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
    return int(connection.scalar(kept, {"name": table}) or 0)


def number_on_from(connection: Connection, table: str, last: int) -> None:
    said = {"name": table, "seq": last}
    connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), said)
    connection.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :seq)"), said)


def close_for_good(connection: Connection, tables: Iterable[str]) -> None:
    """Have the file refuse every change from now on, also of processes that have it open: its content lives
    on elsewhere."""
    for table in tables:
        for change in ("INSERT", "UPDATE", "DELETE"):
            when = f"{table}_moved_{change.lower()} BEFORE {change} ON {table}"
            connection.execute(text(f"CREATE TRIGGER {when} BEGIN SELECT RAISE(ABORT, '{_MOVED}'); END"))


@contextlib.contextmanager
def faults(path: Path) -> Iterator[None]:
    """Turn what SQLite says of its file into faults with a way out; the rest passes."""
    try:
        yield
    except exc.TimeoutError as error:
        raise busy(path) from error
    except exc.DBAPIError as error:
        if _MOVED in str(error.orig):
            raise TemporaryFault(
                Code.STATE_BUSY,
                "the state was moved to PostgreSQL while this command ran",
                where=str(path),
                hint="run it again: it finds the new place by itself",
            ) from error
        fault = _fault(getattr(error.orig, "sqlite_errorname", "") or "", path)
        if fault is None:
            raise
        raise fault from error


def busy(path: Path) -> TemporaryFault:
    return TemporaryFault(
        Code.STATE_BUSY,
        "another process keeps the state database busy",
        where=str(path),
        hint="run again; if it stays so, look for a cdp process that hangs",
    )


def _fault(name: str, path: Path) -> CdpError | None:
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return busy(path)
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return InvalidFault(
            Code.DISK_FULL,
            "the workspace cannot be written, and whatever is done in it is recorded there: nothing can be, "
            "not even looking",
            where=str(path.parent),
            hint="run cdp as the folder's owner, or make it writable again: "
            f"chmod -R u+rwX {shlex.quote(str(path.parent))}; a read-only disk has to be mounted anew",
        )
    if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
        full = name.startswith("SQLITE_FULL") or _has_no_room(path)
        return InvalidFault(
            Code.DISK_FULL,
            "no space left on the disk where the state database is"
            if full
            else "the disk fails while the state database is read or written",
            where=str(path),
            hint="make room, then run again" if full else "look after the disk; then run again",
        )
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return broken(path, f"the state database is damaged, or no database ({name})")
    return None


def _has_no_room(path: Path) -> bool:
    try:
        return shutil.disk_usage(path.parent).free < _NO_ROOM
    except OSError:  # a disk that fails may not answer this either
        return False


def broken(path: Path, message: str) -> InvalidFault:
    return InvalidFault(
        Code.WORKSPACE_BROKEN,
        message,
        where=str(path),
        hint="restore it from a copy, or make a new workspace: cdp init DIR --profiles FILE --key COLUMN",
    )
