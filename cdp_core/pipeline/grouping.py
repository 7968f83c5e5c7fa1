"""Groups and screens the digests that an engine finds: each once, with a reason for every other value.

Digests come by the batch, in any order. They go to a scratch file in the ranges of their first byte,
and come back a range at a time, so that ten million take hardly more memory than one. Screening by
digest (placeholders; where consent and suppressions will be asked) happens on a range's values before
duplicates fall together, because each value is counted.
"""

from __future__ import annotations

import os
import tempfile
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from cdp_core.contract.digests import DIGEST_SIZE
from cdp_core.contract.source import DigestSink
from cdp_core.model.accounting import Reason
from cdp_core.model.identifiers import IdentifierKind
from cdp_core.pipeline.digest_file import (
    FEW,
    MOST_RANGES,
    DigestFileWriter,
    Written,
    by_first_byte,
    ranges_for,
)
from cdp_core.pipeline.digest_sets import DIGEST, as_bytes, distinct, from_bytes
from cdp_core.pipeline.disk import writing

# Digests that wait in memory before they are put in order and written: some 4 MB.
_IN_MEMORY = 2 * FEW

THREADS = min(4, os.cpu_count() or 1)

T = TypeVar("T")
R = TypeVar("R")


def in_parallel(threads: ThreadPoolExecutor, work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """`map` in several threads, in order, never more than one result ahead of the threads."""
    waiting: deque[Future[R]] = deque()
    for item in items:
        waiting.append(threads.submit(work, item))
        if len(waiting) > THREADS:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


class Grouping(DigestSink):
    """One preparation's digests of every kind."""

    def __init__(self, kinds: Mapping[str, IdentifierKind], scratch: Path) -> None:
        self._screens = {key: _Screen(kind.placeholders) for key, kind in kinds.items()}
        self._piles = {key: _Pile(scratch) for key in kinds}
        self._reasons: dict[str, Counter[Reason]] = {key: Counter() for key in kinds}

    def digests(self, kind: str, digests: bytes | memoryview) -> None:
        self._piles[kind].add(digests)

    def reason(self, kind: str, reason: Reason, values: int) -> None:
        self._reasons[kind][reason] += values

    def finish(self, kind: str, path: Path) -> tuple[Written, int, Mapping[Reason, int]]:
        """Write a kind's distinct digests to `path`; also the values read, and those not sent by reason."""
        pile, screen = self._piles[kind], self._screens[kind]
        reasons = self._reasons[kind]
        read = pile.count + reasons.total()
        with ThreadPoolExecutor(THREADS) as threads, DigestFileWriter(path) as file:
            for wanted, screened in in_parallel(threads, screen.group, pile.ranges()):
                file.write(wanted)
                reasons.update(screened)
            written = file.close(durable=False)
        reasons[Reason.DUPLICATE] += read - reasons.total() - written.rows
        return written, read, dict(reasons)

    def __enter__(self) -> Grouping:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pile in self._piles.values():
            pile.close()


class _Screen:
    """Takes out, before duplicates fall together, the digests that must not be sent."""

    def __init__(self, placeholders: frozenset[bytes]) -> None:
        self._placeholders = sorted(placeholders)

    def group(self, numbered: tuple[range, pa.Array]) -> tuple[pa.Array, Mapping[Reason, int]]:
        """A range's distinct digests that may be sent, and how many values were taken out and why."""
        first_bytes, found = numbered
        placeholders = [digest for digest in self._placeholders if digest[0] in first_bytes]
        kept = found
        if placeholders and len(found):
            kept = found.filter(pc.invert(pc.is_in(found, value_set=pa.array(placeholders, DIGEST))))
        return distinct(kept), {Reason.PLACEHOLDER: len(found) - len(kept)}


class _Pile:
    """One kind's digests as they come: in memory while they are few, then in a scratch file in ranges."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._waiting: list[bytes] = []
        self._waiting_count = 0
        self._spilled: list[tuple[int, list[int]]] = []
        self._file = -1
        self._end = 0

    @property
    def count(self) -> int:
        return self._end // DIGEST_SIZE + self._waiting_count

    def add(self, digests: bytes | memoryview) -> None:
        if self._waiting_count > _IN_MEMORY:
            self._spill()
        self._waiting.append(bytes(digests))  # no copy where it is `bytes` already
        self._waiting_count += len(digests) // DIGEST_SIZE

    def ranges(self) -> Iterator[tuple[range, pa.Array]]:
        """The ranges' first bytes and digests, duplicates and all."""
        ranges = ranges_for(self.count)
        if ranges == 1 and not self._spilled:
            yield range(MOST_RANGES), from_bytes(b"".join(self._waiting))
            return
        self._spill()
        starts = [start for start, _ in self._spilled]
        for number in range(ranges):
            first_bytes = range(MOST_RANGES)[MOST_RANGES // ranges * number :][: MOST_RANGES // ranges]
            pieces = bytearray()
            for at, (_, counts) in enumerate(self._spilled):
                size = sum(counts[byte] for byte in first_bytes) * DIGEST_SIZE
                pieces += os.pread(self._file, size, starts[at])
                starts[at] += size
            yield first_bytes, from_bytes(pieces)

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _spill(self) -> None:
        ordered, counts = by_first_byte(from_bytes(b"".join(self._waiting)))
        self._waiting, self._waiting_count = [], 0
        with writing(self._scratch):
            if self._file < 0:
                self._file = _unnamed_file(self._scratch)
            data = as_bytes(ordered)
            self._spilled.append((self._end, counts))
            while len(data):
                written = os.write(self._file, data)
                self._end += written
                data = data[written:]


def _unnamed_file(folder: Path) -> int:
    """A private file that is gone when it is closed, or when the process dies."""
    handle, name = tempfile.mkstemp(dir=folder, prefix="digests-")
    os.unlink(name)  # noqa: PTH108
    return handle
