"""The digests that are never sent, whatever the segments say, as one Arrow array for each kind.

A million of them are 32 MB; they are put in the order of their first byte once, so that each range is a
slice of the array.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

import pyarrow as pa

from cdp_core.pipeline.digest_file import MOST_RANGES, by_first_byte
from cdp_core.pipeline.digest_sets import EMPTY, from_bytes


class Suppressed:
    """By kind, the digests one after another, each once. A kind that is not there has none."""

    def __init__(self, digests: Mapping[str, bytes] | None = None) -> None:
        self._kinds = {
            kind: _ByFirstByte(from_bytes(joined)) for kind, joined in (digests or {}).items() if joined
        }

    def read(self, kind: str, ranges: int) -> Iterator[pa.Array]:
        """Range by range, as a digest file with so many ranges is read."""
        held = self._kinds.get(kind)
        if held is None:
            yield from itertools.repeat(EMPTY, ranges)
            return
        width = MOST_RANGES // ranges
        for start in range(0, MOST_RANGES, width):
            yield held.within(start, start + width)


class _ByFirstByte:
    def __init__(self, digests: pa.Array) -> None:
        self._ordered, counts = by_first_byte(digests)
        self._ends = [0, *itertools.accumulate(counts)]

    def within(self, first: int, last: int) -> pa.Array:
        return self._ordered[self._ends[first] : self._ends[last]]
