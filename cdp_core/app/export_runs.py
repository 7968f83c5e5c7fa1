"""Exports at work: planned, run, sent again, looked back on."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Collection, Mapping
from typing import Any

from cdp_core.app.desk import Desk, act
from cdp_core.app.views import RunReport
from cdp_core.model.access import Action, Resource
from cdp_core.model.configuration import Connection
from cdp_core.model.delivery import Audience
from cdp_core.model.gates import Finding, Gate
from cdp_core.model.run import Run, RunEvent
from cdp_core.runner.dead import as_they_stand
from cdp_core.runner.outcome import exit_status, notes
from cdp_core.runner.runner import Runner


class ExportRuns:
    def __init__(self, desk: Desk, runner: Runner) -> None:
        self.desk = desk
        self._runner = runner

    def resource(self, name: str, arguments: Mapping[str, Any]) -> Resource:
        state = self.desk.state
        if "connection" in arguments:
            found = (c for c in state.connections.all() if c.name == arguments["connection"])
            return Resource(kind="export", name=name, shared_with=_sharing(next(found, None)))
        export = next((e for e in state.exports.all() if e.name == name), None)
        if export is None or export.connection_id is None:
            return Resource(kind="export", name=name)
        connection = state.connections.by_id(export.connection_id)
        return Resource(kind="export", name=name, shared_with=connection.shared_with)

    @act(Action.EXPORT_PLAN)
    def plan(self, name: str, *, progress: Callable[[RunEvent], None] | None = None) -> RunReport:
        """A run that stops before anything is sent; the plan stays on disk."""
        export = self.desk.state.exports.get(name)
        run = self._runner.plan(export, self.desk.actor, progress)
        # The service was not asked; which audience it would be is known.
        run = dataclasses.replace(run, audience=Audience(id=self._runner.audience_of(export).audience_id))
        return self._report(run, self._runner.findings(export, run))

    @act(Action.EXPORT_RUN)
    def run(
        self,
        name: str,
        *,
        plan: str | None = None,
        progress: Callable[[RunEvent], None] | None = None,
        stop: threading.Event | None = None,
        meant: Collection[Gate] = (),
        agreed: bool = False,
    ) -> RunReport:
        """Bring the audience up to today's segments; `plan` delivers that plan as it is, or not at all.

        Setting `stop` ends it after the batches in flight. The gates in `meant` do not stop it. Raises
        `UsageFault` where the audience is to be emptied first and that is not `agreed` to.
        """
        export = self.desk.state.exports.get(name)
        self._note_meant(meant)
        run = self._runner.run(
            export,
            self.desk.actor,
            plan_id=plan,
            progress=progress,
            stop=stop or threading.Event(),
            meant=meant,
            agreed=agreed,
        )
        return self._report(run, self._runner.findings(export, run, meant))

    @act(Action.EXPORT_RESYNC)
    def resync(
        self,
        name: str,
        *,
        progress: Callable[[RunEvent], None] | None = None,
        stop: threading.Event | None = None,
        meant: Collection[Gate] = (),
    ) -> RunReport:
        """A run that also sends again what the ledger says is there, as far as today's rules allow it."""
        export = self.desk.state.exports.get(name)
        self._note_meant(meant)
        run = self._runner.resync(
            export, self.desk.actor, progress=progress, stop=stop or threading.Event(), meant=meant
        )
        return self._report(run, self._runner.findings(export, run, meant))

    @act(Action.EXPORT_HISTORY)
    def history(self, name: str, *, limit: int = 20) -> tuple[RunReport, ...]:
        """The last runs, newest first. An export that was removed keeps its history under its name.

        A run whose process died is shown as failed, though only the next run will write that down.
        """
        runs = self.desk.state.runs
        export = next((e for e in self.desk.state.exports.all() if e.name == name), None)
        found = runs.of_export(export.id, limit) if export else runs.of_name(name, limit)
        if not export and not found:
            self.desk.state.exports.get(name)
        return tuple(self._as_report(run) for run in as_they_stand(self.desk.state, found))

    def _note_meant(self, meant: Collection[Gate]) -> None:
        if meant:
            self.desk.note(meant=sorted(gate.flag for gate in meant if gate.flag))

    def _report(self, run: Run, found: tuple[Finding, ...]) -> RunReport:
        self.desk.note(run=run.id, plan=run.plan_id, status=str(run.status))
        return self._as_report(run, found)

    def _as_report(self, run: Run, found: tuple[Finding, ...] = ()) -> RunReport:
        folder = self._runner.plan_folder(run.plan_id) if run.plan_id else None
        return RunReport(
            run=run,
            exit_status=exit_status(run),
            gates=found,
            notes=notes(run),
            plan_folder=str(folder) if folder else None,
            mode=self._runner.mode_of(run),
        )


def _sharing(connection: Connection | None) -> frozenset[str] | None:
    return None if connection is None else connection.shared_with
