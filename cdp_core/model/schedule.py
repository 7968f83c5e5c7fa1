"""When exports run by themselves, and what became of each moment at which one was due."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from cdp_core.errors import ExitStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """Moments in a time zone, as cron lines of five fields: `0 2 * * *` is two o'clock every night.

    It is due at every moment that any of the lines names.
    """

    lines: tuple[str, ...]
    timezone: str

    def as_dict(self) -> dict[str, Any]:
        return {"lines": list(self.lines), "timezone": self.timezone}

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Recurrence:
        return cls(lines=tuple(kept["lines"]), timezone=kept["timezone"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Of the refresh, or of one export. An export without a recurrence of its own follows the refresh.

    `active` is what people switch; a schedule that is off keeps its recurrence. `paused` is why the
    scheduler itself holds an export back until somebody has mended something; `since` is when the schedule
    was last set or switched: nothing before counts as missed.
    """

    recurrence: Recurrence | None = None
    active: bool = True
    paused: str | None = None
    paused_at: datetime | None = None
    since: datetime | None = None
    set_by: str = ""


class DueOutcome(StrEnum):
    """`running` also where the process died: who takes the lease next finds out. `waiting` is tried again
    at `next_try_at`; `superseded` was still open when the next moment came."""

    RUNNING = "running"
    WAITING = "waiting"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"
    SUPERSEDED = "superseded"

    @property
    def is_open(self) -> bool:
        return self in (DueOutcome.RUNNING, DueOutcome.WAITING)


@dataclass(frozen=True, slots=True, kw_only=True)
class DueRun:
    """One moment at which an export was due. `missed` are earlier moments that this one stands for,
    because nobody ran them in their time; `exit_status` is the run's, and `message` says why it failed, waits
    or was skipped."""

    export_id: str
    due_at: datetime
    outcome: DueOutcome
    attempts: int = 1
    missed: int = 0
    run_id: str | None = None
    exit_status: int | None = None
    message: str = ""
    next_try_at: datetime | None = None
    updated_at: datetime | None = None

    @property
    def is_at_fault(self) -> bool:
        """Whether somebody has to look: it failed, or was skipped because of a fault (a segment of it fails),
        not because that is meant or was asked for."""
        return self.outcome is DueOutcome.FAILED or (
            self.outcome is DueOutcome.SKIPPED and self.exit_status == ExitStatus.INVALID
        )
