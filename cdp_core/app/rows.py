"""Rows for other programs: CSV, newline-delimited JSON or Parquet, by the file name, for the owner alone.

CSV is opened in spreadsheets: what would be a formula there is given an apostrophe. The other forms hold the
values as they are.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cdp_core.contract.spreadsheets import without_formulas
from cdp_core.errors import Code, UsageFault
from cdp_core.workspace.files import FILE_MODE, create_private, write_private

FORMS = (".csv", ".ndjson", ".jsonl", ".parquet")


def write_rows(
    path: Path, columns: Sequence[str], rows: Sequence[dict[str, Any]], *, overwrite: bool
) -> None:
    """Write a file as a whole, mode 0600. Raises `UsageFault` where its form is not known, its folder is
    not there, or it is there already and is not to be overwritten."""
    write_whole(path, _content(path, columns, rows), overwrite=overwrite)


def write_whole(path: Path, content: bytes, *, overwrite: bool) -> None:
    """Write a file of any form so; raises the same, but for its form."""
    if not path.parent.is_dir():
        raise UsageFault(
            Code.USAGE,
            f"there is no folder {path.parent.name!r}",
            where=str(path.parent),
            hint="make it first",
        )
    if overwrite:
        write_private(path, content, mode=FILE_MODE)
    elif not create_private(path, content, mode=FILE_MODE):
        raise UsageFault(
            Code.NOT_AGREED_TO_ACT,
            f"{path.name} is there already: nothing was written",
            where=str(path),
            hint="name another file, or add --yes to overwrite it",
        )


def require_form(path: Path) -> None:
    """Raise `UsageFault` unless the name says what to write."""
    if path.suffix.lower() not in FORMS:
        raise UsageFault(
            Code.USAGE,
            f"{path.name!r} does not say what to write",
            hint=f"a name that ends in {', '.join(FORMS)}",
        )


def _content(path: Path, columns: Sequence[str], rows: Sequence[dict[str, Any]]) -> bytes:
    require_form(path)
    form = path.suffix.lower()
    if form in (".ndjson", ".jsonl"):
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    table = pa.table({column: [row[column] for row in rows] for column in columns})
    file = io.BytesIO()
    if form == ".csv":
        pyarrow.csv.write_csv(without_formulas(table), file)
    else:
        pyarrow.parquet.write_table(table, file)
    return file.getvalue()
