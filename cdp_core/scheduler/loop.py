"""The loop: waits for what is due and starts a process for each, so that none delays or breaks another.

It keeps nothing in memory that matters: what is due, runs and waits stands in the state, and another
scheduler, here or on another machine, may take over at any moment.
"""

from __future__ import annotations

import logging
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime

from cdp_core.errors import ExitStatus, TemporaryFault
from cdp_core.model.log import LogEvent
from cdp_core.scheduler.calendar import Calendar, Due
from cdp_core.scheduler.health import Health

Launch = Callable[[Due], "subprocess.Popen[bytes]"]

_WHILE_RUNNING = 0.5

log = logging.getLogger("cdp.scheduler")


class Loop:
    """`parallel` runs at most are under way at once; `poll` is how many seconds a change of the schedules
    takes to be seen at the most; `grace` how many the runs under way have to end once it is stopped."""

    def __init__(
        self,
        calendar: Calendar,
        launch: Launch,
        *,
        health: Health,
        now: Callable[[], datetime],
        parallel: int,
        poll: float,
        grace: float,
    ) -> None:
        self._calendar = calendar
        self._launch = launch
        self._health = health
        self._now = now
        self._parallel = parallel
        self._poll = poll
        self._grace = grace
        self._running: dict[str, tuple[Due, subprocess.Popen[bytes]]] = {}

    def forever(self, stop: threading.Event) -> None:
        """Until `stop` is set; then the runs under way end after their batches in flight."""
        log.info("the scheduler runs", extra=LogEvent.STARTED.about())
        with ExitStack() as ending:
            # The last one first, and each whatever the one before it met.
            ending.callback(self._health.ended)
            ending.callback(self._end_all)
            ending.callback(self._health.stopping)
            while not stop.is_set():
                self._look()
                stop.wait(self._pause())
        log.info("the scheduler has stopped", extra=LogEvent.STOPPED.about())

    def once(self, stop: threading.Event) -> ExitStatus:
        """Run what is due now, and no more; the worst of its statuses."""
        waiting, statuses = list(self._calendar.due(self._now())), []
        try:
            while (waiting or self._running) and not stop.is_set():
                while waiting and len(self._running) < self._parallel:
                    self._start(waiting.pop(0))
                statuses += self._reap()
                self._health.beat()
                stop.wait(_WHILE_RUNNING if self._running else 0)
        finally:
            statuses += self._end_all()
        return ExitStatus.worst(statuses)

    def _look(self) -> None:
        self._reap()
        try:
            for due in self._calendar.due(self._now()):
                if len(self._running) >= self._parallel:
                    break
                if due.export.id not in self._running:
                    self._start(due)
        except TemporaryFault as busy:
            log.warning("%s", busy, extra=LogEvent.STATE_BUSY.about())
            return
        self._health.beat()

    def _pause(self) -> float:
        if self._running:
            return min(_WHILE_RUNNING, self._poll)
        try:
            following = self._calendar.next_look(self._now())
        except TemporaryFault:
            return self._poll
        if following is None:
            return self._poll
        return min(self._poll, max(0.0, (following - self._now()).total_seconds()))

    def _start(self, due: Due) -> None:
        about = {"export": due.export.name, "due_at": due.due_at.isoformat(), "attempt": due.attempt}
        if due.missed:
            log.warning(
                "%s: %d earlier moments were missed; this run stands for them",
                due.export.name,
                due.missed,
                extra=LogEvent.MISSED.about(**about, missed=due.missed),
            )
        log.info("%s is due", due.export.name, extra=LogEvent.DUE.about(**about))
        self._running[due.export.id] = due, self._launch(due)

    def _reap(self) -> list[ExitStatus]:
        ended = [(due, process) for due, process in self._running.values() if process.poll() is not None]
        return [self._reaped(due, process) for due, process in ended]

    def _reaped(self, due: Due, process: subprocess.Popen[bytes]) -> ExitStatus:
        del self._running[due.export.id]
        code = process.returncode
        status = ExitStatus(code) if code in set(ExitStatus) else ExitStatus.FAULT
        how = status.meaning if code in set(ExitStatus) else f"its process ended with {code}"
        fault, paused = self._written_down(due, code)
        how = fault or how
        if paused:
            how += "; it runs by itself again once that is mended and somebody has run it"
        level = logging.INFO if status in (ExitStatus.DONE, ExitStatus.HELD) else logging.WARNING
        log.log(
            level,
            "%s: %s",
            due.export.name,
            how,
            extra=LogEvent.ENDED.about(export=due.export.name, exit_status=code),
        )
        return status

    def _written_down(self, due: Due, code: int) -> tuple[str, bool]:
        """The fault that it ended by, and whether that pauses the export."""
        try:
            paused = self._calendar.schedule_of(due.export).paused is not None
            return self._calendar.fault_of(due, code), paused
        except TemporaryFault:
            return "", False

    def _end_all(self) -> list[ExitStatus]:
        """Ask all to end, wait, and kill those that do not: what they journaled, the next run settles."""
        for _, process in self._running.values():
            process.terminate()
        until = time.monotonic() + self._grace
        for due, process in self._running.values():
            try:
                process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                killed = LogEvent.KILLED.about(export=due.export.name)
                log.warning("%s does not end: killed", due.export.name, extra=killed)
                process.kill()
                process.wait()
        return self._reap()
