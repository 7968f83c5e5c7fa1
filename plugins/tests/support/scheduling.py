"""What tests of the scheduler look at, and how they make something due without waiting for it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from typing import Any

from main_job import Job


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


def last(job: Job, name: str = "Loyal to Snapchat") -> dict[str, Any]:
    shown = job.cdp.json("schedule", "show")["exports"]
    found: dict[str, Any] = next(each for each in shown if each["export"] == name)
    return found
