"""CSV: nothing is guessed from a sample, so that no row is read wrongly or left out in silence.

The dialect is the one declared in the source's options (`delimiter`, `quote`, `escape`, `encoding`),
else commas, double quotes and UTF-8; without a `delimiter`, the first of `,` `;` TAB `|` under which
the header has the key column. Every file's header must be the same, every row must have its number of
columns, and everything is read as text. Segments see a typed table all the same, so that
`lifetime_value > 500` works: a column is a number, date, time or truth value only if **every** value
of the whole source is written like one. A leading zero (`00123`) or plus sign makes it text, and the
key column is always text. `types` (`lifetime_value=DOUBLE, zip=VARCHAR`) declares what it is instead.
Identifiers are taken from the text as it stands in the file, whatever type the column has in segments.
"""

# ruff: noqa: S608 - names are quoted by `text`, and a segment's text is parsed by `segments` first
from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

import duckdb
import pyarrow as pa

from cdp_core.engines.duckdb.faults import on_profiles
from cdp_core.engines.duckdb.sources import Located
from cdp_core.engines.duckdb.text import literal, name, struct
from cdp_core.errors import Code, InvalidFault

DELIMITERS = (",", ";", "\t", "|")
ENCODINGS = {"utf-8": "utf-8", "latin-1": "latin-1", "utf-16": "utf-16"}

# From narrow to wide; the first that fits all values of a column is its type.
_WRITTEN_LIKE = {
    "BIGINT": "regexp_full_match({0}, '-?(0|[1-9][0-9]{{0,17}})')",
    "DOUBLE": "regexp_full_match({0}, '-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?')"
    " AND isfinite(TRY_CAST({0} AS DOUBLE))",
    "DATE": "regexp_full_match({0}, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}')"
    " AND TRY_CAST({0} AS DATE) IS NOT NULL",
    "TIMESTAMP": "regexp_full_match({0}, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}[ T][0-9:.]+')"
    " AND TRY_CAST({0} AS TIMESTAMP) IS NOT NULL",
    "BOOLEAN": "lower({0}) IN ('true', 'false')",
}
_FIRST_ROWS = 2_000
_HEADER_BYTES = 1 << 20


class CsvFiles:
    """CSV files as one relation. `text` is SQL for its rows as text, `types` what segments see."""

    def __init__(self, located: Located, key: str) -> None:
        self._located = located
        self._options = located.options
        self._encoding = self._one_of("encoding", ENCODINGS, "utf-8")
        self._quote = self._character("quote", '"')
        self._escape = self._character("escape", self._quote)
        self.header = self._header(key)
        columns = struct(dict.fromkeys(self.header, "VARCHAR"))
        self.text = (
            f"read_csv({located.paths}, auto_detect = false, header = true, strict_mode = true, "
            f"null_padding = false, ignore_errors = false, delim = {literal(self._delimiter)}, "
            f"quote = {literal(self._quote)}, escape = {literal(self._escape)}, "
            f"encoding = {literal(self._encoding)}, columns = {columns})"
        )

    def read_through(self, connection: duckdb.DuckDBPyConnection, key: str) -> tuple[int, Mapping[str, str]]:
        """Check every row and learn the columns' types from every value; also the number of rows."""
        declared = self._declared()
        open_columns = [column for column in self.header if column != key and column not in declared]
        every_type = {column: list(_WRITTEN_LIKE) for column in open_columns}
        # What the first rows rule out need not be asked of all of them.
        _, possible = self._fitting(connection, f"(FROM {self.text} LIMIT {_FIRST_ROWS})", every_type)
        rows, fitting = self._fitting(connection, self.text, possible)
        learned = {column: types[0] for column, types in fitting.items() if types}
        return rows, {column: {**learned, **declared}.get(column, "VARCHAR") for column in self.header}

    def _fitting(
        self, connection: duckdb.DuckDBPyConnection, relation: str, asked: Mapping[str, list[str]]
    ) -> tuple[int, Mapping[str, list[str]]]:
        """Rows, and of the types asked about for a column those that all its values are written like."""
        # Counting each column has each value read: DuckDB leaves out what nobody asks for, unchecked.
        read = [f"count({name(column)})" for column in self.header]
        fits = [
            f"coalesce(bool_and({_WRITTEN_LIKE[kind].format(name(column))}) "
            f"FILTER ({name(column)} IS NOT NULL), false)"
            for column, kinds in asked.items()
            for kind in kinds
        ]
        query = f"SELECT {', '.join(['count(*)', *fits, *read])} FROM {relation} AS profiles"
        row = on_profiles(lambda: connection.execute(query).fetchone(), where=self._located.url)
        rows, *found = row or (0,)
        answers = iter(found)
        return rows, {column: [kind for kind in kinds if next(answers)] for column, kinds in asked.items()}

    def _header(self, key: str) -> tuple[str, ...]:
        first, *others = self._located.files
        given = self._options.get("delimiter")
        candidates = DELIMITERS if given is None else ({"tab": "\t", "\\t": "\t"}.get(given, given),)
        line = self._first_record(first, candidates[0])
        for delimiter in candidates:
            names = self._first_record(first, delimiter)
            if key in names:
                break
        else:
            delimiter, names = candidates[0], line
        self._delimiter = delimiter
        if not names:
            empty = not first.stat().st_size
            raise InvalidFault(
                Code.PROFILES_UNREADABLE,
                "the file is empty" if empty else "there is no header: the first line is empty",
                where=str(first) if empty else f"{first}, line 1",
                hint="the first line names the columns",
            )
        twice = {column for column in names if names.count(column) > 1}
        if twice or not all(names):
            raise InvalidFault(
                Code.PROFILES_UNREADABLE,
                f"the header names {', '.join(sorted(map(repr, twice)))} twice"
                if twice
                else "a column has no name",
                where=f"{first}, line 1",
                hint="give each column a name of its own",
            )
        for other in others:
            if self._first_record(other, delimiter) != names:
                raise InvalidFault(
                    Code.PROFILES_UNREADABLE,
                    "the header differs from that of the other files",
                    where=f"{other}, line 1",
                    hint=f"{first.name} has: {', '.join(names)}",
                )
        return tuple(names)

    def _first_record(self, path: Path, delimiter: str) -> list[str]:
        encoding = "utf-8-sig" if self._encoding == "utf-8" else self._encoding
        try:
            with pa.input_stream(str(path), compression="detect") as stream:
                text = stream.read(_HEADER_BYTES).decode(encoding, errors="replace")
        except (OSError, pa.ArrowException) as failure:
            raise InvalidFault(
                Code.PROFILES_UNREADABLE,
                "the file cannot be opened",
                where=str(path),
                hint="is it what its name says?",
            ) from failure
        try:
            return next(csv.reader(io.StringIO(text), delimiter=delimiter, quotechar=self._quote), [])
        except csv.Error as failure:
            raise InvalidFault(
                Code.PROFILES_UNREADABLE,
                "the header is not CSV",
                where=f"{path}, line 1",
                hint="see `delimiter`",
            ) from failure

    def _declared(self) -> dict[str, str]:
        pairs = [pair.partition("=") for pair in self._options.get("types", "").split(",") if pair.strip()]
        declared = {column.strip(): kind.strip().upper() for column, _, kind in pairs}
        for column, kind in declared.items():
            if column not in self.header or kind not in (*_WRITTEN_LIKE, "VARCHAR"):
                raise InvalidFault(
                    Code.PROFILES_UNREADABLE,
                    f"`types` says {column}={kind}",
                    where=self._located.url,
                    hint=f"columns: {', '.join(self.header)}; types: VARCHAR, {', '.join(_WRITTEN_LIKE)}",
                )
        return declared

    def _one_of(self, option: str, allowed: Mapping[str, str], default: str) -> str:
        given = self._options.get(option, default).lower()
        if given not in allowed:
            raise InvalidFault(
                Code.PROFILES_UNREADABLE,
                f"the option {option} cannot be {given!r}",
                where=self._located.url,
                hint=f"one of {', '.join(allowed)}",
            )
        return allowed[given]

    def _character(self, option: str, default: str) -> str:
        given = self._options.get(option, default)
        if len(given) != 1:
            raise InvalidFault(
                Code.PROFILES_UNREADABLE,
                f"the option {option} must be one character",
                where=self._located.url,
                hint=f'{option} = "{default}"',
            )
        return given
