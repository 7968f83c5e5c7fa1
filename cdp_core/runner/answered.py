"""Which batch of a run carried one digest of its plan, and what became of it there."""

from __future__ import annotations

from collections.abc import Iterable

from cdp_core.model.delivery import BatchStatus, Operation
from cdp_core.model.journal import BatchRecord


def batch_at(
    batches: Iterable[BatchRecord], operation: Operation, kind: str, place: int, *, again: bool
) -> BatchRecord | None:
    """`place` is the digest's, from 0, in the part of the plan that the operation sends. Of a batch that was
    halved, the half that the digest was in counts, and so on."""
    carried = [
        batch
        for batch in batches
        if (batch.range.operation, batch.range.kind, batch.range.again) == (operation, kind, again)
        and _covers(batch.range.start, batch.range.count, place)
    ]
    return min(carried, key=lambda batch: (batch.range.count, -batch.number), default=None)


def status_at(batch: BatchRecord, place: int) -> BatchStatus:
    """What became of the digest in its batch."""
    left_out = [each for each in batch.left_out if _covers(each.range.start, each.range.count, place)]
    return left_out[-1].status if left_out else batch.status


def _covers(start: int, count: int, place: int) -> bool:
    return start <= place < start + count
