"""The folder between the cluster and this process: what the executors write there is streamed from it.

Parquet files, without a raw value: a row is a kind, what it tells of (`tasks`), a number of values, and that
many digests one after another. Spark's own commit makes a task that was done twice count once.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import uuid
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from cdp_core.errors import Code, InvalidFault

# Hadoop's names of file systems, and what Arrow calls them.
_SCHEMES = {"s3a://": "s3://", "s3n://": "s3://"}
_BATCH_ROWS = 64
# Of fsspec's names of places those that Hadoop knows, and Arrow too; Hadoop's own names of them.
_SHARED = {"s3": "s3a", "s3a": "s3a", "gs": "gs", "gcs": "gs", "hdfs": "hdfs", "file": "file"}
_SHARED |= {"abfs": "abfs", "abfss": "abfss"}

Piece = tuple[str, int, int, bytes]


def staging_at(shared: str) -> str | None:
    """The place as Spark and Arrow read it; None where they do not (SFTP, or Azure without its account)."""
    scheme, _, rest = shared.partition("://")
    known = _SHARED.get(scheme)
    if known is None or (known.startswith("abfs") and "@" not in rest.partition("/")[0]):
        return None
    return f"{known}://{rest}"


class Staging:
    """One engine's folder below `place`: a path, or a URL that Spark and Arrow read (s3a, gs, abfss)."""

    def __init__(self, place: str) -> None:
        self.place = place
        local = re.sub(r"^file:(?://)?", "", place)
        self._is_local = local.startswith("/")
        self._folder = f"{(local if self._is_local else place).rstrip('/')}/cdp-{uuid.uuid4().hex}"
        self._made = 0

    def fresh(self) -> str:
        """A name for Spark to write to."""
        self._made += 1
        return f"{'file:' if self._is_local else ''}{self._folder}/{self._made}"

    def read(self, pieces: int) -> Iterator[Piece]:
        """(kind, what, values, digests) of all that Spark last wrote.

        Raises `InvalidFault` where that is not so many pieces: then it lies where only the cluster sees it.
        """
        seen = 0
        try:
            files, folder = self._opened()
            for found in files.get_file_info(fs.FileSelector(f"{folder}/{self._made}", recursive=True)):
                if found.path.endswith(".parquet"):
                    with files.open_input_file(found.path) as file:
                        for batch in pq.ParquetFile(file).iter_batches(_BATCH_ROWS):
                            seen += batch.num_rows
                            columns = (column.to_pylist() for column in batch.columns)
                            yield from zip(*columns, strict=True)
        except (OSError, pa.ArrowInvalid) as failure:
            told = type(failure).__name__
            raise self._fault(f"what Spark staged cannot be read from here: {told}") from None
        if seen != pieces:
            raise self._fault(f"of {pieces:,} pieces that Spark staged, {seen:,} can be read from here")

    def remove(self) -> None:
        if self._made and self._is_local:
            shutil.rmtree(self._folder, ignore_errors=True)
        elif self._made:
            # The work is done: that it cannot be cleaned up after is no reason to fail.
            with contextlib.suppress(OSError):
                files, folder = self._opened()
                files.delete_dir(folder)
        self._made = 0

    def _opened(self) -> tuple[Any, str]:
        """The file system as Arrow reads it, and the folder in it."""
        if self._is_local:
            return fs.LocalFileSystem(), self._folder
        url = self._folder
        for theirs, arrows in _SCHEMES.items():
            url = url.replace(theirs, arrows, 1) if url.startswith(theirs) else url
        files, folder = fs.FileSystem.from_uri(url)
        return files, str(folder)

    def _fault(self, message: str) -> InvalidFault:
        return InvalidFault(
            Code.PROFILES_UNREADABLE,
            message,
            where=self.place,
            hint="the option `staging` must be a folder that the executors and this machine share: a mount, "
            "or a URL such as s3a://bucket/folder",
        )
