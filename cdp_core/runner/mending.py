"""Mends an audience's ledger, under its lease: rebuilt from the runs' plans and receipts, or given up.

A ledger is what the receipts of its runs, taken in the order of their commits, have made of their plans;
so the same steps once more make the same claims, but for what a lost plan or a late answer changes.
Nothing is deleted: files that are out of use, corrupt or not ours go to a folder beside.
"""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from cdp_core.errors import Code, GateFault, InvalidFault
from cdp_core.model.access import Actor
from cdp_core.model.delivery import AudienceKey, BatchStatus, Operation
from cdp_core.model.ledger import LedgerFile
from cdp_core.model.run import Run, RunStatus
from cdp_core.pipeline import ledger
from cdp_core.pipeline.disk import link, private_folder, writing
from cdp_core.pipeline.plan import Plan
from cdp_core.pipeline.seal import Seal
from cdp_core.runner.dead import DIED
from cdp_core.runner.ledger_store import Aside, LedgerStore, sync_folders
from cdp_core.runner.watch import LeaseWatch
from cdp_core.store.processes import this_process
from cdp_core.store.state import State
from cdp_core.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class LostRun:
    """A run whose plan is gone: how many digests it added and removed, or perhaps did, and no more. Of runs
    that were purged, `run` says how many and until when."""

    run: str
    added: int
    removed: int
    purged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilding:
    """What a rebuilt ledger would hold. `files` lie in a folder that goes when the rebuilding ends."""

    runs: int
    files: tuple[LedgerFile, ...]
    lost: tuple[LostRun, ...]


class Mending:
    """The ledger of one audience, whose lease is held within `under_lease`."""

    def __init__(
        self,
        *,
        workspace: Workspace,
        state: State,
        seal: Seal,
        store: LedgerStore,
        audience: AudienceKey,
        actor: Actor,
    ) -> None:
        self._seal = seal
        self._workspace = workspace
        self._state = state
        self._audience = audience
        self._actor = actor
        self._store = store

    @contextmanager
    def under_lease(self) -> Iterator[None]:
        """Raises `HeldFault` where a run has it."""
        holder = this_process(person=self._actor.real)
        with LeaseWatch(self._state, self._audience, holder, threading.Event()) as self._watch:
            self._store.require_current()
            yield

    @contextmanager
    def replayed(self) -> Iterator[Rebuilding]:
        """Everything that the receipts tell, in files of their own."""
        # One name for an audience, so that what a killed rebuilding left goes with the next one.
        name = hashlib.sha256(str(self._audience).encode()).hexdigest()[:16]
        into = self._workspace.scratch_folder / f"rebuild-{name}"
        shutil.rmtree(into, ignore_errors=True)
        with writing(into):
            private_folder(into)
        self._into = into
        try:
            files: tuple[LedgerFile, ...] = ()
            lost: list[LostRun] = []
            if gone := self._state.purges.forgone(self._audience):
                said = f"{gone.runs:,} until {gone.until:%Y-%m-%d}"
                lost.append(LostRun(run=said, added=gone.added, removed=gone.removed, purged=True))
            runs = self._state.runs.committed(self._audience)
            for run in runs:
                if run.plan_id is None:
                    files = tuple(file for file in files if file.export_id != run.export_id)
                    continue
                plan = self._plan(run)
                outcomes = self._state.journal.outcomes(run.id)
                if plan is None:
                    lost.append(self._lost(run))
                    files = ledger.emptied(into, files, outcomes, self._seal)
                    continue
                files = ledger.apply(into, files, plan, outcomes, export_id=run.export_id, replay=True)
            lost += [self._lost(run) for run in self._beyond_settling()]
            yield Rebuilding(runs=len(runs), files=files, lost=tuple(lost))
        finally:
            shutil.rmtree(into, ignore_errors=True)

    def take(self, rebuilding: Rebuilding) -> Aside:
        """Make what was replayed the audience's ledger, and move the old files aside."""
        for file in rebuilding.files:
            path = self._store.folder / file.path
            with writing(path):
                private_folder(path.parent)
                link(self._into / file.path, path)
        sync_folders(self._store.folder, (file.path for file in rebuilding.files))
        self._store.keep(rebuilding.files)
        with self._store.moving_aside(self._state.ledgers.current(self._audience).files) as aside:
            self._state.ledgers.mend(
                self._watch.lease,
                self._audience,
                rebuilding.files,
                given_up=[_given_up(run) for run in self._beyond_settling()],
            )
        return aside

    def give_up(self) -> Aside:
        """Forget every claim and receipt of the audience; its files are moved aside."""
        with self._store.moving_aside(self._state.ledgers.current(self._audience).files) as aside:
            self._state.ledgers.mend(
                self._watch.lease,
                self._audience,
                (),
                given_up=[_given_up(run) for run in self._state.runs.unfinished(self._audience)],
                forget=True,
            )
        return aside

    def _plan(self, run: Run) -> Plan | None:
        try:
            return self._store.open_plan(self._state.plans.get(str(run.plan_id)))
        except (GateFault, InvalidFault) as fault:
            if fault.code in (Code.PLAN_DIFFERS, Code.PLAN_UNKNOWN):
                return None
            raise

    def _beyond_settling(self) -> list[Run]:
        """Runs that died, have sent something, and whose plan is gone: the next run cannot settle them."""
        left = self._state.runs.unfinished(self._audience)
        return [run for run in left if self._state.journal.batches(run.id) and self._plan(run) is None]

    def _lost(self, run: Run) -> LostRun:
        told = (BatchStatus.ACCEPTED, BatchStatus.UNKNOWN)
        counts = dict.fromkeys(Operation, 0)
        for outcome in self._state.journal.outcomes(run.id):
            if outcome.status in told:
                counts[outcome.range.operation] += outcome.range.count
        return LostRun(run=run.id, added=counts[Operation.ADD], removed=counts[Operation.REMOVE])


def claims(files: Sequence[LedgerFile]) -> int:
    return sum(file.claims for file in files)


def _given_up(run: Run) -> Run:
    return dataclasses.replace(
        run,
        status=RunStatus.FAILED,
        ended_at=run.ended_at or datetime.now(UTC),
        error_code=run.error_code or str(Code.INTERRUPTED),
        error=run.error or DIED,
    )
