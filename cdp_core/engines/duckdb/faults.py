"""Turns DuckDB's errors into faults that show the place and never a row's value.

What DuckDB says of a query (syntax, names, types) holds only the query's own text and is handed on, with
dots in place of an address that the query itself may name.
What it says while it reads rows may quote them (“Could not convert string 'anna@…'”), so of that only
the file, the line, the column and the type get through.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import duckdb
import pyarrow as pa

from cdp_core.engines.duckdb.json_lines import line_of
from cdp_core.engines.places import QueryPlace, syntax_fault, without_addresses
from cdp_core.errors import Code, InvalidFault

T = TypeVar("T")

# Errors met in a stream of batches come through Arrow, some as plain `OSError`.
_FAILURES = (duckdb.Error, pa.ArrowException, OSError)
_ABOUT_THE_QUERY = ("parser", "syntax", "binder", "catalog")
_ABOUT_VALUES = ("conversion", "invalidinput", "outofrange", "mismatchtype")
# DuckDB's own memory, and Arrow's.
_OUT_OF_MEMORY = ("outofmemory", "arrowmemoryerror")
_FULL = "No space left"
_MALFORMED_JSON = "Malformed JSON"
_JSON_VALUE = "JSON transform error"
_UNTOLD = "it cannot be read as what its name says"
_LINE = re.compile(r"\b(?:CSV Error on Line|in line): ?(\d+)|\bin line (\d+)")
_FILE = re.compile(r'\bfile = ([^\n]+)\n|\bin file "([^"\n]+)"')
# From its beginning on: further along a message may quote a value.
_PARQUET = re.compile(
    r"""(?:Invalid Input Error: )?(?:Failed to read file "([^"\n]+)"|"""
    r"""No magic bytes found at end of file '([^'\n]+)'|File '([^'\n]+)' too small)"""
)
_LACKED = re.compile(
    r'column "([^"\n]+)" was read from the original file "([^"\n]+)", but could not be found'
)
_COLUMNS = re.compile(r"\nExpected Number of Columns: (\d+) Found: (\d+)\n")
_CONVERSION = re.compile(r" to ([A-Z][A-Z0-9_(), ]*?)(?: when casting from source column (\w+))?\s*\Z")
_TOLD = (
    ("unterminated quote", "a quote is not closed, or text follows a closing one"),
    ("Invalid unicode", "the text is not UTF-8"),
    (
        "state machine reached an invalid state",
        "the lines follow no one dialect (mixed line ends, stray quotes)",
    ),
    (_MALFORMED_JSON, "the line is not JSON"),
    (_JSON_VALUE, "a value does not have its column's type"),
    (_FULL, "the disk is full"),
    ("too small to be a Parquet file", "it is too small to be a Parquet file"),
    ("No magic bytes", "it is not a Parquet file"),
    ("Could not set lock", "another process has it open for writing"),
    ("not a valid DuckDB database file", "it is not a DuckDB database"),
    ("Permission denied", "permission denied"),
    ("No such file", "there is no such file"),
)
_MEND = "mend the source, or say in its options how it is to be read"
_MENDED = (
    ("too small to be a Parquet file", "write it again: it is empty, or was cut short"),
    ("No magic bytes", "write it again if it was cut short; else let its name's ending say what it is"),
    ("Invalid unicode", "say the encoding, as in: --option encoding=latin-1; or save it as UTF-8"),
)


@dataclass(frozen=True, slots=True)
class _Said:
    """What DuckDB said: the kind of error (`conversion`, …), its message, the place in the query."""

    kind: str
    message: str
    position: int | None

    @property
    def is_about_a_file(self) -> bool:
        by_line = _FILE.search(self.message) and _LINE.search(self.message)
        return bool(by_line or _PARQUET.match(self.message)) or _FULL in self.message


def on_query(work: Callable[[], T], place: QueryPlace, *, where: str) -> T:
    """Do what evaluates a segment's query; raises `InvalidFault` (SEGMENT_INVALID) with the place in it."""
    try:
        return work()
    except _FAILURES as failure:
        fault = _query_fault(_said(failure), place, where)
    # Raised outside the handler, so that DuckDB's own words do not travel along as its context.
    raise fault


def on_members(work: Callable[[], T], *, url: str, segments: str) -> T:
    """Do what reads members; what fails is a file (PROFILES_UNREADABLE) or a segment's query on a row."""
    try:
        return work()
    except _FAILURES as failure:
        said = _said(failure)
        if said.kind in _ABOUT_VALUES and not said.is_about_a_file:
            fault = _query_fault(_Said(said.kind, said.message, None), QueryPlace(""), segments)
        else:
            fault = _profiles_fault(said, url)
    raise fault


def on_profiles(work: Callable[[], T], *, where: str) -> T:
    """Do what reads the profiles; raises `InvalidFault` (PROFILES_UNREADABLE) with file and line."""
    try:
        return work()
    except _FAILURES as failure:
        fault = _profiles_fault(_said(failure), where)
    raise fault


def _query_fault(said: _Said, place: QueryPlace, where: str) -> InvalidFault:
    if said.kind in _ABOUT_THE_QUERY:
        return syntax_fault(_told_of_the_query(said.message), said.position, place, where=where)
    if said.is_about_a_file:
        return _profiles_fault(said, where)
    if said.kind in _OUT_OF_MEMORY:
        return _memory_fault(where)
    converted = _CONVERSION.search(said.message)
    if converted:
        column = f" of column {converted[2]}" if converted[2] else ""
        message = f"a value{column} cannot be converted to {converted[1].strip()}"
    elif said.kind == "conversion":
        message = "a value cannot be converted to the type that the query asks for"
    else:
        message = "the query fails on a value of the profiles"
    fault = syntax_fault(message, said.position, place, where=where)
    return InvalidFault(
        fault.code, fault.message, where=where, hint="TRY_CAST yields NULL where a value does not convert"
    )


def _profiles_fault(said: _Said, where: str) -> InvalidFault:
    if said.kind in _OUT_OF_MEMORY:
        return _memory_fault(where)
    line, file, columns = (each.search(said.message) for each in (_LINE, _FILE, _COLUMNS))
    told = next((ours for theirs, ours in _TOLD if theirs in said.message), _UNTOLD)
    if columns:
        told = f"the row has {columns[2]} columns where the header has {columns[1]}"
    hint = next((ours for theirs, ours in _MENDED if theirs in said.message), _MEND)
    if _PARQUET.match(said.message) and (lacked := _LACKED.search(said.message)):
        told = f"it has no column {lacked[1]}"
        hint = f"have every file of the profiles carry the columns that the first has: {lacked[2]}"
    found = file or _PARQUET.match(said.message)
    place = next(filter(None, found.groups())).strip() if found else where
    if line:
        number = _number_in_file(int(line[1] or line[2]), said.message, Path(place))
        place += f", line {number}" if number else ""
    code = Code.DISK_FULL if _FULL in said.message else Code.PROFILES_UNREADABLE
    return InvalidFault(code, told, where=place, hint=hint)


def _number_in_file(told: int, message: str, file: Path) -> int | None:
    """The line that DuckDB means, which of JSON is not the one that it tells."""
    if _MALFORMED_JSON in message:
        return line_of(file, told - 1)  # it tells the one after it
    return line_of(file, told) if _JSON_VALUE in message else told


def _memory_fault(where: str) -> InvalidFault:
    return InvalidFault(
        Code.PROFILES_UNREADABLE,
        "the query needs more memory than the engine may take",
        where=where,
        hint="raise the engine's memory limit in cdp.toml, or ask for less in one query",
    )


def _said(failure: Exception) -> _Said:
    """Out of the JSON that `errors_as_json` makes, wherever it comes: Arrow wraps it in errors of its own."""
    text = str(failure)
    kind = type(failure).__name__.removesuffix("Exception")
    start = text.find('{"exception_type"')
    try:
        told, _ = json.JSONDecoder(strict=False).raw_decode(text[start:]) if start >= 0 else ({}, 0)
    except ValueError:
        told = {}
    position = told.get("position")
    return _Said(
        kind=str(told.get("exception_type", kind)).replace(" ", "").lower(),
        message=told.get("exception_message", text),
        position=int(position) if position is not None else None,
    )


def _told_of_the_query(message: str) -> str:
    """DuckDB's sentence and its guesses, without the list of all functions of a name."""
    first, *more = message.splitlines() or ["not valid"]
    return without_addresses(
        " ".join([first, *(line for line in more if line.startswith(("Candidate bindings", "Did you mean")))])
    )
