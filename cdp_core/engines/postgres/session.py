"""One connection, in one transaction that reads one snapshot and cannot write, from the first question to
the last.

Settings are the transaction's own (SET LOCAL), so that a pooler's next client has none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from cdp_core.engines.places import QueryPlace
from cdp_core.engines.postgres.address import Address
from cdp_core.engines.postgres.faults import connection_fault, profiles_fault, query_fault
from cdp_core.errors import Code, InvalidFault
from cdp_core.model.secret import Secret

if TYPE_CHECKING:
    import psycopg

BATCH_ROWS = 32_768
CONNECT_SECONDS = 15
_OLDEST = 120_000

T = TypeVar("T")

_SETTINGS = (
    "SET LOCAL standard_conforming_strings = on",
    "SET LOCAL TimeZone = 'UTC'",
    "SET LOCAL DateStyle = 'ISO'",
    "SET LOCAL bytea_output = 'hex'",
    # All rows of a cursor are fetched: the plan is to be quick to its end, not to its first rows.
    "SET LOCAL cursor_tuple_fraction = 1",
    # PostgreSQL's own functions first, whatever others of their names there are.
    """SELECT set_config('search_path', concat_ws(', ', 'pg_catalog', nullif(path, '')), true)
    FROM current_setting('search_path') AS path""",
)


class Session:
    """Raises `InvalidFault` where the server refuses, `TemporaryFault` where none answers."""

    def __init__(self, address: Address, password: Secret | None, *, url: str) -> None:
        self._psycopg = _driver()
        self._url = url
        try:
            self._connection = self._connect(address, password)
        except self._psycopg.Error as failure:
            fault = connection_fault(failure, url)
        else:
            try:
                self._begin()
            except BaseException:
                self.close()
                raise
            return
        # Raised outside the handler, so that the driver's words do not travel along as its context.
        raise fault

    def rows(self, query: str, *, where: str) -> list[Any]:
        """All rows of one statement; raises `InvalidFault` (PROFILES_UNREADABLE)."""
        return self._guarded(lambda: self._fetched(query), lambda failure: profiles_fault(failure, where))

    def rows_of_query(self, query: str, place: QueryPlace, *, where: str, reads: bool) -> list[Any]:
        """All rows of one statement around a segment's text; raises `InvalidFault` (SEGMENT_INVALID).

        Where it `reads` no profiles, what PostgreSQL says is about the text alone and is handed on.
        """
        return self._guarded(
            lambda: self._fetched(query),
            lambda failure: query_fault(failure, query, place, where=where, url=self._url, reads=reads),
        )

    def names_of(self, query: str, place: QueryPlace, *, where: str) -> list[str]:
        """The columns that a query would yield."""

        def described() -> list[str]:
            with self._connection.cursor() as cursor:
                cursor.execute(f"{query} LIMIT 0".encode(), prepare=True)
                return [column.name for column in cursor.description or ()]

        return self._guarded(
            described,
            lambda failure: query_fault(failure, query, place, where=where, url=self._url, reads=False),
        )

    def stream(self, query: str, *, where: str) -> Iterator[list[Any]]:
        """The rows of a query in batches, in PostgreSQL's binary form, through a cursor in the server."""
        with self._connection.cursor(name="members") as cursor:

            def next_batch() -> list[Any]:
                return cursor.fetchmany(BATCH_ROWS)

            def told(failure: psycopg.Error) -> Exception:
                place = QueryPlace("")
                return query_fault(failure, query, place, where=where, url=self._url, reads=True)

            self._guarded(lambda: cursor.execute(query.encode(), binary=True), told)
            while batch := self._guarded(next_batch, told):
                yield batch

    def close(self) -> None:
        self._connection.close()

    def _connect(self, address: Address, password: Secret | None) -> psycopg.Connection[Any]:
        given = self._psycopg.conninfo.conninfo_to_dict(address.server)
        further: dict[str, Any] = {"application_name": "cdp", "client_encoding": "UTF8"}
        further |= {} if "connect_timeout" in given else {"connect_timeout": CONNECT_SECONDS}
        further |= {} if password is None else {"password": password.reveal()}
        connection: psycopg.Connection[Any] = self._psycopg.connect(address.server, **further)
        connection.isolation_level = self._psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        return connection

    def _begin(self) -> None:
        version = self._connection.info.server_version
        if version < _OLDEST:
            raise InvalidFault(
                Code.PROFILES_UNREADABLE,
                f"the server is PostgreSQL {version // 10_000}; 12 is the oldest that is read",
                where=self._url,
                hint="read a copy on a newer one, or an export as Parquet or CSV",
            )
        try:
            # Outside of any savepoint: the first of them begins the transaction.
            for setting in _SETTINGS:
                self._connection.execute(setting.encode())
        except self._psycopg.Error as failure:
            fault = profiles_fault(failure, self._url)
        else:
            return
        raise fault

    def _fetched(self, query: str) -> list[Any]:
        with self._connection.cursor() as cursor:
            # A prepared statement is one statement: the server refuses several.
            cursor.execute(query.encode(), prepare=True)
            return cursor.fetchall()

    def _guarded(self, work: Callable[[], T], told: Callable[[psycopg.Error], Exception]) -> T:
        """Do the work; what fails leaves the transaction as it was before."""
        try:
            with self._connection.transaction():
                return work()
        except self._psycopg.Error as failure:
            fault = told(failure)
        raise fault


def _driver() -> Any:
    try:
        import psycopg
        import psycopg.conninfo
    except ImportError:
        lacking = InvalidFault(
            Code.PROFILES_UNREADABLE,
            "reading from PostgreSQL needs the driver psycopg, which is not installed",
            hint='pip install "cdp-core[postgres]"',
        )
    else:
        return psycopg
    raise lacking
