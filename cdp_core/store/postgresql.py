"""Everything that is PostgreSQL's own: how the state's schema is reached, how its transactions begin, its
triggers and its faults.

One writer at a time, as in SQLite: a lock of the server's, which goes with the transaction. Whatever a
transaction needs is set within it (SET LOCAL), so that a pooler may stand between.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from sqlalchemy import Connection, Engine, Table, create_engine, exc, text

from cdp_core.errors import CdpError, Code, InvalidFault, TemporaryFault, UsageFault
from cdp_core.model.secret import Secret
from cdp_core.rules.postgres_urls import SCHEMES, has_password
from cdp_core.store.tables import metadata

DEFAULT_SCHEMA = "cdp"
CONNECT_SECONDS = 15
OLDEST = 120_000

_MARK = "the state of cdp"
_AT_ONCE = 10_000
_KEPT_OPEN, _MOST_OPEN = 4, 20
# A writer that stands still, stopped or cut off, is rolled back before those that wait give up.
_IDLE_SECONDS = 10

_BEGIN_READING = "SELECT set_config('search_path', %s, true)"
_BEGIN_WRITING = """
    SELECT set_config('search_path', %s, true), set_config('lock_timeout', %s, true),
        set_config('idle_in_transaction_session_timeout', %s, true),
        set_config('synchronous_commit', CASE
            WHEN NOT %s THEN 'off'
            WHEN current_setting('synchronous_commit') = 'off' THEN 'on'
            ELSE current_setting('synchronous_commit') END, true)
"""


def schema_of(url: str) -> str:
    """The schema that a state's URL names after its #, by default `cdp`.

    Raises `UsageFault` for a URL with a password, which it does not repeat, and `InvalidFault` for what is
    no PostgreSQL URL.
    """
    if has_password(url):
        raise UsageFault(
            Code.SECRET_ON_COMMAND_LINE,
            "a password does not belong in the URL: it would stay in the shell's history and in cdp.toml",
            where="the state's URL",
            hint="leave it out and give it by reference (--state-password env:NAME or file:PATH; in cdp.toml "
            "`password` below [state]), or let libpq find it (PGPASSWORD, ~/.pgpass); write an @ that is "
            "part of a name as %40. If it was the password, change it",
        )
    if not url.startswith(SCHEMES):
        raise InvalidFault(
            Code.SETTING_INVALID,
            "a state that is shared lies in PostgreSQL, and this is no URL of it",
            where="the state's URL",
            hint="postgresql://user@host/database, and #schema after it where that is not to be "
            f"{DEFAULT_SCHEMA!r}",
        )
    return unquote(url.partition("#")[2]) or DEFAULT_SCHEMA


class Postgresql:
    """A state in a schema of its own, which several machines share; see `store.backend.Backend`."""

    shared = True

    def __init__(self, url: str, password: Secret | None, busy_seconds: float) -> None:
        self._schema = schema_of(url)
        self._busy_seconds = busy_seconds
        self.where = url
        self._engine = _engine(url, password, busy_seconds)
        self._reader = self._engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        digest = hashlib.sha256(f"state of cdp in {self._schema}".encode()).digest()
        self._key = int.from_bytes(digest[:8], signed=True)
        # First of all: no name is looked up in another schema than ours and PostgreSQL's own.
        self._path = '"' + self._schema.replace('"', '""') + '"'

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        with self._faults(), self._reader.connect() as connection:
            connection.exec_driver_sql(_BEGIN_READING, (self._path,))
            yield connection

    @contextmanager
    def writing(self, *, durable: bool) -> Iterator[Connection]:
        limits = (f"{self._busy_seconds * 1000:.0f}ms", f"{_IDLE_SECONDS}s", durable)
        with self._faults(), self._engine.begin() as connection:
            connection.exec_driver_sql(_BEGIN_WRITING, (self._path, *limits))
            # A statement of its own: those after it see what the one before us has committed.
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (self._key,))
            yield connection

    def make_room(self, connection: Connection) -> None:
        """Make the schema, unless its owner has made it for us, who may do no more than use it."""
        there = text("SELECT 1 FROM pg_namespace WHERE nspname = :name")
        if connection.scalar(there, {"name": self._schema}) is None:
            connection.exec_driver_sql(f"CREATE SCHEMA {self._path}")
            return
        if _is_marked(connection):
            raise InvalidFault(
                Code.WORKSPACE_EXISTS,
                f"there is a state in the schema {self._schema!r} already",
                where=self.where,
                hint="name another schema behind a #, or, with nothing of your own to bring, join it: "
                "cdp init DIR --state-url URL",
            )
        if self._holds_something(connection):
            raise self._foreign()

    def require_ours(self, connection: Connection) -> None:
        if _is_marked(connection):
            return
        if self._holds_something(connection):
            raise self._foreign()
        raise InvalidFault(
            Code.WORKSPACE_BROKEN,
            f"there is no state in the schema {self._schema!r}, or this user may not see it",
            where=self.where,
            hint="name the right database and #schema; `cdp init DIR --state-url URL` makes a new one",
        )

    def clear(self, connection: Connection) -> None:
        names = [*(table.name for table in metadata.sorted_tables), "alembic_version"]
        quoted = ", ".join(map(connection.dialect.identifier_preparer.quote, names))
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {quoted} CASCADE")
        for table in metadata.tables:
            connection.exec_driver_sql(f"DROP FUNCTION IF EXISTS {table}_append_only()")

    def undo_making(self) -> None:
        """It went with its transaction."""

    def clock(self, connection: Connection) -> datetime | None:
        moment: datetime = connection.exec_driver_sql("SELECT clock_timestamp()").scalar_one()
        return moment

    def busy(self) -> TemporaryFault:
        return TemporaryFault(
            Code.STATE_BUSY,
            "another process keeps the state database busy",
            where=self.where,
            hint="run again; if it stays so, look for a cdp process that hangs, on any machine",
        )

    def close(self) -> None:
        self._engine.dispose()

    def _holds_something(self, connection: Connection) -> bool:
        held = text("SELECT 1 FROM pg_class WHERE relnamespace = to_regnamespace(:path) LIMIT 1")
        return connection.scalar(held, {"path": self._path}) is not None

    def _foreign(self) -> InvalidFault:
        return InvalidFault(
            Code.WORKSPACE_BROKEN,
            f"the schema {self._schema!r} holds something else than a state of cdp",
            where=self.where,
            hint="name another after a # at the URL's end: postgresql://user@host/database#schema",
        )

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """Turn what the server says into faults with a way out; the rest passes."""
        try:
            yield
        except exc.TimeoutError:
            raise self.busy() from None
        except exc.DBAPIError as error:
            fault = self._fault(error)
            if fault is None:
                raise
            # The server's own words may quote what was written.
            raise fault from None

    def _fault(self, error: exc.DBAPIError) -> CdpError | None:
        state = getattr(error.orig, "sqlstate", None) or ""
        if not state and isinstance(error, exc.OperationalError) and not error.connection_invalidated:
            return self._not_connected(str(error.orig))
        if state in _BUSY:
            return self.busy()
        if state == _STOOD_STILL:
            return self._unreachable(
                f"this process stood still for over {_IDLE_SECONDS} s while it wrote: nothing was written"
            )
        if error.connection_invalidated or state.startswith(_CONNECTION_LOST):
            return self._unreachable("the PostgreSQL server ended the connection")
        for begins, code, message, hint in _TOLD:
            if state.startswith(begins):
                return InvalidFault(code, message, where=self.where, hint=hint)
        return None

    def _not_connected(self, said: str) -> CdpError:
        first = (said.strip().splitlines() or ["no answer"])[0].removeprefix("connection failed: ")
        for theirs, ours, hint in _REFUSED:
            if theirs in said:
                return InvalidFault(Code.STATE_REFUSED, ours or first, where=self.where, hint=hint)
        return self._unreachable(f"the PostgreSQL server that holds the state cannot be reached: {first}")

    def _unreachable(self, message: str) -> TemporaryFault:
        return TemporaryFault(
            Code.SERVICE_UNREACHABLE,
            message,
            where=self.where,
            hint="run again; if it stays so, check host and port in the URL, and that the server runs",
        )


def insert_missing(
    connection: Connection,
    table: Table,
    columns: Sequence[str],
    rows: Iterable[tuple[Any, ...]],
    same: Mapping[str, Any],
) -> None:
    """Insert the rows that break no unique constraint; `same` holds what is the same in all of them.

    Each statement takes whole columns as arrays: of a million rows, one statement each would take minutes.
    """
    kept = []
    for name, value in same.items():
        bind = table.c[name].type.dialect_impl(connection.dialect).bind_processor(connection.dialect)
        kept.append(bind(value) if bind else value)
    quoted = connection.dialect.identifier_preparer.quote
    names = ", ".join(quoted(name) for name in (*columns, *same))
    given = [table.c[name].type.compile(connection.dialect) for name in columns]
    arrays = ", ".join(f"%s::{kind}[]" for kind in given)
    values = ", ".join([*(f"given.c{place}" for place in range(len(columns))), *("%s" for _ in same)])
    aliases = ", ".join(f"c{place}" for place in range(len(columns)))
    statement = (
        f"INSERT INTO {quoted(table.name)} ({names}) SELECT {values} "  # noqa: S608 (our own names)
        f"FROM unnest({arrays}) AS given({aliases}) ON CONFLICT DO NOTHING"
    )
    waiting = iter(rows)
    while some := list(itertools.islice(waiting, _AT_ONCE)):
        connection.exec_driver_sql(statement, (*kept, *map(list, zip(*some, strict=True))))


def claim(connection: Connection) -> None:
    """Write our mark into a new schema: Alembic's table is the first in it."""
    connection.exec_driver_sql(f"COMMENT ON TABLE alembic_version IS '{_MARK}'")


def make_append_only(connection: Connection, table: str, counter: str) -> None:
    """Have the server refuse that a row of `table` is changed, deleted, or put in before the newest."""
    for statement in (
        f"""
        CREATE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT
        AS $$ BEGIN
            IF TG_OP = 'INSERT' THEN
                IF NEW.{counter} > (SELECT COALESCE(MAX({counter}), 0) FROM {table}) THEN
                    RETURN NEW;
                END IF;
            END IF;
            RAISE EXCEPTION 'the table {table} is append-only';
        END $$
        """,  # noqa: S608 (names from our own migrations)
        f"CREATE TRIGGER {table}_no_change BEFORE INSERT OR UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {table}_append_only()",
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_append_only()",
    ):
        connection.exec_driver_sql(statement)


def last_number(connection: Connection, table: str, column: str) -> int:
    sequence = _sequence(connection, table, column)
    if sequence is None:
        return 0
    last, given = connection.exec_driver_sql(f"SELECT last_value, is_called FROM {sequence}").one()  # noqa: S608
    return int(last) if given else 0


def number_on_from(connection: Connection, table: str, column: str, last: int) -> None:
    sequence = _sequence(connection, table, column)
    if sequence is not None:
        connection.exec_driver_sql("SELECT setval(%s::regclass, %s)", (sequence, last))


def _sequence(connection: Connection, table: str, column: str) -> str | None:
    found: str | None = connection.exec_driver_sql(
        "SELECT pg_get_serial_sequence(quote_ident(%s), %s)", (table, column)
    ).scalar()
    return found


def _engine(url: str, password: Secret | None, busy_seconds: float) -> Engine:
    psycopg = _driver()

    def connected() -> Any:
        server = url.partition("#")[0]
        try:
            given = psycopg.conninfo.conninfo_to_dict(server)
        except psycopg.ProgrammingError as error:
            # As what libpq says of what it could not do, with the same way out.
            raise psycopg.OperationalError(f"invalid URL: {error}") from None
        further: dict[str, Any] = {"application_name": "cdp", "client_encoding": "UTF8"}
        further |= {} if "connect_timeout" in given else {"connect_timeout": CONNECT_SECONDS}
        further |= {} if password is None else {"password": password.reveal()}
        # A pooler may give every transaction another connection, where nothing is prepared.
        connection = psycopg.connect(server, prepare_threshold=None, **further)
        if connection.info.server_version < OLDEST:
            version = connection.info.server_version // 10_000
            connection.close()
            raise InvalidFault(
                Code.STATE_REFUSED,
                f"the server is PostgreSQL {version}; a state needs {OLDEST // 10_000} or newer",
                where=url,
                hint="name a newer server",
            )
        connection.adapters.register_dumper(str, _without_nul())
        return connection

    return create_engine(
        "postgresql+psycopg://",
        creator=connected,
        pool_size=_KEPT_OPEN,
        max_overflow=_MOST_OPEN - _KEPT_OPEN,
        pool_timeout=busy_seconds,
        # A scheduler waits for hours, and a server is restarted meanwhile.
        pool_pre_ping=True,
        # Settings and names of people stay out of exceptions and logs.
        hide_parameters=True,
        json_serializer=lambda value: json.dumps(value, default=str),
    )


def _without_nul() -> Any:
    """What a service says may hold a NUL, which SQLite keeps and PostgreSQL's text cannot."""
    from psycopg.types.string import StrDumperUnknown

    class WithoutNul(StrDumperUnknown):
        def dump(self, obj: str) -> Any:
            return super().dump(obj.replace("\0", "\ufffd"))

    return WithoutNul


def _driver() -> Any:
    try:
        import psycopg
        import psycopg.conninfo
    except ImportError:
        raise InvalidFault(
            Code.STATE_REFUSED,
            "a state in PostgreSQL needs the driver psycopg, which is not installed",
            hint='pip install "cdp-core[postgres]"',
        ) from None
    return psycopg


def _is_marked(connection: Connection) -> bool:
    found = connection.exec_driver_sql("SELECT obj_description(to_regclass('alembic_version'), 'pg_class')")
    return bool(found.scalar() == _MARK)


# Lock not available, deadlock, serialization failure, and no connection left for us.
_BUSY = ("55P03", "40P01", "40001", "53300")
_STOOD_STILL = "25P03"
_CONNECTION_LOST = ("08", "57P")

_TOLD = (
    ("25006", Code.DISK_FULL, "the PostgreSQL server takes no writes, and whatever is done in the workspace "
     "is recorded there", "name the primary server, not a standby; or lift default_transaction_read_only"),
    ("53100", Code.DISK_FULL, "the disk of the PostgreSQL server that holds the state is full",
     "make room there, then run again"),
    ("58030", Code.DISK_FULL, "the disk fails where PostgreSQL keeps the state", "look after the disk; then "
     "run again"),
    ("53", Code.STATE_REFUSED, "the PostgreSQL server that holds the state lacks means", "ask its "
     "administrator, or run again later"),
    ("XX00", Code.WORKSPACE_BROKEN, "PostgreSQL finds the state damaged", "restore the database from a copy"),
    ("42501", Code.STATE_REFUSED, "the PostgreSQL server does not let this user work in the state's schema",
     "give it the rights: GRANT CREATE ON DATABASE … TO …, or ALTER SCHEMA … OWNER TO …"),
)  # fmt: skip

# libpq has no codes for what goes wrong while it connects.
_REFUSED = (
    ("password authentication failed", "the server does not accept this user's password", "check the "
     "password, and that it is this user's: `password` below [state] in cdp.toml, PGPASSWORD or ~/.pgpass"),
    ("no password supplied", "the server asks for a password, and none was given", "give it by reference "
     "(--state-password env:NAME, or `password` below [state] in cdp.toml), in PGPASSWORD or in ~/.pgpass"),
    ("does not exist", "", "check the URL: postgresql://user@host/database#schema"),
    ("no pg_hba.conf entry", "", "have the server's administrator let this user in from here"),
    ("certificate", "", "check sslmode and sslrootcert in the URL"),
    ("invalid", "", "check the URL: postgresql://user@host/database#schema"),
)  # fmt: skip
