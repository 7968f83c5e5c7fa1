"""An audience that was made a moment ago may refuse members for some seconds, in whatever words."""

from __future__ import annotations

import threading
import time
from typing import Self

from cdp_core.contract.faults import AudienceGone, DestinationFault, RightsRefused
from cdp_core.model.delivery import Receipt

# What a service may say of an audience that it has only just made.
NOT_THERE_YET = (AudienceGone, RightsRefused)
# Seconds between two tries.
LONGEST_PAUSE = 2.0


class NotYet(DestinationFault):
    """The audience does not take members yet; nothing was applied."""

    @classmethod
    def said(cls, answer: Receipt) -> Self:
        return cls(answer.message, http_status=answer.http_status, request_id=answer.request_id)


class Newborn:
    """Until when an audience counts as newborn: so many seconds after it has first refused, or until it has
    taken something. Threads share it."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until: float | None = None
        self._guard = threading.Lock()

    def still(self) -> bool:
        if not self._seconds:
            return False
        with self._guard:
            if self._until is None:
                self._until = time.monotonic() + self._seconds
            return time.monotonic() < self._until

    def grown(self) -> None:
        self._seconds = 0.0
