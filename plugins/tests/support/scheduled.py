"""Exports that are due, whatever the clock says, and what became of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from by_hand import by_hand
from cdp_core.store.tables import due_runs, exports, schedules
from main_job import Job

NAME = "Loyal to Snapchat"


def until(true: Callable[[], Any], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.05)


def make_due(job: Job, *names: str) -> None:
    """Let the exports have been due a minute ago, as if the scheduler had not run then."""
    for name in names:
        job.cdp("export", "schedule", name, "--cron", "* * * * *", "--timezone", "UTC")
    waited(job)


def waited(job: Job) -> None:
    """More than a minute has passed since the schedules were set."""
    now = datetime.now(UTC)
    with by_hand(job.cdp) as state:
        state.execute(due_runs.delete())
        state.execute(schedules.update().values(since=now - timedelta(seconds=61)))
        state.execute(exports.update().values(created_at=now - timedelta(days=1)))


def last(job: Job, name: str = NAME) -> dict[str, Any]:
    shown = job.cdp.json("schedule", "show")["exports"]
    found: dict[str, Any] = next(each for each in shown if each["export"] == name)
    return found
