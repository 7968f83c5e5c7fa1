"""Does one thing again and again while a scheduler runs, in a thread of its own, so that it delays no run."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self


class Repeating:
    """Works from entry to exit, which waits for the step under way. A step is given what is set once the end
    has come, and returns how many seconds to wait for the next; it raises nothing."""

    def __init__(self, name: str, step: Callable[[threading.Event], float]) -> None:
        self._step = step
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._stop.is_set():
            self._stop.wait(self._step(self._stop))
