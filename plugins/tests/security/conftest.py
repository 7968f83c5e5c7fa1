"""Attacks on the product as it is: a real `cdp`, the simulator, and what somebody hostile could put there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cdp_snapchat.simulator import SnapchatSimulator, snapchat_simulator
from main_job import Cdp, Job, cdp_in, job_in


@pytest.fixture
def simulator() -> Iterator[SnapchatSimulator]:
    with snapchat_simulator(rate_limit=False, client_secret="s3cret-of-the-app") as running:
        yield running


@pytest.fixture
def cdp(tmp_path: Path) -> Cdp:
    return cdp_in(tmp_path)


@pytest.fixture
def job(cdp: Cdp, simulator: SnapchatSimulator) -> Job:
    return job_in(cdp, simulator)
