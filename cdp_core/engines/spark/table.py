"""The table of profiles: found by name in Spark's catalogs, or a folder of files by its format."""

# ruff: noqa: S608 - names are quoted by `text`
from __future__ import annotations

from dataclasses import dataclass

from cdp_core.engines.places import without_addresses
from cdp_core.engines.spark.faults import profiles_fault
from cdp_core.engines.spark.session import Session
from cdp_core.engines.spark.text import in_utf8, name
from cdp_core.errors import CdpError, Code, InvalidFault
from cdp_core.model.configuration import Column

_SHOWN = 20
_MISSING = {
    "TABLE_OR_VIEW_NOT_FOUND": "Spark has no table {!r}",
    "SCHEMA_NOT_FOUND": "Spark has no schema of that name: {!r}",
    "PATH_NOT_FOUND": "there are no such files: {!r}",
    "PARSE_SYNTAX_ERROR": "{!r} is no name of a table",
    "INVALID_EMPTY_LOCATION": "{!r} names no files",
    "UNABLE_TO_INFER_SCHEMA": "there are no rows, or no files of that format: {!r}",
}
_FORMS = "a table is named catalog.schema.table, a folder of files parquet.`/data/customers`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """In this session's SQL the table is called `profiles`."""

    session: Session
    columns: tuple[Column, ...]

    @staticmethod
    def text_of(field: str) -> str:
        """A column's text, as bytes."""
        return in_utf8(f"profiles.{name(field)}")

    def counted(self, key: str) -> tuple[int, int]:
        """Rows, and rows whose key an earlier row has; where it is NULL, a row is like no other."""
        groups = f"SELECT {self.text_of(key)} AS row_key, count(*) AS n FROM profiles GROUP BY 1"
        ((rows, twice),) = self.session.rows(
            "SELECT coalesce(sum(n), 0), coalesce(sum(n - 1) FILTER (WHERE row_key IS NOT NULL), 0) "
            f"FROM ({groups}) AS groups"
        )
        return int(rows), int(twice)


def find_table(session: Session, table: str, url: str) -> Table:
    """Raises `InvalidFault` (PROFILES_UNREADABLE), with the tables there are, where it is not there."""
    frame = session.table(table, lambda failure: _fault(session, failure, table, url))
    frame.createOrReplaceTempView("profiles")
    columns = tuple(Column(name=each.name, type=each.dataType.simpleString()) for each in frame.schema)
    return Table(session=session, columns=columns)


def _fault(session: Session, failure: Exception, table: str, url: str) -> CdpError:
    condition = str(getattr(failure, "getCondition", lambda: "")() or "")
    for theirs, ours in _MISSING.items():
        if condition.startswith(theirs):
            hint = f"{_others(session, table)}{_FORMS}"
            message = ours.format(without_addresses(table))
            return InvalidFault(Code.PROFILES_UNREADABLE, message, where=url, hint=hint)
    return profiles_fault(failure, url)


def _others(session: Session, table: str) -> str:
    """The tables beside it; empty where there are none, or no such schema."""
    schema = table.rpartition(".")[0]
    try:
        listed = session.rows(f"SHOW TABLES{f' IN {schema}' if schema else ''}")
    except CdpError:
        return ""
    names = [f"{row[0]}.{row[1]}" if row[0] else row[1] for row in listed if not row[2]][:_SHOWN]
    return f"tables: {', '.join(names)}; " if names else ""
