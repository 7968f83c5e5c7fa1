"""Groups and screens the digests that an engine finds: each once, with a reason for every other value.

Digests come by the batch, in any order. They go to a scratch file in the ranges of their first byte,
and come back a range at a time, so that ten million take hardly more memory than one. Screening by
digest (placeholders, digests withheld for want of consent, suppressed ones) happens on a range's values
before duplicates fall together, because each value is counted.
"""

from __future__ import annotations

import itertools
import os
import tempfile
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
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
from cdp_core.pipeline.digest_sets import DIGEST, EMPTY, as_bytes, distinct, from_bytes, same_rows
from cdp_core.pipeline.disk import writing
from cdp_core.pipeline.seal import PLAIN, Seal
from cdp_core.pipeline.suppressed import Suppressed
from cdp_core.rules.records import RECORD

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

    def __init__(
        self,
        kinds: Mapping[str, IdentifierKind],
        scratch: Path,
        suppressed: Suppressed | None = None,
        *,
        validity_alone: bool = False,
        seal: Seal = PLAIN,
    ) -> None:
        self._seal = seal
        self._screens = {
            key: _Screen(kind.placeholders, validity_alone=validity_alone, of_rows=key == RECORD)
            for key, kind in kinds.items()
        }
        self._piles = {key: _Pile(scratch) for key in kinds}
        self._withheld = {key: _Pile(scratch) for key in kinds}
        self._reasons: dict[str, Counter[Reason]] = {key: Counter() for key in kinds}
        self._suppressed = suppressed or Suppressed()

    def digests(self, kind: str, digests: bytes | memoryview) -> None:
        self._piles[kind].add(digests)

    def reason(self, kind: str, reason: Reason, values: int) -> None:
        self._reasons[kind][reason] += values

    def withheld(self, kind: str, digests: bytes | memoryview) -> None:
        self._withheld[kind].add(digests)

    def finish(self, kind: str, path: Path, withheld: Path) -> Grouped:
        """Write a kind's distinct digests to `path`, and to `withheld` those of rows without consent."""
        pile, refused, reasons = self._piles[kind], self._withheld[kind], self._reasons[kind]
        read = pile.count + reasons.total()
        ranges = ranges_for(max(pile.count, refused.count))
        found = zip(
            pile.ranges(ranges), refused.ranges(ranges), self._suppressed.read(kind, ranges), strict=True
        )
        work = itertools.starmap(_Range, found)
        with (
            ThreadPoolExecutor(THREADS) as threads,
            DigestFileWriter(path, self._seal) as file,
            DigestFileWriter(withheld, self._seal) as beside,
        ):
            for screened in in_parallel(threads, self._screens[kind].group, work):
                file.write(screened.wanted)
                beside.write(screened.withheld)
                reasons.update(screened.reasons)
            written = file.close(durable=False)
            kept_back = beside.close(durable=False) if beside.rows else None
        reasons[Reason.DUPLICATE] += read - reasons.total() - written.rows
        return Grouped(written=written, withheld=kept_back, read=read, reasons=dict(reasons))

    def __enter__(self) -> Grouping:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pile in (*self._piles.values(), *self._withheld.values()):
            pile.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouped:
    """A kind's files (`withheld` None where no row is without consent), the values read, and those that
    are not sent by reason."""

    written: Written
    withheld: Written | None
    read: int
    reasons: Mapping[Reason, int]


@dataclass(frozen=True, slots=True)
class _Range:
    """What was found with some first bytes, duplicates and all, and what is not to be sent of it."""

    found: pa.Array
    withheld: pa.Array
    suppressed: pa.Array


@dataclass(frozen=True, slots=True)
class _Screened:
    """A range's distinct digests that may be sent, those withheld, and the values taken out by reason."""

    wanted: pa.Array
    withheld: pa.Array
    reasons: Mapping[Reason, int]


class _Screen:
    """Takes out, before duplicates fall together, the digests that must not be sent; with `validity_alone`
    those that stand for no person, and no others. Records are withheld `of_rows`: with one, all versions of
    its row."""

    def __init__(self, placeholders: frozenset[bytes], *, validity_alone: bool, of_rows: bool) -> None:
        self._is_in = same_rows if of_rows else _is_in
        self._placeholders = pa.array(sorted(placeholders), DIGEST)
        self._validity_alone = validity_alone

    def group(self, numbered: _Range) -> _Screened:
        """Each value is taken out for the first reason that holds."""
        withheld = distinct(numbered.withheld)
        left, reasons = numbered.found, {}
        for reason, barred in (
            (Reason.PLACEHOLDER, self._placeholders),
            (Reason.WITHOUT_CONSENT, EMPTY if self._validity_alone else withheld),
            (Reason.SUPPRESSED, EMPTY if self._validity_alone else numbered.suppressed),
        ):
            before = len(left)
            if before and len(barred):
                left = left.filter(pc.invert(self._is_in(left, barred)))
            reasons[reason] = before - len(left)
        return _Screened(wanted=distinct(left), withheld=withheld, reasons=reasons)


def _is_in(digests: pa.Array, barred: pa.Array) -> pa.Array:
    return pc.is_in(digests, value_set=barred)


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

    def ranges(self, ranges: int) -> Iterator[pa.Array]:
        """So many ranges' digests, duplicates and all."""
        if not self.count:
            yield from itertools.repeat(EMPTY, ranges)
            return
        if ranges == 1 and not self._spilled:
            yield from_bytes(b"".join(self._waiting))
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
            yield from_bytes(pieces)

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
