"""Writes the ledgers and plans that there are anew, encrypted or plain, audience by audience under its lease.

Killed anywhere, what has been committed is of the new form and the rest of the old one; the same command
once more finishes it. Files of the old form are deleted, since they are what nobody is to read any more.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cdp_core.errors import GateFault
from cdp_core.model.access import Actor
from cdp_core.model.delivery import AudienceKey
from cdp_core.model.journal import PlanRecord
from cdp_core.pipeline import ledger
from cdp_core.pipeline.seal import Seal, is_encrypted
from cdp_core.runner.ledger_store import LedgerStore
from cdp_core.runner.watch import LeaseWatch
from cdp_core.store.processes import this_process
from cdp_core.store.state import State
from cdp_core.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Resealed:
    """How many ledger files and plans were written anew, and how many of all there are not: plans that are
    gone or spoilt, which nothing reads any more."""

    files: int = 0
    plans: int = 0
    spoilt: int = 0

    def __add__(self, other: Resealed) -> Resealed:
        return Resealed(
            files=self.files + other.files,
            plans=self.plans + other.plans,
            spoilt=self.spoilt + other.spoilt,
        )


class Resealing:
    """`seal` reads what there is and says how it is written from now on."""

    def __init__(
        self, workspace: Workspace, state: State, seal: Seal, store: LedgerStore, actor: Actor
    ) -> None:
        self._workspace = workspace
        self._state = state
        self._seal = seal
        self._store = store
        self._actor = actor

    def all(self, progress: Callable[[AudienceKey], None] = lambda audience: None) -> Resealed:
        """Raises `HeldFault` where a run has an audience, `GateFault` where a file is not what was committed
        or does not open."""
        done = Resealed()
        for audience in sorted({*self._state.runs.audiences(), *self._audiences_with_ledger()}):
            progress(audience)
            holder = this_process(person=self._actor.real)
            with LeaseWatch(self._state, audience, holder, threading.Event()) as watch:
                self._store.require_current()
                done += self._ledger(watch, audience)
                done += self._plans(audience)
        # What a killed command has left of the old form; else the runs' own sweeping takes it in a day.
        if not self._state.leases.holders():
            self._store.sweep_other_form()
        return done

    def _audiences_with_ledger(self) -> tuple[AudienceKey, ...]:
        return tuple(version.audience for version in self._state.ledgers.all())

    def _ledger(self, watch: LeaseWatch, audience: AudienceKey) -> Resealed:
        before = self._state.ledgers.current(audience).files
        self._store.verify(before)
        after = ledger.written_anew(self._store.folder, before, self._seal)
        if after == before:
            return Resealed()
        self._store.keep(after)
        self._state.ledgers.mend(watch.lease, audience, after)
        old = [file for file in before if file not in after]
        self._store.drop(old)
        return Resealed(files=len(old))

    def _plans(self, audience: AudienceKey) -> Resealed:
        done = Resealed()
        for run in self._state.runs.on(audience):
            for record in self._state.plans.of_run(run.id):
                done += self._plan(record)
        return done

    def _plan(self, record: PlanRecord) -> Resealed:
        if not self._store.has_plan(record):
            return Resealed()
        try:
            plan = self._store.open_plan(record)
        except GateFault:
            if self._is_of_the_form(self._store.plan_folder(record)):
                return Resealed()
            # A spoilt plan is good for nothing; what is plain of it must not stay where that was the wish.
            self._store.drop_plan(record.folder)
            return Resealed(spoilt=1)
        if self._is_of_the_form(plan.folder):
            return Resealed()
        name = f"{record.id}.{uuid.uuid4().hex[:8]}"
        written = plan.written_anew(self._workspace.plans_folder / name, self._seal)
        self._store.keep_plan(written.folder)
        self._state.plans.moved(record.id, folder=name, sha256=written.sha256)
        self._store.drop_plan(record.folder)
        return Resealed(plans=1)

    def _is_of_the_form(self, folder: Path) -> bool:
        return all(is_encrypted(file) == self._seal.encrypts for file in folder.rglob("*.parquet"))
