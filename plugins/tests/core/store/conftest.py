"""A state on disk, a clock that stands still until it is moved, and processes of their own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cdp_core.store.state import State

Spawn = Callable[..., subprocess.Popen[str]]

_PROLOGUE = """
import sys, time
from pathlib import Path
from cdp_core.model.delivery import *
from cdp_core.store.processes import this_process
from cdp_core.store.state import State
state = State.open(Path(sys.argv[1]))
def say(*words):
    print(*words, flush=True)
"""


class Clock:
    def __init__(self) -> None:
        # Not after the clock of the processes that a test starts.
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture
def state(path: Path, clock: Clock) -> Iterator[State]:
    with State.create(path, clock=clock) as made:
        yield made


@pytest.fixture
def spawn(path: Path) -> Iterator[Spawn]:
    """Starts a program with the state open as `state`; whatever still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(program: str, *arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", _PROLOGUE + program, str(path), *map(str, arguments)]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
        started.append(child)
        return child

    yield start
    for child in started:
        child.kill()
        child.communicate()
