"""Turns DuckDB's errors into faults that show the place and never a row's value.

What DuckDB says of a query (syntax, names, types) holds only the query's own text and is handed on.
What it says while it reads rows may quote them (“Could not convert string 'anna@…'”), so of that only
the file, the line, the column and the type get through.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TypeVar

import duckdb
import pyarrow as pa

from cdp_core.errors import Code, InvalidFault

T = TypeVar("T")

_ABOUT_THE_QUERY = (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException)
_LINE = re.compile(r"\b(?:CSV Error on Line|in line): ?(\d+)|\bin line (\d+)")
_FILE = re.compile(r'\bfile = ([^\n]+)\n|\bin file "([^"\n]+)"')
_COLUMNS = re.compile(r"\nExpected Number of Columns: (\d+) Found: (\d+)\n")
_CONVERSION = re.compile(r" to ([A-Z][A-Z0-9_(), ]*?)(?: when casting from source column (\w+))?\s*\Z")
_SAID = (
    ("unterminated quote", "a quote is not closed, or text follows a closing one"),
    ("Invalid unicode", "the text is not UTF-8"),
    (
        "state machine reached an invalid state",
        "the lines follow no one dialect (mixed line ends, stray quotes)",
    ),
    ("Malformed JSON", "the line is not JSON"),
    ("JSON transform error", "a value does not have its column's type"),
    ("No space left", "the disk is full"),
    ("too small to be a Parquet file", "it is too small to be a Parquet file"),
    ("No magic bytes", "it is not a Parquet file"),
    ("Could not set lock", "another process has it open for writing"),
    ("not a valid DuckDB database file", "it is not a DuckDB database"),
    ("Permission denied", "permission denied"),
    ("No such file", "there is no such file"),
)


class QueryPlace:
    """Where in a user's text an error stands; DuckDB counts in the query that we wrapped around it."""

    def __init__(self, text: str, before: str = "") -> None:
        self.text = text
        self._beginning = before

    def after(self, further: str) -> QueryPlace:
        """The same text in a query that has a further beginning."""
        return QueryPlace(self.text, further + self._beginning)

    def show(self, position: int | None) -> str:
        """`line 2, column 7`, with the line and a caret beneath; empty where DuckDB does not say."""
        if position is None:
            return ""
        read = self.text.encode()[: max(0, position - len(self._beginning.encode()))].decode(errors="ignore")
        line = read.count("\n")
        column = len(read) - (read.rfind("\n") + 1)
        shown = (self.text.splitlines() or [""])[min(line, self.text.count("\n"))]
        return f"line {line + 1}, column {column + 1}\n  {shown}\n  {' ' * column}^"


def on_query(work: Callable[[], T], place: QueryPlace, *, where: str) -> T:
    """Do what evaluates a segment's query; raises `InvalidFault` (SEGMENT_INVALID) with the place in it."""
    try:
        return work()
    except (duckdb.Error, pa.ArrowException) as failure:
        fault = _query_fault(failure, place, where)
    # Raised outside the handler, so that DuckDB's own words do not travel along as its context.
    raise fault


def on_profiles(work: Callable[[], T], *, where: str) -> T:
    """Do what reads the profiles; raises `InvalidFault` (PROFILES_UNREADABLE) with file and line."""
    try:
        return work()
    except (duckdb.Error, pa.ArrowException) as failure:
        fault = _profiles_fault(failure, where)
    raise fault


def syntax_fault(message: str, position: int | None, place: QueryPlace, *, where: str) -> InvalidFault:
    shown = place.show(position)
    return InvalidFault(
        Code.SEGMENT_INVALID, f"{message}{': ' if shown else ''}{shown}", where=where, hint="mend the query"
    )


def _query_fault(failure: Exception, place: QueryPlace, where: str) -> InvalidFault:
    message, position = _said(failure)
    if isinstance(failure, _ABOUT_THE_QUERY):
        return syntax_fault(_told_of_the_query(message), position, place, where=where)
    if _is_about_a_file(message):
        return _profiles_fault(failure, where)
    if isinstance(failure, duckdb.OutOfMemoryException):
        return _memory_fault(where)
    converted = _CONVERSION.search(message)
    if converted:
        column = f" of column {converted[2]}" if converted[2] else ""
        message = f"a value{column} cannot be converted to {converted[1].strip()}"
    elif isinstance(failure, duckdb.ConversionException):
        message = "a value cannot be converted to the type that the query asks for"
    else:
        message = f"the query fails on the profiles ({_kind(failure)})"
    fault = syntax_fault(message, position, place, where=where)
    return InvalidFault(
        fault.code, fault.message, where=where, hint="TRY_CAST yields NULL where a value does not convert"
    )


def _profiles_fault(failure: Exception, where: str) -> InvalidFault:
    message, _ = _said(failure)
    if isinstance(failure, duckdb.OutOfMemoryException):
        return _memory_fault(where)
    line, file, columns = _LINE.search(message), _FILE.search(message), _COLUMNS.search(message)
    said = next((ours for theirs, ours in _SAID if theirs in message), _kind(failure))
    if columns:
        said = f"the row has {columns[2]} columns where the header has {columns[1]}"
    place = (file[1] or file[2]).strip() if file else where
    if line:
        place += f", line {line[1] or line[2]}"
    code = Code.DISK_FULL if said == "the disk is full" else Code.PROFILES_UNREADABLE
    return InvalidFault(
        code, said, where=place, hint="mend the source, or say in its options how it is to be read"
    )


def _memory_fault(where: str) -> InvalidFault:
    return InvalidFault(
        Code.PROFILES_UNREADABLE,
        "the query needs more memory than the engine may take",
        where=where,
        hint="raise the engine's memory limit in cdp.toml, or ask for less in one query",
    )


def _said(failure: Exception) -> tuple[str, int | None]:
    """DuckDB's message and the position in the query, from the JSON that `errors_as_json` makes of them."""
    text = str(failure)
    start = text.find('{"exception_type"')
    if start < 0:
        return text, None
    try:
        told, _ = json.JSONDecoder(strict=False).raw_decode(text[start:])
    except ValueError:
        return text, None
    position = told.get("position")
    return told.get("exception_message", ""), int(position) if position is not None else None


def _told_of_the_query(message: str) -> str:
    """DuckDB's sentence and its guesses, without the list of all functions of a name."""
    first, *more = message.splitlines() or ["not valid"]
    return " ".join(
        [first, *(line for line in more if line.startswith(("Candidate bindings", "Did you mean")))]
    )


def _kind(failure: Exception) -> str:
    return type(failure).__name__.removesuffix("Exception")


def _is_about_a_file(message: str) -> bool:
    return bool(_FILE.search(message) and _LINE.search(message)) or "No space left" in message
