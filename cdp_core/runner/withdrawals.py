"""The receipt of what a run took out because consent was withdrawn: how many digests, in which requests, and
what the service said to each. Whom it could not take out, the next run does, with a receipt of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc

from cdp_core.model.delivery import BatchStatus, Operation
from cdp_core.model.erasure import WithdrawnBatch
from cdp_core.model.journal import BatchRecord
from cdp_core.model.run import Run
from cdp_core.pipeline.digest_sets import minus
from cdp_core.pipeline.plan import Plan, PlanPart
from cdp_core.pipeline.suppressed import Suppressed
from cdp_core.rules.records import RECORD
from cdp_core.runner.services import Services

_SENT = ((PlanPart.REMOVE, False), (PlanPart.REMOVE_AGAIN, True))


def record_withdrawals(services: Services, run: Run, plan: Plan) -> None:
    """Write it down before the run is committed; of a run that took out nobody for that, nothing.

    What is owed is withdrawn unless it is suppressed. Of whole rows this cannot be told apart: the rows of
    suppressed people are among them, where the export asks for consent.
    """
    if not any(plan.file(PlanPart.OWED, kind) for kind in plan.kinds):
        return
    export = next((each for each in services.state.exports.all() if each.id == run.export_id), None)
    asks = export is not None and services.member_consent(export) is not None
    suppressed = Suppressed(services.state.suppressions.digests().kinds)
    batches = services.state.journal.batches(run.id)
    kinds, removals = dict[str, int](), list[WithdrawnBatch]()
    for kind in plan.kinds if asks else ():
        withdrawn = _withdrawn(plan, kind, suppressed)
        if len(withdrawn):
            kinds[kind] = len(withdrawn)
            removals += _removals(plan, kind, withdrawn, batches)
    if kinds:
        services.state.withdrawals.record(run.id, at=datetime.now(UTC), kinds=kinds, batches=removals)


def _withdrawn(plan: Plan, kind: str, suppressed: Suppressed) -> pa.Array:
    owed = plan.digests(PlanPart.OWED, kind)
    if owed is None:
        return pa.array([], pa.binary(32))
    ranges = owed.ranges
    if kind == RECORD:
        return pa.concat_arrays(list(owed.read(ranges)))
    both = zip(owed.read(ranges), suppressed.read(kind, ranges), strict=True)
    return pa.concat_arrays([minus(mine, barred) for mine, barred in both])


def _removals(
    plan: Plan, kind: str, withdrawn: pa.Array, batches: Iterable[BatchRecord]
) -> Iterator[WithdrawnBatch]:
    for part, again in _SENT:
        digests = plan.digests(part, kind)
        if digests is None:
            continue
        rows = pa.concat_arrays(list(digests.read(digests.ranges)))
        places = pc.indices_nonzero(pc.is_in(rows, value_set=withdrawn))
        for batch in batches:
            about = (batch.range.operation, batch.range.kind, batch.range.again)
            if about == (Operation.REMOVE, kind, again) and batch.status is not BatchStatus.HALVED:
                yield from _of_batch(batch, places)


def _of_batch(batch: BatchRecord, places: pa.Array) -> Iterator[WithdrawnBatch]:
    """What it carried itself, without what it left out for a batch of its own."""
    rest = _within(places, batch.range.start, batch.range.count)
    rest -= sum(_within(places, each.range.start, each.range.count) for each in batch.left_out)
    if rest:
        yield WithdrawnBatch(
            batch=batch.number,
            kind=batch.range.kind,
            digests=rest,
            confirmed=batch.status is BatchStatus.ACCEPTED,
            status=str(batch.status),
            request_id=batch.request_id,
            http_status=batch.http_status,
            message=batch.message,
            sent_at=batch.sent_at,
            answered_at=batch.answered_at,
        )


def _within(places: pa.Array, start: int, count: int) -> int:
    inside = pc.and_(pc.greater_equal(places, start), pc.less(places, start + count))
    return int(inside.true_count)
