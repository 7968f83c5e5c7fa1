"""The view `profiles` over the source's files, and the text of its fields as identifiers are read from it."""

# ruff: noqa: S608 - names are quoted by `text`, and a segment's text is parsed by `segments` first
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from cdp_core.engines.duckdb.csv_files import CsvFiles
from cdp_core.engines.duckdb.faults import on_profiles
from cdp_core.engines.duckdb.repeated import BATCH_ROWS, repeat
from cdp_core.engines.duckdb.sources import Located
from cdp_core.engines.duckdb.text import name, struct
from cdp_core.errors import Code, InvalidFault
from cdp_core.model.configuration import Column

# JSON text that looks like one of these would come back in another spelling.
_TEXT_IN_JSON = ("UUID", "JSON")

# Held in one pass: some 130 MB of either.
_HASHES_AT_ONCE = 12_000_000
_KEYS_AT_ONCE = 2_500_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """`rows` is SQL for the source's rows as they are; `texts` gives a column's text in it."""

    connection: duckdb.DuckDBPyConnection
    url: str
    columns: tuple[Column, ...]
    rows_as_read: str
    typed: str
    texts: Mapping[str, str]
    known_rows: int | None = None

    def rows(self) -> int:
        if self.known_rows is not None:
            return self.known_rows
        return self._number("SELECT count(*) FROM profiles")

    def duplicates(self, key: str, rows: int) -> int:
        """Of so many rows, those whose value in a column an earlier row has; where it is NULL, a row is like
        no other."""
        if self._ascends(key):
            return 0
        passes = 1 + rows // _HASHES_AT_ONCE
        # That two keys share a hash is only a reason to look at the keys.
        if not any(self._hashes_repeat(key, passes, number) for number in range(passes)):
            return 0
        return self._repeated(key, 1 + rows // _KEYS_AT_ONCE)

    def _ascends(self, key: str) -> bool:
        """Whether each key is greater than the one read before it, as in a table kept in the order of its
        key. To see it takes no memory and half the time of looking at hashes, and hardly any where it is not
        so: the first key that is not greater ends it."""
        read = f"SELECT {name(key)} AS value FROM profiles WHERE {name(key)} IS NOT NULL"
        step = f"SELECT value <= lag(value) OVER () AS back FROM ({read})"
        found = self._number(f"SELECT count(*) FROM (SELECT 1 FROM ({step}) WHERE back LIMIT 1)")
        return not found

    def _hashes_repeat(self, key: str, passes: int, number: int) -> bool:
        query = f"SELECT hash(value) FROM ({self._keys(key, passes, number)})"
        return on_profiles(
            lambda: repeat(self.connection.sql(query).to_arrow_reader(BATCH_ROWS)), where=self.url
        )

    def _repeated(self, key: str, passes: int) -> int:
        """In as many passes as keep what each puts in order in little memory. To put it in order takes half
        the time that grouping it does."""
        found = 0
        for number in range(passes):
            ordered = (
                "SELECT value, lag(value) OVER (ORDER BY value) AS before "
                f"FROM ({self._keys(key, passes, number)})"
            )
            found += self._number(f"SELECT count(*) FROM ({ordered}) WHERE value = before")
        return found

    def _keys(self, key: str, passes: int, number: int) -> str:
        """One of several parts of the keys, of which equal ones have the same."""
        this_pass = f"AND hash({name(key)}) % {passes} = {number}" if passes > 1 else ""
        return f"SELECT {name(key)} AS value FROM profiles WHERE {name(key)} IS NOT NULL {this_pass}"

    def _number(self, query: str) -> int:
        rows = on_profiles(lambda: self.connection.execute(query).fetchall(), where=self.url)
        return int(rows[0][0])

    def with_texts(self, fields: Mapping[str, str]) -> str:
        """A FROM item named `profiles` as segments see it, with each field's text under a further name."""
        texts = [f"{self.texts[field]} AS {name(alias)}" for alias, field in fields.items()]
        return f"(SELECT {', '.join([self.typed, *texts])} FROM {self.rows_as_read}) AS profiles"


def open_relation(connection: duckdb.DuckDBPyConnection, located: Located, key: str) -> Relation:
    """Create the view; raises `InvalidFault` where the source cannot be read as what its name says."""
    if located.form == "csv":
        return _csv(connection, located, key)
    rows = _rows(connection, located, key)
    connection.execute(f"CREATE VIEW profiles AS SELECT * FROM {rows}")
    columns = _describe(connection, "profiles", located.url)
    return Relation(
        connection=connection,
        url=located.url,
        columns=columns,
        rows_as_read=rows,
        typed="*",
        texts={column.name: _text(column) for column in columns},
    )


def _csv(connection: duckdb.DuckDBPyConnection, located: Located, key: str) -> Relation:
    files = CsvFiles(located, key)
    rows, types = files.read_through(connection, key)
    typed = ", ".join(
        name(column) if kind == "VARCHAR" else f"CAST({name(column)} AS {kind}) AS {name(column)}"
        for column, kind in types.items()
    )
    connection.execute(f"CREATE VIEW profiles AS SELECT {typed} FROM {files.text}")
    return Relation(
        connection=connection,
        url=located.url,
        columns=tuple(Column(name=column, type=kind) for column, kind in types.items()),
        rows_as_read=files.text,
        typed=typed,
        texts={column: name(column) for column in types},
        known_rows=rows,
    )


def _rows(connection: duckdb.DuckDBPyConnection, located: Located, key: str) -> str:
    if located.form == "json":
        return _json(connection, located, key)
    if located.form == "duckdb":
        return _table(connection, located)
    rows = f"read_parquet({located.paths})"
    _describe(connection, rows, located.url)
    return rows


def _json(connection: duckdb.DuckDBPyConnection, located: Located, key: str) -> str:
    """Types are learned from every line; what a sample of them had would be an error in the others."""
    read = f"read_json({located.paths}, format = 'newline_delimited'"
    found = _describe(connection, f"{read}, sample_size = -1)", located.url)
    # What is no object, or nothing at all, DuckDB gives as one column of that name.
    if key != "json" and [column.name for column in found] == ["json"] and _is_no_object(found[0]):
        raise InvalidFault(
            Code.PROFILES_UNREADABLE,
            "no line is a JSON object",
            where=located.url,
            hint=f'each line is one profile, as in {{"{key}": "…"}}; is the file empty, or one array?',
        )
    types = {
        column.name: "VARCHAR" if column.name == key or column.type in _TEXT_IN_JSON else column.type
        for column in found
    }
    return f"{read}, columns = {struct(types)})"


def _is_no_object(column: Column) -> bool:
    return column.type == "JSON" or column.type.endswith("[]")


def _table(connection: duckdb.DuckDBPyConnection, located: Located) -> str:
    asked = (
        "SELECT schema_name, table_name FROM ("
        "SELECT database_name, schema_name, table_name FROM duckdb_tables() UNION ALL "
        "SELECT database_name, schema_name, view_name FROM duckdb_views() WHERE NOT internal) "
        "WHERE database_name = 'source' ORDER BY schema_name <> 'main', schema_name, table_name"
    )
    tables = on_profiles(lambda: connection.execute(asked).fetchall(), where=located.url)
    for schema, table in tables:
        if located.table in (table, f"{schema}.{table}"):
            return f"source.{name(schema)}.{name(table)}"
    raise InvalidFault(
        Code.PROFILES_UNREADABLE,
        f"the database has no table {located.table!r}",
        where=located.url,
        hint="tables: " + ", ".join(f"{schema}.{table}" for schema, table in tables),
    )


def _describe(connection: duckdb.DuckDBPyConnection, relation: str, url: str) -> tuple[Column, ...]:
    found = on_profiles(
        lambda: connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall(), where=url
    )
    return tuple(Column(name=row[0], type=row[1]) for row in found)


def _text(column: Column) -> str:
    if column.type == "VARCHAR":
        return name(column.name)
    as_text = f"CAST({name(column.name)} AS VARCHAR)"
    if column.type == "BLOB":
        # Older writers of Parquet do not mark text as such.
        return f"coalesce(TRY(decode({name(column.name)})), {as_text})"
    return as_text
