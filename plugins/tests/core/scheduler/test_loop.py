"""The loop, with real processes: side by side, each with its own end, stopped gently and not so gently."""

from __future__ import annotations

import dataclasses
import json
import logging
import shutil
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from cdp_core.errors import ExitStatus
from cdp_core.model.log import LogEvent
from cdp_core.model.schedule import DueOutcome, DueRun
from cdp_core.scheduler.calendar import Calendar, Due, lease_name
from cdp_core.scheduler.health import Health, served
from cdp_core.scheduler.loop import Loop
from cdp_core.store.processes import this_process
from cdp_core.store.state import State

from .conftest import Clock, export

ENDS = "import sys; sys.exit(int(sys.argv[1]))"
WAITS = "print(flush=True); time.sleep(60)"
ASKED = f"import signal, sys, time; signal.signal(15, lambda *_: sys.exit(9)); {WAITS}"
DEAF = f"import signal, time; signal.signal(15, signal.SIG_IGN); {WAITS}"


class Python:
    """Starts programs of one line, and keeps their processes."""

    def __init__(self) -> None:
        self.children: list[subprocess.Popen[bytes]] = []

    def __call__(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", program, *arguments]
        self.children.append(subprocess.Popen(command, stdout=subprocess.PIPE))
        return self.children[-1]

    def ready(self, program: str) -> subprocess.Popen[bytes]:
        """One that has said its first line."""
        child = self(program)
        assert child.stdout is not None
        child.stdout.readline()
        return child


@pytest.fixture
def python() -> Iterator[Python]:
    made = Python()
    yield made
    for child in made.children:
        child.kill()
        child.communicate()


def loop(
    state: State, clock: Clock, launch: Callable[[Due], subprocess.Popen[bytes]], *, parallel: int = 8
) -> Loop:
    return Loop(
        Calendar(state),
        launch,
        health=Health(patience=60),
        now=clock,
        parallel=parallel,
        poll=0.05,
        grace=1.0,
    )


def test_once_runs_what_is_due_and_ends_with_the_worst_status(
    state: State, clock: Clock, python: Python
) -> None:
    ends = {"A": 0, "B": 8, "C": 9}
    for name in ends:
        export(state, name)
    clock.move(hours=14)
    made = loop(state, clock, lambda due: python(ENDS, str(ends[due.export.name])), parallel=2)
    assert made.once(threading.Event()) is ExitStatus.TEMPORARY
    clock.move(hours=-14)
    assert made.once(threading.Event()) is ExitStatus.DONE


def test_the_log_says_that_what_somebody_has_to_mend_does_not_run_by_itself(
    state: State, clock: Clock, python: Python, caplog: pytest.LogCaptureFixture
) -> None:
    ends = {"A": ExitStatus.INVALID, "B": ExitStatus.INVALID}
    for name in ends:
        export(state, name)
    clock.move(hours=14)

    def launch(due: Due) -> subprocess.Popen[bytes]:
        # B's segment fails, so that its run is skipped: that pauses nothing.
        if due.export.name == "A":
            schedule = state.schedules.of(due.export.id)
            paused = dataclasses.replace(schedule, paused="CDP-304: no file", paused_at=clock.now)
            state.schedules.set(due.export.id, paused)
        return python(ENDS, str(int(ends[due.export.name])))

    loop(state, clock, launch).once(threading.Event())
    said = {record.message for record in caplog.records}
    again = "it runs by itself again once that is mended and somebody has run it"
    assert f"A: {ExitStatus.INVALID.meaning}; {again}" in said
    assert f"B: {ExitStatus.INVALID.meaning}" in said


def test_the_log_says_the_fault_that_is_written_down_and_else_what_the_status_means(
    state: State, clock: Clock, python: Python, caplog: pytest.LogCaptureFixture
) -> None:
    status = ExitStatus.RECONNECT
    before = timedelta(days=1)
    written = {
        "A": ("CDP-608: not the app's", timedelta()),
        "B": ("no fault's", timedelta()),
        "C": ("CDP-608: of an earlier moment", before),
    }
    for name in written:
        export(state, name)
    clock.move(hours=14)

    def launch(due: Due) -> subprocess.Popen[bytes]:
        message, earlier = written[due.export.name]
        lease = state.leases.take(lease_name(due.export.id), this_process(), ttl=60)
        ended = DueRun(
            export_id=due.export.id,
            due_at=due.due_at - earlier,
            outcome=DueOutcome.FAILED,
            exit_status=int(status),
            message=message,
        )
        state.due_runs.save(lease, ended)
        state.leases.release(lease)
        return python(ENDS, str(int(status)))

    loop(state, clock, launch).once(threading.Event())
    said = {record.message for record in caplog.records if record.levelno == logging.WARNING}
    assert said == {"A: CDP-608: not the app's", f"B: {status.meaning}", f"C: {status.meaning}"}


def test_a_process_that_crashes_is_a_fault_and_keeps_no_other_from_its_turn(
    state: State, clock: Clock, python: Python
) -> None:
    export(state, "A")
    export(state, "B")
    clock.move(hours=14)
    ran = []

    def launch(due: Due) -> subprocess.Popen[bytes]:
        ran.append(due.export.name)
        return python("import os; os.kill(os.getpid(), 9)" if due.export.name == "A" else "")

    assert loop(state, clock, launch, parallel=1).once(threading.Event()) is ExitStatus.FAULT
    assert sorted(ran) == ["A", "B"]


@pytest.mark.parametrize(("program", "code"), [(ASKED, 9), (DEAF, -9)])
def test_stopping_asks_what_is_under_way_to_end_and_kills_what_does_not(
    state: State, clock: Clock, python: Python, program: str, code: int
) -> None:
    export(state, "A")
    clock.move(hours=14)
    stop = threading.Event()

    def launch(due: Due) -> subprocess.Popen[bytes]:
        stop.set()
        return python.ready(program)

    loop(state, clock, launch).forever(stop)
    assert [child.returncode for child in python.children] == [code]


def test_an_export_that_is_under_way_is_not_started_again(state: State, clock: Clock, python: Python) -> None:
    export(state, "A")
    clock.move(hours=14)
    stop = threading.Event()
    stopping = threading.Timer(0.5, stop.set)
    stopping.start()
    loop(state, clock, lambda due: python.ready(ASKED)).forever(stop)
    stopping.join()
    assert len(python.children) == 1


def test_health_is_told_over_http_and_in_a_file(tmp_path: Path) -> None:
    health = Health(patience=0.3, file=tmp_path / "health.json")

    def ask(port: int, path: str) -> int:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refused:
            refused.close()
            return refused.code

    with served(health, ("127.0.0.1", 0)) as port:
        assert (ask(port, "/healthz"), ask(port, "/readyz"), ask(port, "/")) == (200, 503, 404)
        health.beat()
        assert ask(port, "/readyz") == 200
        assert json.loads((tmp_path / "health.json").read_text()) == {"alive": True, "ready": True}
        health.stopping()
        assert (ask(port, "/healthz"), ask(port, "/readyz")) == (200, 503)
        assert json.loads((tmp_path / "health.json").read_text()) == {"alive": True, "ready": False}
        until = time.monotonic() + 10
        while ask(port, "/healthz") == 200:
            assert time.monotonic() < until, "a loop that stands still is alive for ever"


def test_a_health_file_that_cannot_be_written_is_told_once_until_it_can_be(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "hf"
    folder.mkdir()
    health = Health(patience=60, file=folder / "h")
    told = []
    for there in (True, False, False, True, False):
        if there:
            folder.mkdir(exist_ok=True)
        else:
            shutil.rmtree(folder, ignore_errors=True)
        caplog.clear()
        health.beat()
        assert health.ready
        assert (folder / "h").exists() is there
        told.append([(record.levelno, record.__dict__["event"]) for record in caplog.records])
    warned = [(logging.WARNING, LogEvent.HEALTH_NOT_WRITTEN)]
    assert told == [[], warned, [], [], warned]
    assert caplog.messages == [f"the health file {folder / 'h'} cannot be written: No such file or directory"]


def test_a_loop_that_has_ended_says_so(tmp_path: Path, state: State, clock: Clock, python: Python) -> None:
    stop, file = threading.Event(), tmp_path / "health.json"
    stop.set()
    health = Health(patience=60, file=file)
    Loop(
        Calendar(state),
        lambda due: python.ready(ASKED),
        health=health,
        now=lambda: clock.now,
        parallel=1,
        poll=0.1,
        grace=1,
    ).forever(stop)
    assert json.loads(file.read_text()) == {"alive": False, "ready": False}
