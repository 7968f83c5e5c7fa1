"""Runs, looked at one by one: what was read, every batch, and what the service said to it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cdp_core.app.desk import Desk, act
from cdp_core.app.rows import require_form, write_rows
from cdp_core.app.run_views import RejectedView, RunDetails, RunReport
from cdp_core.errors import CdpError
from cdp_core.model.access import Action, Resource
from cdp_core.model.configuration import Export
from cdp_core.model.run import Run
from cdp_core.runner.dead import as_they_stand
from cdp_core.runner.outcome import exit_status, notes
from cdp_core.runner.rejected import Rejected
from cdp_core.runner.rights import about_export
from cdp_core.runner.runner import Runner


class Runs:
    """Each act takes a run's id, or the beginning of one that no other has."""

    def __init__(self, desk: Desk, runner: Runner) -> None:
        self.desk = desk
        self._runner = runner

    def resource(self, name: str, arguments: Mapping[str, Any]) -> Resource:
        """The export that ran, shared as its connection is; where no run is found, the act itself says so."""
        state = self.desk.state
        try:
            run = state.runs.get(name)
        except CdpError:
            return Resource(kind="export", name=name)
        export = self._export_of(run)
        if export is None:
            return Resource(kind="export", name=run.export_name)
        return about_export(state, self.desk.catalog, export)

    @act(Action.EXPORT_SHOW_RUN)
    def show(self, run: str) -> RunDetails:
        """A run and its batches, in the order in which they were opened."""
        found = self._found(run)
        return RunDetails(report=self._as_report(found), batches=self.desk.state.journal.batches(found.id))

    @act(Action.EXPORT_REJECTED)
    def rejected(self, run: str, *, output: str | Path, overwrite: bool = False) -> RejectedView:
        """Write what the service refused, with the keys of the rows that yield it today and no raw
        identifier, to a file whose name says the form: .csv, .ndjson, .jsonl or .parquet."""
        found, path = self._found(run), Path(output).absolute()
        require_form(path)
        rows = self._runner.rejected(found, self._export_of(found))
        write_rows(
            path,
            [field.name for field in dataclasses.fields(Rejected)],
            [dataclasses.asdict(row) for row in rows],
            overwrite=overwrite,
        )
        digests = {(row.operation, row.kind, row.digest) for row in rows}
        without = {(row.operation, row.kind, row.digest) for row in rows if row.key is None}
        self.desk.note(output=str(path), digests=len(digests))
        return RejectedView(
            run=found.id, output=str(path), rows=len(rows), digests=len(digests), without_key=len(without)
        )

    def _export_of(self, run: Run) -> Export | None:
        return next((each for each in self.desk.state.exports.all() if each.id == run.export_id), None)

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
            mode=self._runner.mode_of(run),
        )
