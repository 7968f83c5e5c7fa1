"""A clock that can be moved and held, so that tokens lapse and uploads finish without anyone waiting."""

from __future__ import annotations

import threading
import time


class Clock:
    """Real time plus what it has been moved by; both readings in seconds."""

    def __init__(self) -> None:
        self._moved = 0.0
        self._held: tuple[float, float] | None = None
        self._lock = threading.Lock()

    def time(self) -> float:
        """Seconds since the epoch."""
        return (self._held[0] if self._held else time.time()) + self._moved

    def monotonic(self) -> float:
        return (self._held[1] if self._held else time.monotonic()) + self._moved

    def hold(self) -> None:
        """From now on only `move` changes the time: what a test counts does not depend on its speed."""
        self._held = (time.time(), time.monotonic())

    def move(self, seconds: float) -> None:
        """Only forward: a token that has lapsed stays so. Raises `ValueError`."""
        if not seconds >= 0:
            raise ValueError("the clock only moves forward")
        with self._lock:
            self._moved += seconds

    @property
    def moved(self) -> float:
        return self._moved
