"""From what the user named as profile source to a relation that DuckDB reads.

A file, a folder or a glob of Parquet, CSV (`.gz`, `.zst` too) or newline-delimited JSON; or the table
of a DuckDB file, `FILE.duckdb#TABLE` or `duckdb:///FILE.duckdb#SCHEMA.TABLE`, opened for reading only.
"""

from __future__ import annotations

import glob
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from cdp_core.engines.duckdb.files import named, readable
from cdp_core.engines.duckdb.text import literals
from cdp_core.errors import Code, InvalidFault
from cdp_core.model.configuration import ProfileSource

_ENDINGS = {
    "parquet": (".parquet", ".pq"),
    "csv": (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz", ".csv.zst", ".tsv.zst", ".txt.zst"),
    "json": (".ndjson", ".jsonl", ".ndjson.gz", ".jsonl.gz", ".ndjson.zst", ".jsonl.zst"),
}
_DATABASE_ENDINGS = (".duckdb", ".ddb", ".db")


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """Files of one form, or one table of a database file. `columns` are the types declared for it."""

    form: str
    url: str
    files: tuple[Path, ...] = ()
    table: str = ""
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def allowed_paths(self) -> str:
        """The files, as DuckDB's `allowed_paths`: each by name, and by the glob that means only it."""
        return literals([*map(str, self.files), *self._patterns])

    @property
    def paths(self) -> str:
        return literals(self._patterns)

    @property
    def _patterns(self) -> list[str]:
        # DuckDB takes every path for a glob: `list[1].csv` would also read `list1.csv`.
        return [glob.escape(str(path)) for path in self.files]


def locate(source: ProfileSource) -> Located:
    """Find the source's files; raises `InvalidFault` where there are none, or of several forms."""
    url = source.url
    if url.startswith(("duckdb://", "file://")):
        url = unquote(url.split("://", 1)[1])
    path, _, table = url.partition("#")
    is_database = bool(table) and path.endswith(_DATABASE_ENDINGS)
    try:
        files = (readable(Path(path)),) if is_database else named(url, _form)
    except (OSError, ValueError) as failure:
        # ValueError: a name with a NUL.
        said = getattr(failure, "strerror", None) or "no such place"
        raise InvalidFault(
            Code.PROFILES_UNREADABLE,
            f"it cannot be looked at: {said.lower()}",
            where=str(getattr(failure, "filename", None) or source.url),
            hint="check the path's spelling, its links, and that this user may read there",
        ) from None
    if is_database:
        return Located(form="duckdb", url=source.url, files=files, table=table, options=source.options)
    forms = {_form(file) for file in files}
    if len(forms) > 1 or "" in forms:
        raise InvalidFault(
            Code.PROFILES_UNREADABLE,
            "the name does not tell the form" if "" in forms else "the files are of several forms",
            where=source.url,
            hint="name Parquet (.parquet), CSV (.csv, .tsv, .txt) or newline-delimited JSON (.ndjson, "
            ".jsonl) files, or FILE.duckdb#TABLE",
        )
    return Located(form=forms.pop(), url=source.url, files=files, options=source.options)


def _form(path: Path) -> str:
    name = path.name.lower()
    return next((form for form, endings in _ENDINGS.items() if name.endswith(endings)), "")
