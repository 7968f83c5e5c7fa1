"""Progress where there is no terminal: a line for a station, and one every few seconds."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress

import pytest

from cdp_core.cli.render.progress import Bars, Lines, progress
from cdp_core.model.run import EventState, RunEvent, Station


def event(station: Station, state: EventState, done: int = 0, total: int = 0, note: str = "") -> RunEvent:
    return RunEvent(run_id="r", export="e", station=station, state=state, done=done, total=total, note=note)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_stations_are_named_and_deliveries_are_told_every_few_seconds_only() -> None:
    stream, clock = io.StringIO(), Clock()
    lines = Lines(stream, clock)
    lines.tell(event(Station.PREPARE, "started"))
    clock.now = 5
    lines.tell(event(Station.PREPARE, "progress", done=2000))
    lines.tell(event(Station.PREPARE, "ended", done=2500))
    lines.tell(event(Station.DELIVER, "started", total=1000))
    for step in range(1, 10):
        clock.now += 1
        lines.tell(event(Station.DELIVER, "progress", done=100 * step, total=1000))
    clock.now += 1
    lines.tell(event(Station.DELIVER, "progress", done=1000, total=1000))
    lines.tell(event(Station.DELIVER, "ended"))
    assert stream.getvalue().splitlines() == [
        "Preparing…",
        "  2,000 members so far, 400 a second",
        "  2,500 members in 5.0 s",
        "Delivering…",
        "  500 of 1,000 digests (50 %), 100 a second, 5.0 s left",
        "  1,000 of 1,000 digests (100 %), 100 a second, 0.0 s left",
        "  1,000 digests in 10 s",
    ]


def test_a_note_is_told_without_what_could_disturb() -> None:
    stream = io.StringIO()
    Lines(stream).tell(event(Station.SETTLE, "started", note="run r-1\x1b[2J died"))
    assert stream.getvalue().splitlines()[1] == "  run r-1 [2J died"


def test_without_a_terminal_progress_is_lines_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    with progress() as tell:
        tell(event(Station.COMMIT, "started"))
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "Committing…\n"


def _all_of(terminal: int) -> str:
    """What was drawn: one read of a terminal gives no more than a few kilobytes, its end an error."""
    drawn = b""
    with suppress(OSError):
        while some := os.read(terminal, 4096):
            drawn += some
    os.close(terminal)
    return drawn.decode()


def test_on_a_terminal_there_is_a_bar_with_amount_and_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    ours, theirs = os.openpty()
    with os.fdopen(theirs, "w") as terminal, Bars(terminal) as bars:
        bars.tell(event(Station.PREPARE, "started"))
        bars.tell(event(Station.PREPARE, "progress", done=2000))
        bars.tell(event(Station.PREPARE, "ended", done=2500))
        bars.tell(event(Station.DELIVER, "started", total=1000))
        bars.tell(event(Station.DELIVER, "progress", done=400, total=1000, note="one [batch] again"))
        bars.tell(event(Station.DELIVER, "ended"))
        bars.tell(event(Station.COMMIT, "ended"))
    drawn = _all_of(ours)
    assert "Delivering" in drawn
    assert "400/1,000 digests" in drawn
    assert "2,500 members" in drawn
    assert "one [batch] again" in drawn


def test_a_bar_of_nothing_counts_nothing_and_one_of_one_is_no_plural(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    for done, told in ((0, ""), (1, "1 digest")):
        ours, theirs = os.openpty()
        with os.fdopen(theirs, "w") as terminal, Bars(terminal) as bars:
            bars.tell(event(Station.DELIVER, "started"))
            bars.tell(event(Station.DELIVER, "ended", done=done, total=done))
        drawn = _all_of(ours)
        assert told in drawn
        assert "digests" not in drawn
        assert ("digest" in drawn) == bool(told)


def test_a_terminal_is_recognised(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = os.openpty()
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        with progress() as tell:
            assert getattr(tell, "__self__", None).__class__ is Bars
    os.close(ours)
