"""Sends the alerts that wait while a scheduler runs, in a thread of its own: a service that does not answer
delays no run, and one that comes back is told without the next run."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import Self

from cdp_core.alerts.alerting import Alerting
from cdp_core.model.log import LogEvent

# In seconds: between two looks, and how much longer, by doubling, where something could not be sent.
LOOK = 30.0
LONGEST_WAIT = 900.0

log = logging.getLogger("cdp.alerts")


class Sender:
    """Works from entry to exit, which waits for the alert that is being sent."""

    def __init__(
        self,
        alerting: Alerting,
        *,
        now: Callable[[], datetime],
        look: float = LOOK,
        longest_wait: float = LONGEST_WAIT,
    ) -> None:
        self._alerting = alerting
        self._now = now
        self._look = look
        self._longest_wait = longest_wait
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="alerts", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        wait = self._look
        while not self._stop.is_set():
            try:
                left = self._alerting.send_waiting(self._now(), self._stop)
            except Exception:  # a fault of ours ends neither the thread nor the scheduler
                log.exception("alerts could not be sent", extra=LogEvent.ALERT_NOT_SENT.about(export=""))
                left = True
            self._stop.wait(wait)
            wait = min(wait * 2, self._longest_wait) if left else self._look
