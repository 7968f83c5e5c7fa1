"""How far a run is, on standard error: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from cdp_core.cli.render.console import console, is_terminal
from cdp_core.cli.render.words import counted, duration, plain
from cdp_core.model.run import RunEvent, Station

SECONDS_BETWEEN_LINES = 5.0

_DOING = {
    Station.SETTLE: "Settling what an earlier run left",
    Station.PREPARE: "Preparing",
    Station.COMPARE: "Comparing with the ledger",
    Station.DELIVER: "Delivering",
    Station.COMMIT: "Committing",
    Station.READ_BACK: "Reading back",
}


@contextmanager
def progress() -> Iterator[Callable[[RunEvent], None]]:
    """What the facade tells of a run's moments, shown as suits where standard error goes."""
    if is_terminal(sys.stderr):
        with Bars(sys.stderr) as bars:
            yield bars.tell
    else:
        yield Lines(sys.stderr).tell


class Bars:
    """A line for each station, the one under way with a bar."""

    def __init__(self, stream: TextIO) -> None:
        self._progress = Progress(
            SpinnerColumn(finished_text="✓"),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=30),
            Amount(),
            Rate(),
            TimeElapsedColumn(),
            Left(),
            console=console(stream),
        )
        self._tasks: dict[Station, TaskID] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Bars:
        self._progress.start()
        return self

    def __exit__(self, *fault: object) -> None:
        self._progress.stop()

    def tell(self, event: RunEvent) -> None:
        with self._lock:
            if event.station not in self._tasks:
                self._tasks[event.station] = self._progress.add_task(_DOING[event.station], total=None)
            task = self._tasks[event.station]
            if event.total:
                self._progress.update(task, completed=event.done, total=event.total)
            if event.note:
                self._progress.console.print(Text(plain(event.note), style="dim"))
            if event.state == "ended":
                # A station that does not count is full when it ends.
                known = self._progress.tasks[task].total or 1
                self._progress.update(task, total=known, completed=event.done or known)


class Amount(MofNCompleteColumn):
    """`120,000/930,000`, for stations that count."""

    def render(self, task: Task) -> Text:
        if not _counts(task):
            return Text("")
        return Text(f"{int(task.completed):,}/{int(task.total or 0):,}", style="progress.download")


class Rate(ProgressColumn):
    """Digests a second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f}/s" if speed and _counts(task) else "", style="progress.data.speed")


class Left(TimeRemainingColumn):
    """The time left, while there is some."""

    def render(self, task: Task) -> Text:
        return super().render(task) if _counts(task) and not task.finished else Text("")


def _counts(task: Task) -> bool:
    return task.total is not None and task.total > 1


class Lines:
    """A line when a station begins and, while it counts, one every few seconds and one at its end."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._began: dict[Station, float] = {}
        self._last = clock()
        self._lock = threading.Lock()

    def tell(self, event: RunEvent) -> None:
        with self._lock:
            now = self._clock()
            if event.station not in self._began:
                self._began[event.station] = now
                self._say(f"{_DOING[event.station]}…", now)
            if event.note:
                self._say(f"  {plain(event.note)}", now)
            if event.state == "ended" and event.total:
                took = now - self._began[event.station]
                self._say(f"  {counted(event.done, 'digest')} in {duration(took)}", now)
            elif event.state == "progress" and event.total and now - self._last >= SECONDS_BETWEEN_LINES:
                self._say(self._how_far(event, now), now)

    def _how_far(self, event: RunEvent, now: float) -> str:
        took = now - self._began[event.station]
        rate = event.done / took if took > 0 else 0.0
        left = f", {duration((event.total - event.done) / rate)} left" if rate else ""
        share = 100 * event.done // event.total
        return f"  {event.done:,} of {event.total:,} digests ({share} %), {rate:,.0f} a second{left}"

    def _say(self, line: str, now: float) -> None:
        self._last = now
        self._stream.write(line + "\n")
        self._stream.flush()
