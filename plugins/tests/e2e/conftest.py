"""Fixtures of the end-to-end tests: the simulator, a folder to type in, and the main job set up in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cdp_snapchat.simulator import SnapchatSimulator, snapchat_simulator
from main_job import Cdp, Job, cdp_in, job_in
from postgres_server import postgres  # noqa: F401 - a fixture
from shared_state import found_within, in_postgresql, sharing


@pytest.fixture
def simulator() -> Iterator[SnapchatSimulator]:
    with snapchat_simulator(rate_limit=False, client_secret="s3cret-of-the-app") as running:
        yield running


@pytest.fixture
def cdp(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Cdp:
    """Its state is in a file, or where the environment asks for it in PostgreSQL."""
    made = cdp_in(tmp_path)
    if not in_postgresql() or request.node.get_closest_marker("state_in_a_file"):
        return made
    shared = sharing(made, request.getfixturevalue("postgres"))
    found_within(monkeypatch, shared)
    return shared


@pytest.fixture
def job(cdp: Cdp, simulator: SnapchatSimulator) -> Job:
    return job_in(cdp, simulator)
