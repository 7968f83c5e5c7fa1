"""Fixtures of the end-to-end tests: the simulator, a folder to type in, and the main job set up in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from cdp_snapchat.simulator import SnapchatSimulator, snapchat_simulator
from main_job import QUICK, Cdp, Job, add_connection, add_export, customers
from postgres_server import postgres  # noqa: F401 - a fixture


@pytest.fixture
def simulator() -> Iterator[SnapchatSimulator]:
    with snapchat_simulator(rate_limit=False, client_secret="s3cret-of-the-app") as running:
        yield running


@pytest.fixture
def cdp(tmp_path: Path) -> Cdp:
    folder = tmp_path / "a folder with a space"
    folder.mkdir()
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("CDP_") and name.lower() not in ("http_proxy", "https_proxy", "all_proxy")
    }
    environ = kept | {
        "HOME": str(tmp_path),
        "CDP_VAULT": "file",
        "SNAP_SECRET": "s3cret-of-the-app",
        "COLUMNS": "200",
    }
    return Cdp(folder=folder, environ=environ)


@pytest.fixture
def job(cdp: Cdp, simulator: SnapchatSimulator) -> Job:
    """Ready to run over 1,000 loyal customers, with batches of 100 and little patience."""
    made = Job(cdp=cdp, simulator=simulator, profiles=cdp.folder / "profiles.parquet")
    made.write(customers(range(1000)) + customers(range(1000, 1200), value=10))
    cdp("init", "--profiles", "profiles.parquet", "--key", "customer_id")
    settings = cdp.folder / ".cdp" / "cdp.toml"
    settings.write_text(settings.read_text() + QUICK)
    cdp("segment", "add", "Loyal customers", "--where", "lifetime_value > 500")
    add_connection(cdp, simulator)
    cdp.sign_in("Snapchat EU")
    add_export(cdp)
    simulator.clear_requests()
    return made
