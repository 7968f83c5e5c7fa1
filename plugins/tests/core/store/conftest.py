"""A state in a file and one in PostgreSQL, a clock that stands still, and processes of their own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cdp_core.store.backend import Place, Server
from cdp_core.store.state import State
from postgres_server import postgres  # noqa: F401 - a fixture

Spawn = Callable[..., subprocess.Popen[str]]

_PROLOGUE = """
import sys, time
from pathlib import Path
from cdp_core.model.delivery import *
from cdp_core.store.backend import Server
from cdp_core.store.processes import this_process
from cdp_core.store.state import State
place = sys.argv[1]
state = State.open(Server(url=place) if "://" in place else Path(place))
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


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for the file's `path` is about SQLite; every other one runs on both databases."""
    if "kind" in metafunc.fixturenames:
        about_the_file = "path" in metafunc.fixturenames
        metafunc.parametrize("kind", ["sqlite"] if about_the_file else ["sqlite", "postgresql"])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture
def place(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Place:
    """Where a state of the test's own can be made."""
    if kind == "sqlite":
        return tmp_path / "state.db"
    server: Server = request.getfixturevalue("postgres").state_place()
    return server


@pytest.fixture
def state(place: Place, clock: Clock) -> Iterator[State]:
    with State.create(place, clock=clock) as made:
        yield made


@pytest.fixture
def spawn(place: Place) -> Iterator[Spawn]:
    """Starts a program with the state open as `state`; whatever still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(program: str, *arguments: object) -> subprocess.Popen[str]:
        where = place.url if isinstance(place, Server) else str(place)
        command = [sys.executable, "-c", _PROLOGUE + program, where, *map(str, arguments)]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
        started.append(child)
        return child

    yield start
    for child in started:
        child.kill()
        child.communicate()
