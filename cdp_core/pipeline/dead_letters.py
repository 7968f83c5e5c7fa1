"""Dead letters: what a plan's outcomes make of the digests that the service refuses when they stand alone.

They are tried again by the next run, in batches of their own, and go away when they are accepted or no
longer wanted: then today's plan does not hold them any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from cdp_core.model.delivery import OF_DIGESTS, BatchRange, BatchStatus, Operation
from cdp_core.model.journal import BatchRecord, DeadLetter, DeadLetterChange
from cdp_core.pipeline.intervals import Intervals
from cdp_core.pipeline.plan import Plan, PlanPart


def change(plan: Plan, batches: Iterable[BatchRecord]) -> DeadLetterChange:
    """From a run's plan and its journal; waiting are those that it should have tried and that were not
    accepted, whether it came to them or not. A plan of the owed removals alone lets all stay."""
    batches = tuple(batches)
    return DeadLetterChange(
        waiting=None if plan.owed_alone else frozenset(_waiting(plan, batches)),
        refused=tuple(
            letter
            for batch in batches
            if batch.status is BatchStatus.DEAD_LETTER
            for letter in _letters(plan, batch)
        ),
    )


def _letters(plan: Plan, batch: BatchRecord) -> Iterator[DeadLetter]:
    for digest in plan.read(batch.range):
        yield DeadLetter(
            operation=batch.range.operation,
            kind=batch.range.kind,
            digest=digest,
            reason=batch.message,
            request_id=batch.request_id,
            http_status=batch.http_status,
            run_id=batch.run_id,
            at=batch.answered_at or datetime.now(UTC),
        )


def _waiting(plan: Plan, batches: tuple[BatchRecord, ...]) -> Iterator[tuple[Operation, str, bytes]]:
    for operation in OF_DIGESTS:
        for kind in plan.kinds:
            file = plan.file(PlanPart.sent(operation, again=True), kind)
            if file is None:
                continue
            for start, end in _not_accepted(file.rows, operation, kind, batches):
                rest = BatchRange(operation=operation, kind=kind, start=start, count=end - start, again=True)
                yield from ((operation, kind, digest) for digest in plan.read(rest))


def _not_accepted(
    rows: int, operation: Operation, kind: str, batches: tuple[BatchRecord, ...]
) -> Iterator[tuple[int, int]]:
    tried, accepted, apart = Intervals(), Intervals(), Intervals()
    tried.add(0, rows)
    for batch in batches:
        about = batch.range
        if about.again and (about.operation, about.kind, batch.status) == (
            operation,
            kind,
            BatchStatus.ACCEPTED,
        ):
            accepted.add(about.start, about.count)
            for each in batch.left_out:
                if each.status is not BatchStatus.LEFT_OUT:
                    apart.add(each.range.start, each.range.count)
    return tried.without(accepted.without(apart)).within(0, rows)
