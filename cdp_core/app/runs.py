"""Runs, looked at one by one: what was read, every batch, and what the service said to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cdp_core.app.desk import Desk, act
from cdp_core.app.views import RunDetails, RunReport
from cdp_core.errors import CdpError
from cdp_core.model.access import Action, Resource
from cdp_core.model.run import Run
from cdp_core.runner.dead import as_they_stand
from cdp_core.runner.outcome import exit_status, notes
from cdp_core.runner.runner import Runner


class Runs:
    """Each act takes a run's id, or the beginning of one that no other has."""

    def __init__(self, desk: Desk, runner: Runner) -> None:
        self.desk = desk
        self._runner = runner

    def resource(self, name: str, arguments: Mapping[str, Any]) -> Resource:
        """The export that ran; where no run is found, the act itself says so."""
        try:
            return Resource(kind="export", name=self.desk.state.runs.get(name).export_name)
        except CdpError:
            return Resource(kind="export", name=name)

    @act(Action.EXPORT_SHOW_RUN)
    def show(self, run: str) -> RunDetails:
        """A run and its batches, in the order in which they were opened."""
        found = self._found(run)
        return RunDetails(report=self._as_report(found), batches=self.desk.state.journal.batches(found.id))

    def _found(self, run: str) -> Run:
        state = self.desk.state
        (found,) = as_they_stand(state, [state.runs.get(run)])
        self.desk.note(run=found.id)
        return found

    def _as_report(self, run: Run) -> RunReport:
        folder = self._runner.plan_folder(run.plan_id) if run.plan_id else None
        return RunReport(
            run=run,
            exit_status=exit_status(run),
            notes=notes(run),
            plan_folder=str(folder) if folder else None,
        )
