"""Moves ledgers, plans and static segments' results: to a URL, from one to another, or back here.

Everything is copied and read back while every audience is held; only then the settings name the new place.
Killed before, nothing has changed; the same command goes on. What lies at the old place stays there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass

from cdp_core.errors import GateFault
from cdp_core.model.access import Actor
from cdp_core.model.delivery import AudienceKey
from cdp_core.pipeline import ledger
from cdp_core.runner.ledger_store import LedgerStore
from cdp_core.runner.remote_store import RemoteStore
from cdp_core.runner.watch import LeaseWatch
from cdp_core.store.processes import this_process
from cdp_core.store.state import State
from cdp_core.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """How many ledger files and plans there are, and how many plans were gone or spoilt before."""

    files: int
    plans: int
    lost: int


class Moving:
    def __init__(
        self, workspace: Workspace, state: State, actor: Actor, *, old: LedgerStore, new: LedgerStore
    ) -> None:
        self._workspace = workspace
        self._state = state
        self._actor = actor
        self._old = old
        self._new = new

    def all(
        self,
        audiences: Iterable[AudienceKey],
        *,
        url: str | None,
        options: Mapping[str, str],
        progress: Callable[[str], None],
    ) -> Moved:
        """`audiences` are those that exports have; raises `HeldFault` where a run has one, `GateFault` where
        a ledger's file is not what was committed."""
        with ExitStack() as held:
            known = {*audiences, *self._state.runs.audiences()}
            known |= {version.audience for version in self._state.ledgers.all()}
            for audience in sorted(known):
                holder = this_process(person=self._actor.real)
                held.enter_context(LeaseWatch(self._state, audience, holder, threading.Event()))
            self._old.require_current()
            if isinstance(self._new, RemoteStore):
                self._new.probe()
            files = self._ledgers(progress)
            self._results()
            plans, lost = self._plans()
            self._workspace.edit({"ledger": {"url": url, "options": dict(options) or None}})
            # Evaluating a segment takes no lease: one that was kept meanwhile lies at the old place.
            self._results()
        return Moved(files=files, plans=plans, lost=lost)

    def _ledgers(self, progress: Callable[[str], None]) -> int:
        count = 0
        for version in self._state.ledgers.all():
            progress(str(version.audience))
            count += len(version.files)
            if isinstance(self._new, RemoteStore) and self._old.where == self._new.where:
                # Only what is not there as it should be has to be here.
                ledger.verify(self._new.folder, self._new.wrong(version.files))
            else:
                self._old.verify(version.files)
            if isinstance(self._new, RemoteStore):
                self._new.bring_over(version.files)
        return count

    def _results(self) -> None:
        """Those of static segments; a lost one makes its segment fail, wherever the ledgers lie."""
        for segment in self._state.segments.all():
            if segment.kept is not None:
                path = self._workspace.segments_folder / segment.kept.path
                if self._old.bring_result(path, segment.kept.sha256):
                    self._new.keep_result(path)
                    if isinstance(self._new, RemoteStore):
                        self._new.require_result(path, segment.kept.sha256)

    def _plans(self) -> tuple[int, int]:
        count = lost = 0
        for record in self._state.plans.all():
            try:
                plan = self._old.open_plan(record)
            except GateFault:
                lost += 1
                continue
            count += 1
            if isinstance(self._new, RemoteStore):
                self._new.bring_plan_over(plan)
        return count, lost
