"""What is seen of a contestant: each day's process, what it sent, and the audience after the second."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.loopback import Took


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """`missing` should be there and are not; `left` were there rightly the day before, and have gone since;
    `foreign` belong to nobody on either day, such as a digest of an address that was spelt otherwise."""

    right: int
    missing: int
    left: int
    foreign: int

    @property
    def is_right(self) -> bool:
        return not (self.missing or self.left or self.foreign)


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One process, and what the service was sent by it."""

    took: Took
    requests: int
    identifiers: int


@dataclass(slots=True)
class Seen:
    """One contestant's runs, and the audience after the first of its second days. `died` counts the rounds
    in which the system ended its process by a signal, which were done anew."""

    first: list[Day] = field(default_factory=list)
    same: list[Day] = field(default_factory=list)
    second: list[Day] = field(default_factory=list)
    audience: Difference | None = None
    died: int = 0


Results = dict[str, Seen]


def median(days: Sequence[Day]) -> float:
    return statistics.median(day.took.seconds for day in days)
