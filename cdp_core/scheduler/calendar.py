"""What is due: the newest moment of each export that nobody has handled yet.

Moments that passed while no scheduler ran are not made up for one by one: the newest of them stands for
all, and says how many it stands for.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from cdp_core.model.configuration import Export
from cdp_core.model.run import Run, Shown
from cdp_core.model.schedule import DueOutcome, DueRun, Recurrence, Schedule
from cdp_core.rules.recurrence import latest, moments
from cdp_core.store.state import State

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FAULT = re.compile(r"CDP-\d+: ")


def lease_name(export_id: str) -> str:
    """What is held while a due run of an export is under way."""
    return f"schedule of export {export_id}"


def shown_of(state: State, export: Export, last: Run | None, now: datetime) -> Shown | None:
    """How an export stands, given its last run as it stands; None where it has never run."""
    if last is not None and last.status.shown is Shown.PROCESSING:
        return Shown.PROCESSING
    if Calendar(state).queued_since(export, now) is not None:
        return Shown.QUEUED
    return last.status.shown if last else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """An export that is to run now, for the moment `due_at`."""

    export: Export
    due_at: datetime
    missed: int = 0
    attempt: int = 1


class Calendar:
    def __init__(self, state: State) -> None:
        self._state = state

    def due(self, now: datetime) -> tuple[Due, ...]:
        """What is to run now, the longest waiting first."""
        found = (self._due(export, now) for export in self._state.exports.all())
        return tuple(sorted((due for due in found if due is not None), key=lambda due: due.due_at))

    def runs_by_itself(self, export: Export) -> bool:
        """Whether its schedule is on, and it has a connection to run through."""
        return export.connection_id is not None and self._state.schedules.of(export.id).active

    def schedule_of(self, export: Export) -> Schedule:
        """Its schedule as it stands: a run that somebody started and that went through shows that what it was
        paused for is mended."""
        schedule = self._state.schedules.of(export.id)
        if schedule.paused is None or schedule.paused_at is None:
            return schedule
        run = self._state.runs.went_through(export.id, since=schedule.paused_at)
        if run is None:
            return schedule
        return dataclasses.replace(schedule, paused=None, paused_at=None, since=run.started_at)

    def fault_of(self, due: Due, exit_status: int) -> str:
        """By which a due run has ended with that status (`CDP-608: …`); empty where none is written down."""
        newest = self._state.due_runs.newest(due.export.id)
        if newest is None or (newest.due_at, newest.exit_status) != (due.due_at, exit_status):
            return ""
        return newest.message if _FAULT.match(newest.message) else ""

    def upcoming(self, export: Export, now: datetime) -> datetime | None:
        """Its next moment, in the recurrence's zone; None where there is none."""
        schedule = self.schedule_of(export)
        recurrence = self._recurrence(schedule)
        if recurrence is None or schedule.paused or not self.runs_by_itself(export):
            return None
        return next(moments(recurrence, now))

    def queued_since(self, export: Export, now: datetime) -> datetime | None:
        """The moment at which it was due and nobody has begun yet, or which waits to be tried again; None
        where there is none."""
        schedule = self.schedule_of(export)
        recurrence = self._recurrence(schedule)
        if recurrence is None or schedule.paused or not self.runs_by_itself(export):
            return None
        if self._state.leases.is_held(lease_name(export.id)):
            return None
        newest = self._state.due_runs.newest(export.id)
        moment, _missed = latest(recurrence, self._since(export, schedule, newest), now)
        if moment is None and newest is not None and newest.outcome.is_open:
            return newest.due_at
        return moment

    def next_look(self, now: datetime) -> datetime | None:
        """When something may be due the next time, as things stand now."""
        return min(self._to_come(now), default=None)

    def _to_come(self, now: datetime) -> Iterator[datetime]:
        for export in self._state.exports.all():
            if (moment := self.upcoming(export, now)) is not None:
                yield moment.astimezone(UTC)
                newest = self._state.due_runs.newest(export.id)
                if newest is not None and newest.outcome is DueOutcome.WAITING and newest.next_try_at:
                    yield newest.next_try_at

    def _due(self, export: Export, now: datetime) -> Due | None:
        if not self.runs_by_itself(export) or self._state.leases.is_held(lease_name(export.id)):
            return None
        schedule = self._resumed(export)
        recurrence = self._recurrence(schedule)
        if recurrence is None or schedule.paused:
            return None
        newest = self._state.due_runs.newest(export.id)
        moment, missed = latest(recurrence, self._since(export, schedule, newest), now)
        if moment is not None:
            still_open = newest is not None and newest.outcome.is_open
            return Due(export=export, due_at=moment, missed=missed + still_open)
        if newest is not None and _is_to_be_tried(newest, now):
            return Due(export=export, due_at=newest.due_at, missed=newest.missed, attempt=newest.attempts + 1)
        return None

    def _since(self, export: Export, schedule: Schedule, newest: DueRun | None) -> datetime:
        """After which no moment has been handled: nothing counts before the schedule was set."""
        set_at = [export.created_at, schedule.since, newest.due_at if newest else None]
        if schedule.recurrence is None:
            set_at.append(self._state.schedules.refresh().since)
        return max((moment for moment in set_at if moment is not None), default=_EPOCH)

    def _recurrence(self, schedule: Schedule) -> Recurrence | None:
        if schedule.recurrence is not None:
            return schedule.recurrence
        refresh = self._state.schedules.refresh()
        return refresh.recurrence if refresh.active else None

    def _resumed(self, export: Export) -> Schedule:
        """Its schedule as it stands, written down where a pause has ended: a run that fails later does not
        bring it back."""
        schedule = self.schedule_of(export)
        if schedule.paused is not None or self._state.schedules.of(export.id).paused is None:
            return schedule
        with self._state.transaction():  # whoever changes it at this moment comes before or after
            schedule = self.schedule_of(export)
            if schedule.paused is None:
                self._state.schedules.set(export.id, schedule)
        return schedule


def _is_to_be_tried(newest: DueRun, now: datetime) -> bool:
    """One that runs is offered too, for whose process there is no lease any more."""
    if newest.outcome is DueOutcome.WAITING:
        return newest.next_try_at is None or newest.next_try_at <= now
    return newest.outcome is DueOutcome.RUNNING
