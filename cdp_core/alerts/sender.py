"""Sends the alerts that wait, again and again while a scheduler runs: one that comes back is told without the
next run."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime

from cdp_core.alerts.alerting import Alerting
from cdp_core.model.log import LogEvent

# In seconds: between two looks, and how much longer, by doubling, where something could not be sent.
LOOK = 30.0
LONGEST_WAIT = 900.0

log = logging.getLogger("cdp.alerts")


class Sender:
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
        self._wait = look

    def step(self, stop: threading.Event) -> float:
        """Send what waits until `stop` is set; how many seconds until the next look."""
        try:
            left = self._alerting.send_waiting(self._now(), stop)
        except Exception:  # a fault of ours ends neither the thread nor the scheduler
            log.exception("alerts could not be sent", extra=LogEvent.ALERT_NOT_SENT.about(export=""))
            left = True
        wait = self._wait
        self._wait = min(wait * 2, self._longest_wait) if left else self._look
        return wait
