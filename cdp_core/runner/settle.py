"""Settles what runs that died have left: what the journal knows of them goes into the ledger.

Their plans are never continued: they may hold people who have withdrawn since. A batch without an
answer makes its digests unknown, and today's plan decides what becomes of those.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime

from cdp_core.errors import Code, GateFault
from cdp_core.model.delivery import AudienceKey
from cdp_core.model.names import as_typed
from cdp_core.model.run import Run, RunStatus, Station
from cdp_core.model.sentence import Sentence
from cdp_core.pipeline import dead_letters, ledger
from cdp_core.runner.dead import DIED, sweep_scratch
from cdp_core.runner.outcome import delivery_counts
from cdp_core.runner.services import Services
from cdp_core.runner.watch import LeaseWatch
from cdp_core.runner.withdrawals import record_withdrawals


def settle(
    services: Services,
    audience: AudienceKey,
    watch: LeaseWatch,
    *,
    settler: str,
    emit: Callable[..., None],
) -> str | None:
    """Settle every unfinished run of the audience, for the run `settler`; gives the id of the newest of
    them that had begun to deliver. Scratch folders of dead runs are swept, other audiences' too."""
    settled = None
    for run in services.state.runs.unfinished(audience):
        emit(Station.SETTLE, "started", note=Sentence("settling what run {run} left", run=run.id))
        # A run can also have ended by its own word and not have reached the ledger.
        sent = bool(services.state.journal.batches(run.id))
        if sent:
            _settle_delivery(services, audience, watch, run, settler)
        else:
            # Nothing of it reached the service. Whom its plan claims or lets go may have changed since: it
            # may have stalled while others ran.
            services.state.runs.save(dataclasses.replace(_died(run), settled_by=settler))
        if sent or run.status is RunStatus.DELIVERING:
            settled = run.id
        emit(Station.SETTLE, "ended")
    services.ledgers.sweep_dead(sweep_scratch(services.state, services.workspace.scratch_folder))
    return settled


def _settle_delivery(
    services: Services, audience: AudienceKey, watch: LeaseWatch, run: Run, settler: str
) -> None:
    record = services.state.plans.get(str(run.plan_id))
    folder = services.ledgers.folder
    files = services.state.ledgers.current(audience).files
    services.ledgers.verify(files)
    try:
        plan = services.ledgers.open_plan(record)
    except GateFault as differs:
        raise GateFault(
            differs.code,
            f"{differs.message}, and run {run.id} has sent batches of it",
            where=differs.where,
            hint="restore it from a backup, or let an Administrator make the ledger without it: cdp ledger "
            f"rebuild {as_typed(run.export_name)}",
        ) from differs
    outcomes = services.state.journal.outcomes(run.id)
    counts = delivery_counts(plan, outcomes, services.state.journal.totals(run.id))
    files = ledger.apply(folder, files, plan, outcomes, export_id=run.export_id)
    services.ledgers.keep(files)
    record_withdrawals(services, run, plan)
    services.state.ledgers.commit(
        watch.lease,
        audience,
        files,
        dataclasses.replace(_died(run), delivered=counts, settled_by=settler),
        dead_letters.change(plan, services.state.journal.batches(run.id)),
    )


def _died(run: Run) -> Run:
    return dataclasses.replace(
        run,
        status=RunStatus.FAILED,
        ended_at=datetime.now(UTC),
        error_code=run.error_code or str(Code.INTERRUPTED),
        error=run.error or DIED,
    )
