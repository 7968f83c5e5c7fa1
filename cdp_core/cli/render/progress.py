"""How far a run is, on standard error: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import RenderableType
from rich.progress import (
    BarColumn,
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

from cdp_core.cli.language import _, marked, ngettext, numerals, said
from cdp_core.cli.render.console import console, is_terminal
from cdp_core.cli.render.words import count, duration, plain
from cdp_core.model.run import RunEvent, Station

SECONDS_BETWEEN_LINES = 5.0

_DOING = {
    Station.SETTLE: marked("Settling what an earlier run left"),
    Station.PREPARE: marked("Preparing"),
    Station.COMPARE: marked("Comparing with the ledger"),
    Station.DELIVER: marked("Delivering"),
    Station.COMMIT: marked("Committing"),
    Station.READ_BACK: marked("Reading back"),
}


def _unit(station: Station, number: int) -> str:
    """What a station counts, in the language spoken."""
    if station is Station.PREPARE:
        return ngettext("member", "members", number)
    if station is Station.DELIVER:
        return ngettext("digest", "digests", number)
    return ngettext("step", "steps", number)


_COUNTING = (Station.PREPARE, Station.DELIVER)


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
            State(),
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
                self._tasks[event.station] = self._progress.add_task(
                    _(_DOING[event.station]),
                    total=event.total or None,
                    station=event.station if event.station in _COUNTING else None,
                )
            task = self._tasks[event.station]
            if event.done:
                self._progress.update(task, completed=event.done)
            if event.note:
                self._progress.console.print(Text(plain(said(event.note)), style="dim"))
            if event.state == "ended":
                self._end(task)

    def _end(self, task: TaskID) -> None:
        """What was stopped keeps its bar as it is; a station without a total is full at its end."""
        (found,) = (each for each in self._progress.tasks if each.id == task)
        if found.total is None:
            # The bar of nothing is full, too, and counts nothing.
            done = found.completed
            self._progress.update(task, total=done or 1, completed=done or 1, uncounted=not done)
        self._progress.update(task, ended=True)
        self._progress.stop_task(task)


class State(SpinnerColumn):
    """A spinner; at the end a tick, or a dash where the station was stopped."""

    def render(self, task: Task) -> RenderableType:
        if not task.fields.get("ended"):
            return super().render(task)
        return Text("✓", style="green") if task.finished else Text("–", style="yellow")  # noqa: RUF001


class Amount(ProgressColumn):
    """`120,000/930,000 digests`, for stations that count."""

    def render(self, task: Task) -> Text:
        station = task.fields.get("station")
        if not station or not task.completed or task.fields.get("uncounted"):
            return Text("")
        total, done = int(task.total or task.completed), int(task.completed)
        told = f"{count(total)} {_unit(station, total)}"
        return Text(told if done == total else f"{count(done)}/{told}", style="progress.download")


class Rate(ProgressColumn):
    """How many a second."""

    def render(self, task: Task) -> Text:
        counts = task.fields.get("station") and not task.fields.get("uncounted")
        speed = (task.finished_speed or task.speed) if counts else None
        return Text(numerals(f"{speed:,.0f}/s") if speed else "", style="progress.data.speed")


class Left(TimeRemainingColumn):
    """The time left, while it is known."""

    def render(self, task: Task) -> Text:
        under_way = task.total is not None and not task.fields.get("ended") and not task.finished
        return super().render(task) if under_way else Text("")


class Lines:
    """A line when a station begins and, while it counts, one every few seconds and one at its end."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._began: dict[Station, float] = {}
        self._done: dict[Station, int] = {}
        self._last = clock()
        self._lock = threading.Lock()

    def tell(self, event: RunEvent) -> None:
        with self._lock:
            now = self._clock()
            if event.station not in self._began:
                self._began[event.station] = now
                self._say(f"{_(_DOING[event.station])}…", now)
            if event.note:
                self._say(f"  {plain(said(event.note))}", now)
            if event.done:
                self._done[event.station] = event.done
            if event.state == "progress" and now - self._last >= SECONDS_BETWEEN_LINES:
                self._say(self._how_far(event, now), now)
            if event.state == "ended" and (done := self._done.get(event.station)):
                took = now - self._began[event.station]
                line = _("{amount} in {duration}")
                amount = f"{count(done)} {_unit(event.station, done)}"
                self._say("  " + line.format(amount=amount, duration=duration(took)), now)

    def _how_far(self, event: RunEvent, now: float) -> str:
        took = now - self._began[event.station]
        rate = event.done / took if took > 0 else 0.0
        said = {"done": count(event.done), "rate": count(round(rate))}
        if not event.total:
            said["unit"] = _unit(event.station, event.done)
            return "  " + _("{done} {unit} so far, {rate} a second").format(**said)
        said |= {"total": count(event.total), "unit": _unit(event.station, event.total)}
        said["share"] = str(100 * event.done // event.total)
        line = "  " + _("{done} of {total} {unit} ({share} %), {rate} a second").format(**said)
        left = duration((event.total - event.done) / rate) if rate else ""
        return line + _(", {duration} left").format(duration=left) if left else line

    def _say(self, line: str, now: float) -> None:
        self._last = now
        self._stream.write(line + "\n")
        self._stream.flush()
