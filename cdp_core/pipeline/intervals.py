"""Sets of row numbers as a few intervals: what became of a plan's rows is told batch by batch."""

from __future__ import annotations

from collections.abc import Iterator

_END = 1 << 62


class Intervals:
    """Half-open intervals, kept apart and in order."""

    def __init__(self) -> None:
        self._added: list[tuple[int, int]] = []

    @classmethod
    def everything(cls) -> Intervals:
        rows = cls()
        rows.add(0, _END)
        return rows

    def add(self, start: int, count: int) -> None:
        if count > 0:
            self._added.append((start, start + count))

    def __bool__(self) -> bool:
        return bool(self._added)

    @property
    def count(self) -> int:
        return sum(end - start for start, end in self._merged())

    def without(self, other: Intervals) -> Intervals:
        rest = Intervals()
        for start, end in self._merged():
            at = start
            for taken_start, taken_end in other.within(start, end):
                rest.add(at, taken_start - at)
                at = taken_end
            rest.add(at, end - at)
        return rest

    def within(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """The parts that lie between two rows."""
        for first, last in self._merged():
            if max(first, start) < min(last, end):
                yield max(first, start), min(last, end)

    def _merged(self) -> list[tuple[int, int]]:
        merged: list[tuple[int, int]] = []
        for start, end in sorted(self._added):
            if merged and start <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(merged[-1][1], end))
            else:
                merged.append((start, end))
        self._added = merged
        return merged
