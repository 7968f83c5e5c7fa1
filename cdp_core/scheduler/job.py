"""One due run: under the export's own lease, so that of several schedulers one runs it, and written down
before and after, so that a dead one's is finished by another.

Temporary failures are tried again within a window; what somebody has to mend pauses the export.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cdp_core.errors import CdpError, Code, ExitStatus
from cdp_core.model.configuration import Export
from cdp_core.model.lease import Lease
from cdp_core.model.schedule import DueOutcome, DueRun
from cdp_core.runner.watch import LeaseWatch
from cdp_core.scheduler.calendar import Due, lease_name
from cdp_core.store.processes import this_process
from cdp_core.store.state import State

FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(minutes=15)

TRIED_AGAIN = frozenset({ExitStatus.TEMPORARY, ExitStatus.HELD})
# Nobody but a person changes these; a gate's numbers may be others tomorrow.
PAUSING = frozenset(
    {ExitStatus.INVALID, ExitStatus.NOT_ALLOWED, ExitStatus.CONSENT_MISSING, ExitStatus.RECONNECT}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a run ended, as far as the schedule is concerned. One that somebody canceled is not tried again."""

    exit_status: ExitStatus
    run_id: str | None = None
    skipped: bool = False
    canceled: bool = False
    message: str = ""

    @classmethod
    def by(cls, fault: CdpError) -> Ended:
        return cls(
            exit_status=fault.exit_status,
            canceled=fault.code is Code.CANCELED,
            message=f"{fault.code}: {fault.message}",
        )


def give_up_waiting(state: State, export: Export, *, person: str, now: datetime) -> DueRun | None:
    """The export's due run that waited to be tried again, and is canceled; None where none did. Raises
    `HeldFault` where somebody has just begun it."""
    newest = state.due_runs.newest(export.id)
    if newest is None or newest.outcome is not DueOutcome.WAITING:
        return None
    lease = state.leases.take(lease_name(export.id), this_process(person=person), ttl=60)
    try:
        given_up = dataclasses.replace(
            newest,
            outcome=DueOutcome.SKIPPED,
            message=f"canceled by {person}",
            next_try_at=None,
            updated_at=now,
        )
        state.due_runs.save(lease, given_up)
    finally:
        state.leases.release(lease)
    return given_up


class Job:
    """`run` does the run itself, and ends early once its event is set. `window` is how long after it was
    due a temporary failure is tried again. `tell` is told how the due run stands, as it begins and as it
    ends, in the transaction that writes it down."""

    def __init__(
        self,
        state: State,
        due: Due,
        *,
        run: Callable[[threading.Event], Ended],
        now: Callable[[], datetime],
        window: timedelta,
        tell: Callable[[DueRun], None] = lambda due: None,
    ) -> None:
        self._state = state
        self._due = due
        self._run = run
        self._now = now
        self._window = window
        self._tell = tell

    def do(self, stop: threading.Event) -> DueRun | None:
        """What became of it; None where another scheduler has done it already. Raises `HeldFault` where one
        is at it."""
        name = lease_name(self._due.export.id)
        with LeaseWatch(self._state, name, this_process(), stop) as watch:
            begun = self._begun()
            if begun is None:
                return None
            with self._state.transaction():
                self._state.due_runs.save(watch.lease, begun)
                self._tell(begun)
            try:
                ended = self._run(stop)
            except CdpError as fault:
                ended = Ended.by(fault)
            done = self._judged(begun, ended, stop.is_set())
            self._conclude(watch.lease, done, ended)
            return done

    def _begun(self) -> DueRun | None:
        newest = self._state.due_runs.newest(self._due.export.id)
        attempts = 1
        if newest is not None:
            if newest.due_at > self._due.due_at:
                return None
            if newest.due_at == self._due.due_at:
                if not newest.outcome.is_open:
                    return None
                attempts = newest.attempts + 1
        return DueRun(
            export_id=self._due.export.id,
            due_at=self._due.due_at,
            outcome=DueOutcome.RUNNING,
            attempts=attempts,
            missed=self._due.missed,
        )

    def _judged(self, begun: DueRun, ended: Ended, stopped: bool) -> DueRun:
        told = dataclasses.replace(
            begun, run_id=ended.run_id, exit_status=int(ended.exit_status), message=ended.message
        )
        if ended.skipped or ended.canceled:
            return dataclasses.replace(told, outcome=DueOutcome.SKIPPED)
        if ended.exit_status in (ExitStatus.DONE, ExitStatus.REFUSALS):
            return dataclasses.replace(told, outcome=DueOutcome.DONE)
        if ended.exit_status not in TRIED_AGAIN:
            return dataclasses.replace(told, outcome=DueOutcome.FAILED)
        now = self._now()
        if stopped:
            return dataclasses.replace(told, outcome=DueOutcome.WAITING, next_try_at=now)
        wait = min(FIRST_WAIT * 2 ** (begun.attempts - 1), LONGEST_WAIT)
        if now + wait > self._due.due_at + self._window:
            given_up = f"{told.message}; given up after {begun.attempts} attempts".lstrip("; ")
            return dataclasses.replace(told, outcome=DueOutcome.FAILED, message=given_up)
        return dataclasses.replace(told, outcome=DueOutcome.WAITING, next_try_at=now + wait)

    def _conclude(self, lease: Lease, done: DueRun, ended: Ended) -> None:
        with self._state.transaction():
            self._state.due_runs.save(lease, done)
            if done.outcome is DueOutcome.FAILED and ended.exit_status in PAUSING:
                export_id = self._due.export.id
                schedule = self._state.schedules.of(export_id)
                paused = dataclasses.replace(schedule, paused=ended.message, paused_at=self._now())
                self._state.schedules.set(export_id, paused)
            self._tell(done)
