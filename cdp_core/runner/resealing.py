"""Writes the ledgers and plans that there are anew, encrypted or plain, audience by audience under its lease.

Killed anywhere, what has been committed is of the new form and the rest of the old one; the same command
once more finishes it. Files of the old form are deleted, since they are what nobody is to read any more.
"""

from __future__ import annotations

import shutil
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cdp_core.errors import CdpError
from cdp_core.model.access import Actor
from cdp_core.model.delivery import AudienceKey
from cdp_core.model.journal import PlanRecord
from cdp_core.pipeline import ledger
from cdp_core.pipeline.plan import Plan
from cdp_core.pipeline.seal import Seal, is_encrypted
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

    def __init__(self, workspace: Workspace, state: State, seal: Seal, actor: Actor) -> None:
        self._workspace = workspace
        self._state = state
        self._seal = seal
        self._actor = actor

    def all(self, progress: Callable[[AudienceKey], None] = lambda audience: None) -> Resealed:
        """Raises `HeldFault` where a run has an audience, `GateFault` where a file is not what was committed
        or does not open."""
        done = Resealed()
        for audience in sorted({*self._state.runs.audiences(), *self._audiences_with_ledger()}):
            progress(audience)
            holder = this_process(person=self._actor.real)
            with LeaseWatch(self._state, audience, holder, threading.Event()) as watch:
                done += self._ledger(watch, audience)
                done += self._plans(audience)
        if not self._state.leases.holders():
            self._sweep()
        return done

    def _sweep(self) -> None:
        """Take away what a killed command has left of the old form. While nobody holds an audience, what no
        list names is nobody's; else the runs' own sweeping takes it in a day."""
        folder, named = self._workspace.ledger_folder, self._state.ledgers.referenced()
        for path in folder.rglob("*.parquet"):
            if path.relative_to(folder).as_posix() not in named and is_encrypted(path) != self._seal.encrypts:
                path.unlink()
        kept = self._state.plans.folders()
        for path in self._workspace.plans_folder.iterdir():
            if path.is_dir() and path.name not in kept:
                shutil.rmtree(path, ignore_errors=True)

    def _audiences_with_ledger(self) -> tuple[AudienceKey, ...]:
        return tuple(version.audience for version in self._state.ledgers.all())

    def _ledger(self, watch: LeaseWatch, audience: AudienceKey) -> Resealed:
        folder = self._workspace.ledger_folder
        before = self._state.ledgers.current(audience).files
        ledger.verify(folder, before)
        after = ledger.written_anew(folder, before, self._seal)
        if after == before:
            return Resealed()
        self._state.ledgers.mend(watch.lease, audience, after)
        old = {file.path for file in before} - {file.path for file in after}
        for path in old:
            (folder / path).unlink(missing_ok=True)
        return Resealed(files=len(old))

    def _plans(self, audience: AudienceKey) -> Resealed:
        done = Resealed()
        for run in self._state.runs.on(audience):
            for record in self._state.plans.of_run(run.id):
                done += self._plan(record)
        return done

    def _plan(self, record: PlanRecord) -> Resealed:
        folder = self._workspace.plans_folder / record.folder
        if all(is_encrypted(file) == self._seal.encrypts for file in _digests(folder)):
            return Resealed()
        try:
            plan = Plan.open(folder, record.sha256, self._seal)
        except CdpError:
            # A spoilt plan is good for nothing; what is plain of it must not stay where that was the wish.
            shutil.rmtree(folder, ignore_errors=True)
            return Resealed(spoilt=1)
        name = f"{record.id}.{uuid.uuid4().hex[:8]}"
        written = plan.written_anew(self._workspace.plans_folder / name, self._seal)
        self._state.plans.moved(record.id, folder=name, sha256=written.sha256)
        shutil.rmtree(folder, ignore_errors=True)
        return Resealed(plans=1)


def _digests(folder: Path) -> tuple[Path, ...]:
    return tuple(folder.rglob("*.parquet"))
