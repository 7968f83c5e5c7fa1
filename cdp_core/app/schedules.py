"""Schedules: when exports run by themselves, and the scheduler that runs them then."""

from __future__ import annotations

import dataclasses
import itertools
import threading
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import Any

from cdp_core.alerts.alerting import Alerting
from cdp_core.alerts.sender import Sender
from cdp_core.app.desk import Desk, act
from cdp_core.app.export_runs import ExportRuns
from cdp_core.app.retention import Upkeep
from cdp_core.app.run_views import ExportScheduleView, RefreshView, ScheduleView
from cdp_core.errors import CdpError, Code, ExitStatus, InvalidFault, NotAllowedFault, UsageFault
from cdp_core.model.access import Action, Resource
from cdp_core.model.configuration import Export
from cdp_core.model.names import as_typed
from cdp_core.model.run import Run, RunEvent, RunStatus
from cdp_core.model.schedule import DueRun, Recurrence, Schedule
from cdp_core.rules.recurrence import in_words, moments
from cdp_core.runner.profiles import Profiles
from cdp_core.runner.repeating import Repeating
from cdp_core.runner.runner import Runner
from cdp_core.scheduler.calendar import Calendar, Due
from cdp_core.scheduler.job import Ended, Job
from cdp_core.scheduler.loop import Loop
from cdp_core.store.state import State
from cdp_core.telemetry.telemetry import Telemetry

NEXT_SHOWN = 5


class Schedules:
    def __init__(
        self,
        desk: Desk,
        *,
        exports: ExportRuns,
        profiles: Profiles,
        runner: Runner,
        alerting: Alerting,
        telemetry: Telemetry | None,
        upkeep: Callable[[], Upkeep],
    ) -> None:
        self.desk = desk
        self._exports = exports
        self._profiles = profiles
        self._runner = runner
        self._alerting = alerting
        self._telemetry = telemetry
        self._upkeep = upkeep

    def resource(self, name: str, arguments: Mapping[str, Any]) -> Resource:
        """An act with a name is about the export of that name, and its connection."""
        return self._exports.resource(name, {}) if name else Resource(kind="schedule", name="refresh")

    @act(Action.SCHEDULE_SHOW)
    def show(self) -> ScheduleView:
        return self._shown()

    @act(Action.SCHEDULE_SET)
    def set(self, *, recurrence: Recurrence, for_all: bool = False) -> ScheduleView:
        """Set the refresh's schedule, and switch it on. Exports keep their own recurrences; with `for_all`
        every export follows the refresh from now on."""
        state = self.desk.state
        before = state.schedules.refresh()
        with state.transaction():
            state.schedules.set_refresh(self._stamped(Schedule(recurrence=recurrence)))
            if for_all:
                state.schedules.follow_refresh()
        self.desk.note(before=_described(before), after=recurrence.as_dict(), for_all=for_all)
        return self._shown()

    @act(Action.SCHEDULE_SWITCH)
    def switch(self, *, active: bool) -> ScheduleView:
        """Switch the refresh off, or on again as it was set."""
        state = self.desk.state
        before = state.schedules.refresh()
        if active and before.recurrence is None:
            raise InvalidFault(
                Code.SCHEDULE_INVALID,
                "the refresh has no schedule to switch on",
                hint="cdp schedule set --daily 02:00 --timezone Europe/Amsterdam",
            )
        state.schedules.set_refresh(self._stamped(dataclasses.replace(before, active=active)))
        self.desk.note(before=before.active, after=active)
        return self._shown()

    @act(Action.EXPORT_SCHEDULE)
    def schedule_export(
        self,
        name: str,
        *,
        recurrence: Recurrence | None = None,
        follow_refresh: bool = False,
        active: bool | None = None,
    ) -> ExportScheduleView:
        """Give an export a recurrence of its own, or let it follow the refresh; switch it off, or on again
        as it was. Whatever is said also ends a pause."""
        state = self.desk.state
        export = state.exports.get(name)
        before = state.schedules.of(export.id)
        after = dataclasses.replace(before, paused=None, paused_at=None)
        if recurrence is not None or follow_refresh:
            after = dataclasses.replace(after, recurrence=recurrence, active=True)
        if active is not None:
            after = dataclasses.replace(after, active=active)
        state.schedules.set(export.id, self._stamped(after))
        self.desk.note(before=_described(before), after=_described(after))
        return self._view(export, self.desk.now())

    @act(Action.SCHEDULER_START)
    def start(
        self, *, loop: Callable[[Calendar], Loop], stop: threading.Event, once: bool = False
    ) -> ExitStatus:
        """Run what is due until `stop` is set, send the alerts that wait, and purge once a day; with `once`,
        what is due now, and no more."""
        made = loop(Calendar(self.desk.state))
        if once:
            status = made.once(stop)
            self._alerting.send_waiting(self.desk.now())
            self._upkeep().once()
            return status
        sender = Sender(self._alerting, now=self.desk.now)
        with Repeating("alerts", sender.step), Repeating("upkeep", self._upkeep().step):
            made.forever(stop)
        return ExitStatus.DONE

    @act(Action.SCHEDULER_RUN_DUE)
    def run_due(
        self,
        name: str,
        *,
        due_at: datetime,
        missed: int = 0,
        progress: Callable[[RunEvent], None] | None = None,
        stop: threading.Event | None = None,
    ) -> DueRun | None:
        """Run an export that is due, in its export user's name; None where that has been done already.
        Raises `HeldFault` where another scheduler is at it, and `UsageFault` for a moment that has not come
        yet: kept as done, it would hold up everything that is due before it."""
        state = self.desk.state
        if due_at > self.desk.now():
            raise UsageFault(
                Code.USAGE,
                f"{due_at.isoformat()} has not come yet",
                hint="give the moment at which it was due",
            )
        due = Due(export=state.exports.get(name), due_at=due_at, missed=missed)
        job = Job(
            state,
            due,
            run=lambda stopped: self._run(due, progress, stopped),
            now=self.desk.now,
            window=timedelta(minutes=self._profiles.settings.retry_minutes),
            tell=lambda stands: self._alerting.note(
                due.export, stands, sizes_of(state, self._runner, due.export, whole=True), now=self.desk.now()
            ),
        )
        done = job.do(stop or threading.Event())
        if done is not None:
            self.desk.note(outcome=str(done.outcome), run=done.run_id)
            self._alerting.send_waiting(self.desk.now())
        return done

    def _run(self, due: Due, progress: Callable[[RunEvent], None] | None, stop: threading.Event) -> Ended:
        export = due.export
        desk = Desk.in_name_of(self._export_user(export), self.desk.state, self.desk.catalog)
        # Who gave an export that empties its audience a schedule has agreed to that.
        runs = ExportRuns(desk, self._runner)
        lag = (self.desk.now() - due.due_at).total_seconds()
        with self._telemetry.due(export.name, lag=lag) if self._telemetry else nullcontext():
            report = runs.run(export.name, progress=progress, stop=stop, agreed=True)
        run = report.run
        return Ended(
            exit_status=report.exit_status,
            run_id=run.id,
            skipped=run.status is RunStatus.SKIPPED,
            canceled=run.error_code == str(Code.CANCELED),
            message=f"{run.error_code}: {run.error}" if run.error_code else " ".join(report.notes),
        )

    def _export_user(self, export: Export) -> str:
        connection = self.desk.state.connections.by_id(str(export.connection_id))
        if connection.export_user is None:
            raise NotAllowedFault(
                Code.EXPORT_USER_MISSING,
                "nobody has agreed to read the profiles for runs that nobody starts",
                where=f"connection {connection.name!r}",
                hint=f"cdp connection export-user {as_typed(connection.name)}",
            )
        return connection.export_user

    def _shown(self) -> ScheduleView:
        state, now = self.desk.state, self.desk.now()
        return ScheduleView(
            **dataclasses.asdict(refresh_view(state, now)),
            set_by=state.schedules.refresh().set_by,
            exports=tuple(self._view(export, now) for export in state.exports.all()),
        )

    def _stamped(self, schedule: Schedule) -> Schedule:
        return dataclasses.replace(schedule, since=self.desk.now(), set_by=self.desk.actor.name)

    def _view(self, export: Export, now: datetime) -> ExportScheduleView:
        state = self.desk.state
        schedule = Calendar(state).schedule_of(export)
        recurrence = schedule.recurrence or state.schedules.refresh().recurrence
        return ExportScheduleView(
            export=export.name,
            active=schedule.active,
            attached=export.connection_id is not None,
            follows="refresh" if schedule.recurrence is None else "own",
            when=in_words(recurrence) if recurrence else "",
            cron=recurrence.lines if recurrence else (),
            timezone=recurrence.timezone if recurrence else "",
            next=Calendar(state).upcoming(export, now),
            paused=schedule.paused,
            last=state.due_runs.newest(export.id),
        )


def sizes_of(state: State, runner: Runner, export: Export, *, whole: bool = False) -> tuple[int, ...]:
    """The export's digests in the ledger after each of its runs, the oldest first; `whole`: after those alone
    that sent all of their plan, which make a habit."""
    try:
        audience = runner.audience_of(export)
    except CdpError:  # without a connection, or its plugin, there is none to name
        return ()
    its = (run for run in state.runs.committed(audience) if run.export_id == export.id)
    return tuple(run.claims for run in its if run.claims is not None and (not whole or _is_whole(run)))


def _is_whole(run: Run) -> bool:
    """Not one that failed, was canceled, or sent only what was owed, nor one that gave up its claims."""
    return run.status is RunStatus.COMMITTED and not run.only_released


def refresh_view(state: State, now: datetime) -> RefreshView:
    refresh = state.schedules.refresh()
    recurrence = refresh.recurrence
    coming = moments(recurrence, now) if recurrence and refresh.active else iter(())
    return RefreshView(
        active=refresh.active,
        when=in_words(recurrence) if recurrence else "",
        cron=recurrence.lines if recurrence else (),
        timezone=recurrence.timezone if recurrence else "",
        next=tuple(itertools.islice(coming, NEXT_SHOWN)),
    )


def _described(schedule: Schedule) -> dict[str, Any]:
    recurrence = schedule.recurrence.as_dict() if schedule.recurrence else None
    return {"recurrence": recurrence, "active": schedule.active, "paused": schedule.paused}
