"""Whether 64-bit hashes repeat: told a range of them at a time, which takes a third of grouping them."""

from __future__ import annotations

import itertools
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pyarrow as pa
import pyarrow.compute as pc

BATCH_ROWS = 1 << 20

_RANGES = 256
_THREADS = min(4, os.cpu_count() or 1)
_TOP_BYTE = pa.scalar(56, pa.uint64())


def repeat(batches: Iterable[pa.RecordBatch]) -> bool:
    """Whether any hash, in the one column of the batches, is there twice. All are held, 8 bytes each."""
    with ThreadPoolExecutor(_THREADS) as threads:
        parted = list(_parted(threads, batches))
        return any(threads.map(_repeats, zip(*parted, strict=True)))


def _parted(threads: ThreadPoolExecutor, batches: Iterable[pa.RecordBatch]) -> Iterator[list[pa.Array]]:
    """One batch for each thread waits at the most, or they would be held twice."""
    waiting: deque[Future[list[pa.Array]]] = deque()
    for batch in batches:
        waiting.append(threads.submit(_by_top_byte, batch.column(0)))
        if len(waiting) > _THREADS:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _by_top_byte(hashes: pa.Array) -> list[pa.Array]:
    """The hashes in as many parts as a byte has values, each a slice of one array."""
    top = pc.shift_right(hashes, _TOP_BYTE).cast(pa.uint8())
    # pyarrow counts where values are few, which takes a tenth of the time of sorting.
    ordered = hashes.take(pc.sort_indices(top))
    found = {each["values"].as_py(): each["counts"].as_py() for each in top.value_counts()}
    ends = [0, *itertools.accumulate(found.get(number, 0) for number in range(_RANGES))]
    return [ordered[first:last] for first, last in itertools.pairwise(ends)]


def _repeats(parts: Sequence[pa.Array]) -> bool:
    together = pa.chunked_array(parts, pa.uint64())
    return bool(pc.count_distinct(together).as_py() < len(together))
