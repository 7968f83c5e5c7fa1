"""What is due: the refresh, times of their own, what is off, missed, paused, or under way elsewhere."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

from cdp_core.model.delivery import AudienceKey
from cdp_core.model.run import Run, RunStatus
from cdp_core.model.schedule import DueOutcome, DueRun, Schedule
from cdp_core.rules.recurrence import cron
from cdp_core.scheduler.calendar import Calendar, lease_name
from cdp_core.store.processes import this_process
from cdp_core.store.state import State

from .conftest import NOON, Clock, export

NIGHT = datetime(2026, 11, 26, 2, tzinfo=UTC)


def handled(state: State, export_id: str, due_at: datetime, outcome: DueOutcome, **told: object) -> None:
    lease = state.leases.take(lease_name(export_id), this_process(), 60)
    state.due_runs.save(lease, DueRun(export_id=export_id, due_at=due_at, outcome=outcome, **told))  # type: ignore[arg-type]
    state.leases.release(lease)


def test_an_export_without_times_of_its_own_is_due_with_the_refresh(state: State, clock: Clock) -> None:
    export(state, "Loyal")
    calendar = Calendar(state)
    assert calendar.due(clock.now) == ()
    (due,) = calendar.due(clock.move(hours=14))
    assert (due.export.name, due.due_at, due.missed, due.attempt) == ("Loyal", NIGHT, 0, 1)


def test_an_export_with_times_of_its_own_is_due_then_and_not_with_the_refresh(
    state: State, clock: Clock
) -> None:
    own = export(state, "Loyal")
    state.schedules.set(own.id, Schedule(recurrence=cron("30 13 * * *", timezone="UTC"), since=NOON))
    (due,) = Calendar(state).due(clock.move(hours=2))
    assert due.due_at == NOON.replace(hour=13, minute=30)
    handled(state, own.id, due.due_at, DueOutcome.DONE)
    assert Calendar(state).due(clock.move(hours=13)) == ()


def test_nothing_before_a_schedule_was_set_is_due(state: State, clock: Clock) -> None:
    late = dataclasses.replace(export(state, "Loyal"))
    clock.move(days=3)
    state.schedules.set_refresh(dataclasses.replace(state.schedules.refresh(), since=clock.now))
    assert Calendar(state).due(clock.now) == ()
    assert Calendar(state).upcoming(late, clock.now) is not None


def test_what_is_off_or_detached_is_never_due(state: State, clock: Clock) -> None:
    off = export(state, "Off")
    export(state, "Detached", connection=None)
    state.schedules.set(off.id, Schedule(active=False, since=NOON))
    assert Calendar(state).due(clock.move(days=2)) == ()
    state.schedules.set(off.id, Schedule(active=True, since=NOON))
    state.schedules.set_refresh(dataclasses.replace(state.schedules.refresh(), active=False))
    assert Calendar(state).due(clock.now) == ()


def test_missed_moments_are_one_run_that_says_how_many_it_stands_for(state: State, clock: Clock) -> None:
    export(state, "Loyal")
    (due,) = Calendar(state).due(clock.move(days=3))
    assert (due.due_at, due.missed) == (datetime(2026, 11, 28, 2, tzinfo=UTC), 2)


def test_a_moment_that_was_handled_is_not_due_again(state: State, clock: Clock) -> None:
    loyal = export(state, "Loyal")
    clock.move(hours=14)
    for outcome in (DueOutcome.DONE, DueOutcome.FAILED, DueOutcome.SKIPPED):
        handled(state, loyal.id, NIGHT, outcome)
        assert Calendar(state).due(clock.now) == ()


def test_what_waits_is_due_again_when_its_time_has_come(state: State, clock: Clock) -> None:
    loyal = export(state, "Loyal")
    clock.move(hours=14)
    again = clock.now.replace(minute=5)
    handled(state, loyal.id, NIGHT, DueOutcome.WAITING, attempts=2, next_try_at=again)
    assert Calendar(state).due(clock.now) == ()
    assert Calendar(state).next_look(clock.now) == again
    (due,) = Calendar(state).due(clock.move(minutes=6))
    assert (due.due_at, due.attempt) == (NIGHT, 3)


def test_the_next_moment_takes_over_from_one_that_still_waits(state: State, clock: Clock) -> None:
    loyal = export(state, "Loyal")
    handled(state, loyal.id, NIGHT, DueOutcome.WAITING, next_try_at=NIGHT)
    (due,) = Calendar(state).due(clock.move(days=2))
    assert (due.due_at.day, due.missed) == (27, 1)


def test_what_a_living_process_runs_is_due_to_nobody_else(state: State, clock: Clock) -> None:
    loyal = export(state, "Loyal")
    clock.move(hours=14)
    handled(state, loyal.id, NIGHT, DueOutcome.RUNNING)
    lease = state.leases.take(lease_name(loyal.id), this_process(), 60)
    assert Calendar(state).due(clock.now) == ()
    state.leases.release(lease)
    (due,) = Calendar(state).due(clock.now)
    assert (due.due_at, due.attempt) == (NIGHT, 2)


def test_a_paused_export_is_due_again_once_a_run_by_hand_went_through(state: State, clock: Clock) -> None:
    loyal = export(state, "Loyal")
    paused = Schedule(paused="CDP-602: sign in again", paused_at=clock.now, since=NOON)
    state.schedules.set(loyal.id, paused)
    assert Calendar(state).due(clock.move(days=1)) == ()
    for at, status in (
        (clock.move(minutes=1), RunStatus.FAILED),
        (clock.move(minutes=1), RunStatus.COMMITTED),
    ):
        run = Run(
            id=f"{status}", export_id=loyal.id, export_name="Loyal", status=status, actor="ann", started_at=at
        )
        state.runs.start(run, audience=AudienceKey("acme", "https://acme.example", "1"))
        # Seen at once, and written down at the scheduler's next round.
        assert (Calendar(state).schedule_of(loyal).paused is None) == (status is RunStatus.COMMITTED)
        assert state.schedules.of(loyal.id) == paused
        assert Calendar(state).due(clock.now) == ()
    assert state.schedules.of(loyal.id).paused is None
    # What it missed while it was paused, it does not make up for: somebody has just run it.
    (due,) = Calendar(state).due(clock.move(days=1))
    assert (due.due_at.day, due.missed) == (27, 0)
