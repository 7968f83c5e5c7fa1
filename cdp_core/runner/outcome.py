"""What a run's end means for the process that ran it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from cdp_core.errors import Code, ExitStatus
from cdp_core.model.accounting import DeliveryCounts
from cdp_core.model.delivery import BatchOutcome, BatchStatus
from cdp_core.model.run import Run, RunStatus
from cdp_core.pipeline.plan import Plan


def exit_status(run: Run) -> ExitStatus:
    """The status that the run's own fault has, else the worst of what became of its digests."""
    if run.error_code is not None:
        return next(code.exit_status for code in Code if str(code) == run.error_code)
    if run.delivered.unknown or (run.delivered.not_sent and not run.dry_run):
        return ExitStatus.TEMPORARY
    if run.delivered.refused:
        return ExitStatus.REFUSALS
    return ExitStatus.DONE


def delivery_counts(
    plan: Plan, outcomes: Iterable[BatchOutcome], *, requests: int, retries: int
) -> DeliveryCounts:
    """What became of a plan's digests."""
    return counted(sum(plan.totals.values()), outcomes, requests=requests, retries=retries)


def counted(planned: int, outcomes: Iterable[BatchOutcome], *, requests: int, retries: int) -> DeliveryCounts:
    """What became of `planned` digests; those that no batch was opened for were not sent."""
    found = Counter(dict.fromkeys(BatchStatus, 0))
    for outcome in outcomes:
        found[outcome.status] += outcome.range.count
    accepted, refused, unknown = (
        found[status] for status in (BatchStatus.ACCEPTED, BatchStatus.REFUSED, BatchStatus.UNKNOWN)
    )
    return DeliveryCounts(
        planned=planned,
        accepted=accepted,
        refused=refused,
        unknown=unknown,
        not_sent=planned - accepted - refused - unknown,
        requests=requests,
        retries=retries,
    )


def notes(run: Run) -> tuple[str, ...]:
    """Sentences for people: what was left, and what happens to it."""
    said = []
    counts = run.delivered
    if run.only_released:
        said.append(
            f"Gave up {run.released:,} claims and left the members in the audience; nothing was sent."
        )
    if run.resumed_from:
        said.append(f"Settled what run {run.resumed_from} had left.")
    if run.status in (RunStatus.COMMITTED, RunStatus.FAILED, RunStatus.CANCELED):
        if counts.refused:
            said.append(f"{counts.refused:,} digests were refused by the service.")
        if counts.unknown:
            said.append(f"{counts.unknown:,} digests got no answer; the next run sends them again.")
        if counts.not_sent:
            said.append(f"{counts.not_sent:,} digests were not sent; the next run plans them anew.")
    return tuple(said)
