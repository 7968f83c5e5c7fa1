"""Which line of a newline-delimited JSON file DuckDB means: it counts only lines that are not blank."""

from __future__ import annotations

import io
from pathlib import Path

import pyarrow as pa


def line_of(path: Path, record: int) -> int | None:
    """The number (from 1) of the line with the `record`-th (from 1) that is not blank.

    `.gz` and `.zst` are unpacked. None where the file cannot be read, or has fewer such lines.
    """
    try:
        with pa.input_stream(str(path), compression="detect") as stream:
            for number, line in enumerate(io.BufferedReader(stream), start=1):
                record -= not line.isspace()
                if not record:
                    return number
    except OSError:
        return None
    return None
