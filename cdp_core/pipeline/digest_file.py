"""A file of distinct digests: Parquet with one column, `digest`, that any reader of Parquet can look into.

Its rows lie in up to 256 ranges of the digests' first byte, one row group each, so that two files are
compared range by range in little memory, whatever they hold. Rows per range stand in the file's own
metadata. Plans and the ledger are made of such files.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cdp_core.pipeline.digest_sets import DIGEST, EMPTY, as_bytes, halves
from cdp_core.pipeline.disk import sync, writing
from cdp_core.pipeline.intervals import Intervals
from cdp_core.pipeline.seal import PLAIN, Seal
from cdp_core.workspace.files import touch_private

MOST_RANGES = 256
FEW = 65_536

_SCHEMA = pa.schema([pa.field("digest", DIGEST, nullable=False)])
_ROWS_PER_RANGE = b"cdp.rows_per_range"


@dataclass(frozen=True, slots=True)
class Written:
    """A finished file."""

    path: Path
    sha256: str
    rows: int


def ranges_for(rows: int) -> int:
    """How many ranges a file of so many digests has: a power of two, with some tens of thousands in each."""
    return min(MOST_RANGES, 1 << max(0, (rows - 1) // FEW).bit_length())


def by_first_byte(digests: pa.Array) -> tuple[pa.Array, list[int]]:
    """The digests, stably in the order of their first byte, and how many have each."""
    first = pa.py_buffer(as_bytes(digests).tobytes()[:: DIGEST.byte_width])
    bytes_ = pa.Array.from_buffers(pa.uint8(), len(digests), [None, first])
    # pyarrow counts where values are few, which takes a tenth of the time of sorting.
    ordered = digests.take(pc.sort_indices(bytes_))
    found = {each["values"].as_py(): each["counts"].as_py() for each in bytes_.value_counts()}
    return ordered, [found.get(byte, 0) for byte in range(MOST_RANGES)]


def split(ranges: Iterable[pa.Array], have: int, want: int) -> Iterator[pa.Array]:
    """From `have` ranges to `want`, which are as many or more."""
    if have == want:
        yield from ranges
        return
    width = MOST_RANGES // want
    for number, digests in enumerate(ranges):
        ordered, counts = by_first_byte(digests)
        ends = [0, *itertools.accumulate(counts)]
        first, last = (MOST_RANGES // have * each for each in (number, number + 1))
        for byte in range(first, last, width):
            yield ordered[ends[byte] : ends[byte + width]]


class DigestFileWriter:
    """Writes one file; `close` gives its digest. A file that was not closed is taken away again."""

    def __init__(self, path: Path, seal: Seal = PLAIN) -> None:
        self.path = path
        self._rows: list[int] = []
        properties = seal.to_write()
        with writing(path):
            self._file = _Hashed(path)
            self._parquet = pq.ParquetWriter(
                self._file,
                _SCHEMA,
                compression="none",
                use_dictionary=False,
                write_statistics=False,
                encryption_properties=properties,
            )

    @property
    def rows(self) -> int:
        return sum(self._rows)

    def write(self, digests: pa.Array) -> None:
        """The next range's digests, each once."""
        self._rows.append(len(digests))
        if len(digests):
            table = pa.Table.from_arrays([digests], schema=_SCHEMA)
            with writing(self.path):
                self._parquet.write_table(table, row_group_size=len(digests))

    def close(self, *, durable: bool) -> Written:
        try:
            with writing(self.path):
                self._parquet.add_key_value_metadata({_ROWS_PER_RANGE: ",".join(map(str, self._rows))})
                self._parquet.close()
                self._file.close()
                if durable:
                    sync(self.path)
        except BaseException:
            self.path.unlink(missing_ok=True)
            raise
        return Written(self.path, self._file.sha256, self.rows)

    def discard(self) -> None:
        """Take away what was written, unless it was finished."""
        if self._file.closed:
            return
        self.path.unlink(missing_ok=True)
        # What cannot be written any more (a full disk) is not wanted either.
        with suppress(OSError):
            self._parquet.close()
        with suppress(OSError):
            self._file.close()

    def __enter__(self) -> DigestFileWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.discard()


class DigestFile:
    """Reads one file, in its order. Each call opens it anew, so threads may share the object.

    Raises `GateFault` (LEDGER_SEALED) where the file is encrypted and `seal` has not its key.
    """

    def __init__(self, path: Path, seal: Seal = PLAIN) -> None:
        self.path = path
        self._seal = seal

    @cached_property
    def rows_per_range(self) -> tuple[int, ...]:
        with self._opened() as file:
            kept = file.metadata.metadata[_ROWS_PER_RANGE]
        return tuple(int(rows) for rows in kept.decode().split(","))

    @property
    def rows(self) -> int:
        return sum(self.rows_per_range)

    @property
    def ranges(self) -> int:
        return len(self.rows_per_range)

    def read(self, ranges: int, rows: Intervals | None = None) -> Iterator[pa.Array]:
        """Range by range, all rows or only some; `ranges` is the file's own number of them, or more."""
        wanted = self._own_ranges() if rows is None else self._own_rows(rows)
        return split(wanted, self.ranges, ranges)

    def blocks(self, size: int) -> Iterator[bytes]:
        """All digests one after another, `size` of them at a time."""
        waiting = bytearray()
        step = size * DIGEST.byte_width
        for digests in self._own_ranges():
            waiting += as_bytes(digests)
            at = 0
            while len(waiting) - at >= step:
                yield bytes(waiting[at : at + step])
                at += step
            del waiting[:at]
        if waiting:
            yield bytes(waiting)

    def slice(self, start: int, count: int) -> bytes:
        """`count` digests from the `start`-th (from 0)."""
        touched = {}
        first = 0
        for number, rows in enumerate(self.rows_per_range):
            if first < start + count and start < first + rows:
                touched[number] = (max(start - first, 0), min(start + count - first, rows))
            first += rows
        pieces = zip(touched.values(), self._some_ranges(touched), strict=True)
        return b"".join(as_bytes(digests[begin:end]) for (begin, end), digests in pieces)

    def find(self, digest: bytes) -> int | None:
        """The place (from 0) of a digest among the rows, if it is there; only its range is read."""
        number = digest[0] * self.ranges // MOST_RANGES
        (held,) = self._some_ranges([number])
        at = pc.index(held, pa.scalar(digest, DIGEST)).as_py()
        return None if at < 0 else sum(self.rows_per_range[:number]) + at

    def of_row(self, half: bytes) -> tuple[bytes, ...]:
        """The records that begin with a half: of each version of a row, one."""
        number = half[0] * self.ranges // MOST_RANGES
        (held,) = self._some_ranges([number])
        same = pc.equal(halves(held), pa.scalar(half, pa.binary(len(half))))
        found: list[bytes] = held.filter(same).to_pylist()
        return tuple(found)

    def _own_rows(self, rows: Intervals) -> Iterator[pa.Array]:
        start = 0
        for digests in self._own_ranges():
            pieces = [
                digests[first - start : last - start]
                for first, last in rows.within(start, start + len(digests))
            ]
            yield pa.concat_arrays(pieces) if pieces else EMPTY
            start += len(digests)

    def _own_ranges(self) -> Iterator[pa.Array]:
        return self._some_ranges(range(self.ranges))

    def _some_ranges(self, numbers: Iterable[int]) -> Iterator[pa.Array]:
        # An empty range has no row group of its own.
        groups = dict(
            zip((n for n, rows in enumerate(self.rows_per_range) if rows), itertools.count(), strict=False)
        )
        with self._opened() as file:
            for number in numbers:
                if number not in groups:
                    yield EMPTY
                    continue
                column = file.read_row_group(groups[number], columns=["digest"], use_threads=False)["digest"]
                yield column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks)

    def _opened(self) -> pq.ParquetFile:
        properties = self._seal.to_read(self.path)
        try:
            return pq.ParquetFile(self.path, decryption_properties=properties)
        except (ValueError, OSError):
            if properties is None:
                raise
            raise self._seal.unreadable(self.path) from None


class _Hashed:
    """A new private file that is hashed on its way to the disk."""

    def __init__(self, path: Path) -> None:
        touch_private(path, exist_ok=False)
        self._file: BinaryIO = path.open("wb", buffering=1 << 20)
        self._hash = hashlib.sha256()

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    @property
    def closed(self) -> bool:
        return self._file.closed

    def write(self, data: bytes) -> int:
        self._hash.update(data)
        return self._file.write(data)

    def tell(self) -> int:
        return self._file.tell()

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self._file.close()
