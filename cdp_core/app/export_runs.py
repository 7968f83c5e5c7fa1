"""Exports at work: planned, run, sent again, looked back on."""

from __future__ import annotations

import dataclasses
import itertools
import threading
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any

from cdp_core.app.desk import Desk, act
from cdp_core.app.run_views import CancelView, RunReport
from cdp_core.errors import Code, InvalidFault
from cdp_core.model.access import Action, Resource
from cdp_core.model.approval import Asked, asked_of
from cdp_core.model.delivery import Audience
from cdp_core.model.gates import Finding, Gate
from cdp_core.model.names import as_typed
from cdp_core.model.run import Run, RunEvent, RunStatus, Shown
from cdp_core.model.sentence import Sentence
from cdp_core.runner.canceling import ask_to_end, end_of
from cdp_core.runner.dead import as_they_stand
from cdp_core.runner.outcome import exit_status, notes
from cdp_core.runner.rights import about_export
from cdp_core.runner.runner import Runner
from cdp_core.scheduler.job import give_up_waiting


class ExportRuns:
    def __init__(self, desk: Desk, runner: Runner) -> None:
        self.desk = desk
        self._runner = runner

    def resource(self, name: str, arguments: Mapping[str, Any]) -> Resource:
        state = self.desk.state
        export = next((e for e in state.exports.all() if e.name == name), None)
        wanted = frozenset(arguments.get("segments") or ())
        # One that is not there is nobody's, and the act itself tells of it.
        known = {segment.name: segment.id for segment in state.segments.all()} if wanted else {}
        named = {known.get(each, "") for each in wanted}
        if arguments.get("connection") is not None:
            found = next((c for c in state.connections.all() if c.name == arguments["connection"]), None)
            payload = self.desk.catalog.payload_of(found.type) if found else "digests"
            before = export.segment_ids if export else ()
            return Resource(
                kind="export",
                name=name,
                shared_with=None if found is None else found.shared_with,
                payload=payload,
                connection_id=None if found is None else found.id,
                segment_ids=frozenset(before).union(named),
            )
        if export is None:
            spec = self.desk.catalog.destinations.get(arguments.get("destination", ""))
            payload = spec.capabilities.payload if spec else "digests"
            return Resource(kind="export", name=name, payload=payload, segment_ids=frozenset(named))
        return about_export(state, self.desk.catalog, export, segments=named)

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

    @act(Action.EXPORT_CANCEL)
    def cancel(self, name: str, *, within: float = 60.0) -> CancelView:
        """Ask the export's run to end after the batches in flight, whatever process it is in, and wait for
        that so many seconds; a due run that waits to be tried again is given up."""
        state, person = self.desk.state, self.desk.actor.name
        export = state.exports.get(name)
        asked = ask_to_end(state, export, self._runner.audience_of(export), person)
        due = None if asked else give_up_waiting(state, export, person=person, now=self.desk.now())
        if asked is None and due is None:
            raise InvalidFault(
                Code.NOTHING_TO_CANCEL,
                f"no run of {name!r} is under way, and none waits to be tried again",
                hint=f"cdp export history {as_typed(name)}",
            )
        run = None if asked is None else end_of(state, asked, within=within)
        self.desk.note(run=asked.id if asked else None, due_at=due.due_at.isoformat() if due else None)
        return CancelView(export=export.name, run=run, ended=run is None or run.ended_at is not None, due=due)

    @act(Action.EXPORT_HISTORY)
    def history(
        self,
        name: str = "",
        *,
        shown: Collection[Shown] = (),
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 20,
    ) -> tuple[RunReport, ...]:
        """The last runs of an export, or of all, newest first; those alone that stand so, or began in the
        time. An export that was removed keeps its history under its name.

        A run whose process died is shown as failed, though only the next run will write that down.
        """
        state = self.desk.state
        export = next((e for e in state.exports.all() if e.name == name), None)
        by_name = name if name and export is None else None
        if by_name is not None and not state.runs.of_name(by_name, 1):
            state.exports.get(by_name)
        found = state.runs.search(
            export_id=export.id if export else None,
            export_name=by_name,
            since=since,
            until=until,
            statuses=[status for status in RunStatus if status.shown in shown],
            limit=limit,
        )
        stand = (run for run in as_they_stand(state, found) if not shown or run.status.shown in shown)
        return tuple(self._as_report(run) for run in itertools.islice(stand, limit))

    def _note_meant(self, meant: Collection[Gate]) -> None:
        if meant:
            self.desk.note(meant=sorted(gate.flag for gate in meant if gate.flag))

    def _report(self, run: Run, found: tuple[Finding, ...]) -> RunReport:
        self.desk.note(run=run.id, plan=run.plan_id, status=str(run.status))
        return self._as_report(run, found)

    def _as_report(self, run: Run, found: tuple[Finding, ...] = ()) -> RunReport:
        folder = self._runner.plan_folder(run.plan_id) if run.plan_id else None
        asked = self._asked(run)
        return RunReport(
            run=run,
            exit_status=exit_status(run),
            gates=found,
            notes=(*notes(run), *_approval(run, asked)),
            awaits_approval=asked is not None,
            plan_folder=str(folder) if folder else None,
            mode=self._runner.mode_of(run),
        )

    def _asked(self, run: Run) -> Asked | None:
        """What a plan that was only looked at needs before it is delivered."""
        return asked_of(self.desk.state.plans.get(run.plan_id)) if run.dry_run and run.plan_id else None


def _approval(run: Run, asked: Asked | None) -> tuple[str, ...]:
    if asked is None:
        return ()
    return (
        Sentence(
            "Before it is delivered, {number} other people must approve of it: {command}",
            one="Before it is delivered, {number} other person must approve of it: {command}",
            number=asked.people,
            command=f"cdp export approve {run.plan_id}",
        ),
    )
