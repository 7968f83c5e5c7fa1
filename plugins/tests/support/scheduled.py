"""Exports that are due, whatever the clock says, and what became of them."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from typing import Any

from main_job import Job

NAME = "Loyal to Snapchat"


def until(true: Callable[[], Any], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.05)


def alter(job: Job, *statements: str) -> None:
    """Change the state behind everybody's back."""
    with sqlite3.connect(job.cdp.folder / ".cdp" / "state.db") as state:
        for statement in statements:
            state.execute(statement)
    state.close()


def make_due(job: Job, *names: str) -> None:
    """Let the exports have been due a minute ago, as if the scheduler had not run then."""
    for name in names:
        job.cdp("export", "schedule", name, "--cron", "* * * * *", "--timezone", "UTC")
    alter(
        job,
        "DELETE FROM due_runs",
        "UPDATE schedules SET since = datetime('now', '-61 seconds')",
        "UPDATE exports SET created_at = datetime('now', '-1 day')",
    )


def last(job: Job, name: str = NAME) -> dict[str, Any]:
    shown = job.cdp.json("schedule", "show")["exports"]
    found: dict[str, Any] = next(each for each in shown if each["export"] == name)
    return found
