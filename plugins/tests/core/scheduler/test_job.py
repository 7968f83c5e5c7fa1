"""One due run: written down before and after, tried again or paused, and done once by however many."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from cdp_core.errors import Code, ExitStatus, HeldFault, InternalFault, ReconnectFault
from cdp_core.model.schedule import DueOutcome, DueRun, Schedule
from cdp_core.scheduler.calendar import Due, lease_name
from cdp_core.scheduler.job import Ended, Job
from cdp_core.store.processes import this_process
from cdp_core.store.state import State

from .conftest import Clock, export

NIGHT = datetime(2026, 11, 26, 2, tzinfo=UTC)


def do(
    state: State, clock: Clock, *ended: Ended, stop: threading.Event | None = None
) -> tuple[DueRun | None, int]:
    """Do the due run of the only export; what became of it, and how often it was run."""
    ran = []

    def run(stopped: threading.Event) -> Ended:
        (newest,) = state.due_runs.all()
        assert newest.outcome is DueOutcome.RUNNING
        ran.append(newest)
        return ended[0]

    due = Due(export=state.exports.get("Loyal"), due_at=NIGHT)
    job = Job(state, due, run=run, now=clock, window=timedelta(hours=2))
    return job.do(stop or threading.Event()), len(ran)


@pytest.fixture(autouse=True)
def loyal(state: State, clock: Clock) -> str:
    clock.now = NIGHT
    return export(state, "Loyal").id


@pytest.mark.parametrize("status", [ExitStatus.DONE, ExitStatus.REFUSALS])
def test_a_run_that_went_through_is_done_once(state: State, clock: Clock, status: ExitStatus) -> None:
    done, times = do(state, clock, Ended(exit_status=status, run_id="r1"))
    assert done is not None
    assert (done.outcome, done.run_id, done.exit_status, times) == (DueOutcome.DONE, "r1", int(status), 1)
    assert do(state, clock, Ended(exit_status=status)) == (None, 0)


@pytest.mark.parametrize("status", [ExitStatus.TEMPORARY, ExitStatus.HELD])
def test_a_failure_for_a_while_is_tried_again_ever_later_until_the_window_is_over(
    state: State, clock: Clock, status: ExitStatus
) -> None:
    waits = []
    while True:
        done, _ = do(state, clock, Ended(exit_status=status, message="CDP-901: no answer"))
        assert done is not None
        if done.outcome is not DueOutcome.WAITING:
            break
        assert done.next_try_at is not None
        waits.append((done.next_try_at - clock.now).total_seconds() / 60)
        clock.now = done.next_try_at
    assert waits[:5] == [1, 2, 4, 8, 15]
    assert sum(waits) <= 120
    assert done.outcome is DueOutcome.FAILED
    assert f"given up after {len(waits) + 1} attempts" in done.message


@pytest.mark.parametrize(
    "status",
    [ExitStatus.INVALID, ExitStatus.NOT_ALLOWED, ExitStatus.CONSENT_MISSING, ExitStatus.RECONNECT],
)
def test_what_somebody_has_to_mend_pauses_the_export(
    state: State, clock: Clock, loyal: str, status: ExitStatus
) -> None:
    done, _ = do(state, clock, Ended(exit_status=status, message="why"))
    assert done is not None
    assert done.outcome is DueOutcome.FAILED
    assert state.schedules.of(loyal).paused == "why"


def test_the_newest_that_somebody_had_to_look_at_is_found(state: State, loyal: str) -> None:
    lease = state.leases.take(lease_name(loyal), this_process(), ttl=60)
    moment, expected = NIGHT, None
    for outcome in DueOutcome:
        for status in (ExitStatus.INVALID, ExitStatus.GATE, None):
            found = state.due_runs.at_fault_before(loyal, moment)
            assert (found.due_at if found else None) == expected
            exit_status = None if status is None else int(status)
            due = DueRun(export_id=loyal, due_at=moment, outcome=outcome, exit_status=exit_status)
            state.due_runs.save(lease, due)
            expected = moment if due.is_at_fault else expected
            moment += timedelta(hours=1)
    assert expected is not None
    assert state.due_runs.at_fault_before("another", moment) is None


@pytest.mark.parametrize("status", [ExitStatus.GATE, ExitStatus.FAULT])
def test_what_may_pass_by_the_next_time_pauses_nothing(
    state: State, clock: Clock, loyal: str, status: ExitStatus
) -> None:
    done, _ = do(state, clock, Ended(exit_status=status, message="why"))
    assert done is not None
    assert (done.outcome, state.schedules.of(loyal).paused) == (DueOutcome.FAILED, None)


def test_a_skipped_run_is_written_down_as_such(state: State, clock: Clock) -> None:
    done, _ = do(state, clock, Ended(exit_status=ExitStatus.DONE, skipped=True, message="too small"))
    assert done is not None
    assert (done.outcome, done.message) == (DueOutcome.SKIPPED, "too small")


def test_a_run_that_was_stopped_waits_for_the_next_scheduler(state: State, clock: Clock) -> None:
    stop = threading.Event()
    stop.set()
    done, _ = do(state, clock, Ended(exit_status=ExitStatus.TEMPORARY), stop=stop)
    assert done is not None
    assert (done.outcome, done.next_try_at) == (DueOutcome.WAITING, clock.now)


def test_a_fault_of_the_run_is_its_end(state: State, clock: Clock, loyal: str) -> None:
    def run(stopped: threading.Event) -> Ended:
        raise ReconnectFault(Code.RECONNECT, "sign in again")

    due = Due(export=state.exports.get("Loyal"), due_at=NIGHT)
    done = Job(state, due, run=run, now=clock, window=timedelta(hours=2)).do(threading.Event())
    assert done is not None
    assert (done.outcome, done.exit_status) == (DueOutcome.FAILED, int(ExitStatus.RECONNECT))
    assert state.schedules.of(loyal).paused == "CDP-602: sign in again"


def test_what_another_is_at_is_left_to_it(state: State, clock: Clock, loyal: str) -> None:
    state.leases.take(lease_name(loyal), this_process(), 60)
    with pytest.raises(HeldFault):
        do(state, clock, Ended(exit_status=ExitStatus.DONE))


def test_who_stalled_and_was_taken_for_dead_writes_nothing_more(
    state: State, clock: Clock, loyal: str
) -> None:
    stalled = state.leases.take(lease_name(loyal), this_process(), 60)
    clock.move(minutes=2)
    do(state, clock, Ended(exit_status=ExitStatus.DONE, run_id="mine"))
    late = DueRun(export_id=loyal, due_at=NIGHT, outcome=DueOutcome.FAILED)
    with pytest.raises(InternalFault) as fenced:
        state.due_runs.save(stalled, late)
    assert fenced.value.code is Code.LEASE_LOST
    assert [(each.run_id, each.outcome) for each in state.due_runs.all()] == [("mine", DueOutcome.DONE)]


def test_an_earlier_moment_that_is_still_open_is_superseded(state: State, clock: Clock, loyal: str) -> None:
    do(state, clock, Ended(exit_status=ExitStatus.TEMPORARY))
    clock.move(days=1)
    later = Due(export=state.exports.get("Loyal"), due_at=clock.now)
    Job(
        state,
        later,
        run=lambda stop: Ended(exit_status=ExitStatus.DONE),
        now=clock,
        window=timedelta(hours=2),
    ).do(threading.Event())
    assert [each.outcome for each in state.due_runs.all()] == [DueOutcome.DONE, DueOutcome.SUPERSEDED]
    assert do(state, clock, Ended(exit_status=ExitStatus.DONE)) == (None, 0)


def test_what_is_told_of_a_due_run_is_written_with_it_or_not_at_all(
    state: State, clock: Clock, loyal: str
) -> None:
    told: list[DueOutcome] = []

    def tell(stands: DueRun) -> None:
        told.append(stands.outcome)
        state.schedules.set(loyal, Schedule(set_by=str(stands.outcome)))
        if stands.outcome is DueOutcome.FAILED:
            raise RuntimeError("the process dies here")

    due = Due(export=state.exports.get("Loyal"), due_at=NIGHT)
    ended = Ended(exit_status=ExitStatus.GATE, message="why")
    with pytest.raises(RuntimeError):
        Job(state, due, run=lambda stop: ended, now=clock, window=timedelta(hours=2), tell=tell).do(
            threading.Event()
        )
    assert told == [DueOutcome.RUNNING, DueOutcome.FAILED]
    assert state.schedules.of(loyal).set_by == "running"
    assert [each.outcome for each in state.due_runs.all()] == [DueOutcome.RUNNING]
