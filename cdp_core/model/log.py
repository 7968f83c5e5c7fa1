"""Events of the log: what a process that nobody watches tells of, by a name that a program can stand on.

In `--log-format json` a line has the name under `event`, and beside it the fields that stand here.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any


class LogEvent(StrEnum):
    """`meaning` says when it is told, `fields` what its line has besides."""

    STARTED = "started", "the scheduler runs"
    HEALTH = "health", "where `/healthz` and `/readyz` answer", "port"
    HEALTH_NOT_WRITTEN = (
        "health-not-written",
        "the health file cannot be written; told once until it can be written again, and ends nothing",
        "file",
    )
    DUE = "due", "an export is due, and its run is started", "export", "due_at", "attempt"
    MISSED = (
        "missed",
        "no scheduler ran some earlier moments of an export; the run that is started stands for them",
        "export",
        "due_at",
        "attempt",
        "missed",
    )
    STATION = "station", "a run has passed a station", "export", "run", "station", "done"
    DONE = "done", "a scheduled run has come to its end", "export", "run", "outcome"
    FAILED = "failed", "a scheduled run could not be begun", "export", "code"
    ENDED = "ended", "the process of a scheduled run has ended", "export", "exit_status"
    KILLED = "killed", "the process of a run did not end in time when the scheduler was stopped", "export"
    STATE_BUSY = "state-busy", "the state could not be read at this round; the next one tries again"
    ALERT_NOT_SENT = "alert-not-sent", "an alert could not be sent, and is tried again", "export"
    PURGED = (
        "purged",
        "what was kept long enough is purged; how many of each",
        "plans",
        "dead_letters",
        "runs",
        "erasures",
        "withdrawals",
    )
    NOT_PURGED = "not-purged", "purging failed by a fault of ours"
    ERASURE_WAITS = "erasure-waits", "an erasure is not at its end, and a later run goes on with it"
    STOPPING = "stopping", "a signal has come: what is under way ends, or has been ended"
    STOPPED = "stopped", "the scheduler has stopped"
    BROKE_OFF = "broke-off", "the process ended by a fault", "code", "where", "hint"

    meaning: str
    fields: tuple[str, ...]

    def __new__(cls, name: str, meaning: str, *fields: str) -> LogEvent:
        event = str.__new__(cls, name)
        event._value_ = name
        event.meaning = meaning
        event.fields = fields
        return event

    def about(self, **fields: Any) -> dict[str, Any]:
        """What a call that logs takes as `extra`."""
        return {"event": str(self), **fields}
