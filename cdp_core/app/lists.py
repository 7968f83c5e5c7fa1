"""Lists of persons in files: plain text with one on a line, or a column of CSV, JSON lines or Parquet."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

from cdp_core.errors import Code, InvalidFault

STANDARD_INPUT = "-"


class _Unreadable(Exception):
    """Where a list cannot be read, and why."""


def persons(file: str, *, field: str | None, undone: str) -> Iterator[tuple[int, str | None]]:
    """(line, text) of each person; of Parquet the row, counted from 1. `field` names the column, which a
    file with a single one need not be told; `undone` says what has not been done where it cannot be read.

    Raises `InvalidFault` where the file cannot be read to its end; it never repeats what a line holds.
    """
    form = _form(file)
    try:
        if form == "parquet":
            yield from _of_parquet(Path(file), field)
        elif file == STANDARD_INPUT:
            yield from _of_text(sys.stdin, field)
        else:
            with Path(file).open(encoding="utf-8-sig", newline="" if form == "csv" else None) as opened:
                yield from {"csv": _of_csv, "json": _of_json, "text": _of_text}[form](opened, field)
    except OSError as failure:
        why = (failure.strerror or "it is not what its name says").lower()
        raise _unreadable(file, why, undone) from None
    except UnicodeDecodeError:
        raise _unreadable(file, "it is not UTF-8 text", undone) from None
    except csv.Error as failure:
        raise _unreadable(file, str(failure), undone) from None
    except _Unreadable as failure:
        where, why = failure.args
        raise _unreadable(where, why, undone) from None


def _form(file: str) -> str:
    endings = {
        "parquet": (".parquet", ".pq"),
        "csv": (".csv", ".tsv"),
        "json": (".ndjson", ".jsonl"),
    }
    return next((form for form, known in endings.items() if file.lower().endswith(known)), "text")


def _of_text(opened: TextIO, field: str | None) -> Iterator[tuple[int, str | None]]:
    if field is not None:
        raise InvalidFault(
            Code.LIST_UNREADABLE,
            "plain text has no fields: each line is a person",
            hint="leave out --field, or name a .csv, .ndjson or .parquet file",
        )
    yield from enumerate(opened, start=1)


def _of_csv(opened: TextIO, field: str | None) -> Iterator[tuple[int, str | None]]:
    heading = opened.readline()
    opened.seek(0)
    delimiter = max(",;\t|", key=heading.count)
    rows = csv.reader(opened, delimiter=delimiter, strict=True)
    at = _place(next(rows, []), field, opened.name)
    for row in rows:
        yield rows.line_num, row[at] if at < len(row) else None


def _of_json(opened: TextIO, field: str | None) -> Iterator[tuple[int, str | None]]:
    for number, line in enumerate(opened, start=1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except ValueError:
            raise _Unreadable(f"{opened.name}, line {number}", "the line is not JSON") from None
        if not isinstance(found, dict):
            raise _Unreadable(f"{opened.name}, line {number}", "the line is not an object")
        name = list(found)[_place(list(found), field, f"{opened.name}, line {number}")]
        yield number, None if found[name] is None else str(found[name])


def _of_parquet(path: Path, field: str | None) -> Iterator[tuple[int, str | None]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            name = names[_place(names, field, str(path))]
            number = 0
            for batch in file.iter_batches(columns=[name]):
                for value in batch.column(0).to_pylist():
                    number += 1
                    yield number, _text(value)
    except pa.ArrowException:
        raise _Unreadable(str(path), "it is not a Parquet file, or was cut short") from None


def _text(value: Any) -> str | None:
    """A digest may stand in a Parquet file as its 32 bytes."""
    if isinstance(value, bytes):
        return value.hex()
    return None if value is None else str(value)


def _place(names: Iterable[str], field: str | None, where: str) -> int:
    there = list(names)
    if field is None and len(there) == 1:
        return 0
    if field not in there:
        raise InvalidFault(
            Code.LIST_UNREADABLE,
            f"there is no field {field!r}" if field else "the file has several fields",
            where=where,
            hint="--field NAME, with one of: " + ", ".join(there),
        )
    return there.index(field)


def _unreadable(where: str, why: str, undone: str) -> InvalidFault:
    return InvalidFault(
        Code.LIST_UNREADABLE, why, where=where, hint=f"{undone}; mend the file, or name another"
    )
