"""Takes away what is kept long enough by the settings: plans, dead letters, runs, receipts.

Of an audience only while its lease is held, and after a look that its ledger is whole as it was committed:
what goes is older than that look, and in the ledger. What an unfinished run or a waiting plan needs stays,
and so do the newest run of each export and the newest that came into a ledger.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from cdp_core.errors import CdpError
from cdp_core.model.access import Actor
from cdp_core.model.delivery import AudienceKey, BatchStatus, Operation
from cdp_core.model.retention import Forgone, Purged
from cdp_core.model.run import Run, RunStatus
from cdp_core.runner.approval import as_it_stands
from cdp_core.runner.erased import Places
from cdp_core.runner.services import Services
from cdp_core.runner.watch import LeaseWatch
from cdp_core.store.processes import this_process

_HELD = (BatchStatus.ACCEPTED, BatchStatus.UNKNOWN)


class Purging:
    def __init__(self, services: Services, actor: Actor) -> None:
        self._services = services
        self._state = services.state
        self._actor = actor
        self._retention = services.workspace.settings.retention

    def all(self, now: datetime, *, dry_run: bool) -> Purged:
        """Audiences that somebody works on, or whose ledgers are not whole, are left for the next time."""
        purges = self._state.purges
        done = Purged(skipped={}, dry_run=dry_run)
        if old := self._retention.before("receipts", now):
            done = replace(
                done,
                erasures=purges.erasures(old, dry_run=dry_run),
                withdrawals=purges.withdrawals(old, dry_run=dry_run),
            )
        if old := self._retention.before("dead_letters", now):
            done = replace(done, dead_letters=purges.dead_letters(old, dry_run=dry_run))
        skipped = dict[str, str]()
        for audience in Places(self._services).audiences():
            try:
                plans, runs = self._of(audience, now, dry_run=dry_run)
            except CdpError as fault:
                skipped[str(audience)] = f"{fault.code}: {fault.message}"
                continue
            done = replace(done, plans=done.plans + plans, runs=done.runs + runs)
        done = replace(done, skipped=skipped)
        if not dry_run:
            purges.made(now, self._actor.real, done)
        return done

    def _of(self, audience: AudienceKey, now: datetime, *, dry_run: bool) -> tuple[int, int]:
        """How many plans and runs go of one audience."""
        holder = this_process(person=self._actor.real)
        with LeaseWatch(self._state, audience, holder, threading.Event()):
            self._services.ledgers.require_current()
            runs = self._state.runs.on(audience)
            if not any(run.started_at < (self._oldest(now) or run.started_at) for run in runs):
                return 0, 0
            self._services.ledgers.verify(self._state.ledgers.current(audience).files)
            needed = self._needed(audience, runs)
            plans = self._plans(runs, needed, now, dry_run=dry_run)
            return len(plans), self._runs(audience, runs, needed, plans, now, dry_run=dry_run)

    def _oldest(self, now: datetime) -> datetime | None:
        """What began after that is kept whatever it is."""
        bounds = [self._retention.before(what, now) for what in ("plans", "history")]
        return max((bound for bound in bounds if bound is not None), default=None)

    def _needed(self, audience: AudienceKey, runs: Sequence[Run]) -> frozenset[str]:
        """Runs that somebody goes on with, or settles."""
        open_ones = {run.id for run in self._state.runs.unfinished(audience)}
        open_ones |= {run.id for run in runs if run.ended_at is None}
        open_ones |= {run.id for run in runs if as_it_stands(self._state, run).status is RunStatus.WAITING}
        by_plan = {run.plan_id for run in runs if run.id in open_ones and run.plan_id}
        return frozenset(open_ones | by_plan)

    def _plans(
        self, runs: Sequence[Run], needed: Collection[str], now: datetime, *, dry_run: bool
    ) -> frozenset[str]:
        """The plans that go; those that are gone already are no more counted."""
        old = self._retention.before("plans", now)
        going = set()
        for run in runs if old else ():
            for plan in self._state.plans.of_run(run.id):
                if plan.id in needed or plan.run_id in needed or (old and plan.created_at >= old):
                    continue
                if self._services.ledgers.has_plan(plan):
                    going.add(plan.id)
                    if not dry_run:
                        self._services.ledgers.drop_plan(plan.folder)
        return frozenset(going)

    def _runs(
        self,
        audience: AudienceKey,
        runs: Sequence[Run],
        needed: Collection[str],
        plans: Collection[str],
        now: datetime,
        *,
        dry_run: bool,
    ) -> int:
        old = self._retention.before("history", now)
        if old is None:
            return 0
        committed = {run.id for run in self._state.runs.committed(audience)}
        kept = set(needed) | self._state.purges.with_receipts(self._retention.before("receipts", now))
        # The oldest come first: the last one of each stays.
        kept.update({run.export_id: run.id for run in runs}.values())
        kept.update({run.export_id: run.id for run in runs if run.id in committed}.values())
        kept |= {run.id for run in runs if (run.ended_at or now) >= old}
        kept |= {run.id for run in runs if self._has_plan(run, plans)}
        # A run that delivered what another had planned needs the other.
        planned_by = {run.id: run.plan_id for run in runs if run.id in kept}
        kept |= {plan_id.removesuffix("-owed") for plan_id in planned_by.values() if plan_id}
        going = [run for run in runs if run.id not in kept]
        if going and not dry_run:
            standing = [run for run in going if run.id in committed]
            more = self._forgone(standing) if standing else None
            self._state.purges.drop_runs(audience, [run.id for run in going], more)
        return len(going)

    def _has_plan(self, run: Run, going: Collection[str]) -> bool:
        plans = (plan for plan in self._state.plans.of_run(run.id) if plan.id not in going)
        return any(map(self._services.ledgers.has_plan, plans))

    def _forgone(self, runs: Sequence[Run]) -> Forgone:
        counts = dict.fromkeys(Operation, 0)
        for run in runs:
            for outcome in self._state.journal.outcomes(run.id):
                if outcome.status in _HELD:
                    counts[outcome.range.operation] += outcome.range.count
        return Forgone(
            runs=len(runs),
            added=counts[Operation.ADD],
            removed=counts[Operation.REMOVE],
            until=max(run.started_at for run in runs),
        )
