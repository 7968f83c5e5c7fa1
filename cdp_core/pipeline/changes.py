"""What a plan's outcomes change of claims, range by range: what is confirmed, perhaps there, or ended.

Stands between the journal, which knows of batches, and the ledger, which knows of digests.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from cdp_core.model.delivery import BatchOutcome, BatchStatus, Operation
from cdp_core.pipeline.digest_sets import EMPTY, part, union
from cdp_core.pipeline.intervals import Intervals
from cdp_core.pipeline.plan import Plan, PlanPart

ADDED = (PlanPart.ADD, PlanPart.ADD_AGAIN)
REMOVED = (PlanPart.REMOVE, PlanPart.REMOVE_AGAIN)


class Told:
    """What became of each row of a plan."""

    def __init__(self, outcomes: Collection[BatchOutcome]) -> None:
        self._accepted: dict[tuple[PlanPart, str], Intervals] = {}
        self._unknown: dict[tuple[PlanPart, str], Intervals] = {}
        # What was removed before an audience was emptied has no claims any more that could end.
        emptied = any(
            (each.range.operation, each.status) == (Operation.REMOVE_ALL, BatchStatus.ACCEPTED)
            for each in outcomes
        )
        ignored = (Operation.REMOVE_ALL, *((Operation.REMOVE,) if emptied else ()))
        for outcome in outcomes:
            batch = outcome.range
            if batch.operation in ignored:
                continue
            if outcome.status is BatchStatus.ACCEPTED:
                told = self._accepted
            elif outcome.status in (BatchStatus.UNKNOWN, BatchStatus.JOURNALED):
                told = self._unknown
            else:
                continue
            sent = PlanPart.sent(batch.operation, again=batch.again)
            told.setdefault((sent, batch.kind), Intervals()).add(batch.start, batch.count)

    def accepted(self, sent: PlanPart, kind: str) -> Intervals:
        return self._accepted.get((sent, kind), Intervals())

    def unknown(self, sent: PlanPart, kind: str) -> Intervals:
        return self._unknown.get((sent, kind), Intervals()).without(self.accepted(sent, kind))

    def anything(self, sent: PlanPart, kind: str) -> bool:
        """Whether anything of a part is accepted or unknown."""
        return bool(self.accepted(sent, kind) or self.unknown(sent, kind))


@dataclass(frozen=True, slots=True)
class Change:
    """Digests of one range; `perhaps` are those that are perhaps there, `doubted` those among the
    confirmed whose removal got no answer."""

    confirmed: pa.Array
    perhaps: pa.Array
    ended: pa.Array
    doubted: pa.Array


class Changes(Protocol):
    """What has changed, range by range."""

    @property
    def ranges(self) -> int: ...

    def read(self, ranges: int) -> Iterator[Change]: ...


class NoChange:
    ranges = 1

    def read(self, ranges: int) -> Iterator[Change]:
        return itertools.repeat(Change(EMPTY, EMPTY, EMPTY, EMPTY), ranges)


class ChangeReader:
    """What a plan's outcomes say, range by range: confirmed, perhaps there, and ended digests."""

    def __init__(self, plan: Plan, told: Told, kind: str) -> None:
        self._told = told
        self._kind = kind
        self._files = {each: plan.digests(each, kind) for each in PlanPart}

    @property
    def ranges(self) -> int:
        return max((file.ranges for file in self._files.values() if file), default=1)

    def read(self, ranges: int) -> Iterator[Change]:
        columns = (
            self._accepted(ranges, *ADDED, PlanPart.CLAIM),
            self._unknown(ranges, *ADDED),
            self._accepted(ranges, *REMOVED, PlanPart.RELEASE),
            self._unknown(ranges, *REMOVED),
        )
        for change in zip(*columns, strict=True):
            yield Change(*change)

    def _accepted(self, ranges: int, *parts: PlanPart) -> Iterator[pa.Array]:
        """What was accepted of some parts, together; of those that are not sent, everything."""
        told = {
            each: Intervals.everything()
            if each in (PlanPart.CLAIM, PlanPart.RELEASE)
            else self._told.accepted(each, self._kind)
            for each in parts
        }
        return self._together(told, ranges)

    def _unknown(self, ranges: int, *parts: PlanPart) -> Iterator[pa.Array]:
        return self._together({each: self._told.unknown(each, self._kind) for each in parts}, ranges)

    def _together(self, told: Mapping[PlanPart, Intervals], ranges: int) -> Iterator[pa.Array]:
        columns = (self._rows(plan_part, rows, ranges) for plan_part, rows in told.items())
        for arrays in zip(*columns, strict=True):
            yield functools.reduce(both, arrays)

    def _rows(self, plan_part: PlanPart, rows: Intervals, ranges: int) -> Iterable[pa.Array]:
        file = self._files[plan_part]
        return file.read(ranges, rows) if file and rows else itertools.repeat(EMPTY, ranges)


class EndReader(ChangeReader):
    """The same of what other exports claim too: what ended of it, and what is in doubt."""

    def read(self, ranges: int) -> Iterator[Change]:
        columns = (
            self._rows(PlanPart.END, Intervals.everything(), ranges),
            self._accepted(ranges, *REMOVED),
            self._unknown(ranges, *REMOVED),
        )
        for shared, ended, doubted in zip(*columns, strict=True):
            yield Change(EMPTY, EMPTY, part(shared, ended).both, part(shared, doubted).both)


class ResendReader(ChangeReader):
    """The same, with what was sent again and not accepted among what is in doubt."""

    def read(self, ranges: int) -> Iterator[Change]:
        missed = self._together(
            {each: Intervals.everything().without(self._told.accepted(each, self._kind)) for each in ADDED},
            ranges,
        )
        for change, more in zip(super().read(ranges), missed, strict=True):
            yield dataclasses.replace(change, doubted=both(more, change.doubted))


def both(one: pa.Array, other: pa.Array) -> pa.Array:
    return union([one, other]) if len(other) else one
