"""One execution of an export, from lease to commit, and the events that it tells of on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from cdp_core.model.accounting import DeliveryCounts, KindCounts
from cdp_core.model.delivery import Audience


class RunStatus(StrEnum):
    PLANNING = "planning"
    PLANNED = "planned"
    DELIVERING = "delivering"
    COMMITTED = "committed"
    FAILED = "failed"
    CANCELED = "canceled"
    SKIPPED = "skipped"
    WAITING = "waiting for approval"

    @property
    def is_final(self) -> bool:
        """Whether its process has nothing left to do: a plan that waits is delivered by another run."""
        return self not in (RunStatus.PLANNING, RunStatus.PLANNED, RunStatus.DELIVERING)

    @property
    def shown(self) -> Shown:
        return _SHOWN[self]


class Shown(StrEnum):
    """How an export stands, in the words of the model system; `queued` is due, and nobody has begun."""

    QUEUED = "queued"
    PROCESSING = "processing"
    PLANNED = "planned"
    SUCCESSFUL = "successful"
    FAILED = "failed"
    CANCELED = "canceled"
    SKIPPED = "skipped"
    WAITING = "waiting-for-approval"


_SHOWN = {
    RunStatus.PLANNING: Shown.PROCESSING,
    RunStatus.PLANNED: Shown.PLANNED,
    RunStatus.DELIVERING: Shown.PROCESSING,
    RunStatus.COMMITTED: Shown.SUCCESSFUL,
    RunStatus.FAILED: Shown.FAILED,
    RunStatus.CANCELED: Shown.CANCELED,
    RunStatus.SKIPPED: Shown.SKIPPED,
    RunStatus.WAITING: Shown.WAITING,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What the history keeps. `resumed_from` names the run whose leftovers this one settled;
    `settled_by` the run that settled this one's. `drift` are sentences on how what the service said of the
    audience before anything was sent cannot be what the ledger says; `skipped_because` says why nobody was
    added."""

    id: str
    export_id: str
    export_name: str
    status: RunStatus
    actor: str
    started_at: datetime
    dry_run: bool = False
    ended_at: datetime | None = None
    plan_id: str | None = None
    kinds: Mapping[str, KindCounts] = field(default_factory=dict)
    members: int = 0
    profiles: int = 0
    delivered: DeliveryCounts = field(default_factory=DeliveryCounts)
    audience: Audience | None = None
    seconds: float = 0.0
    resumed_from: str | None = None
    settled_by: str | None = None
    error_code: str | None = None
    error: str | None = None
    error_hint: str | None = None
    drift: tuple[str, ...] = ()
    skipped_because: str = ""

    @property
    def released(self) -> int:
        """Claims given up without a removal."""
        return sum(counts.released for counts in self.kinds.values())

    @property
    def only_released(self) -> bool:
        """Whether it let go of its export's members without a plan: they stay in the audience."""
        return self.status is RunStatus.COMMITTED and self.plan_id is None

    @property
    def is_over(self) -> bool:
        """Whether nothing of it is left to be done or settled."""
        return self.dry_run or self.status.is_final


class Station(StrEnum):
    """The rooms that data passes, for progress and traces; `run` is the whole run, for observers alone."""

    RUN = "run"
    SETTLE = "settle"
    PREPARE = "prepare"
    COMPARE = "compare"
    DELIVER = "deliver"
    COMMIT = "commit"
    READ_BACK = "read back"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEvent:
    """A moment of a run, for observers and the progress bar.

    `done` and `total` count digests within the station (0 where it does not count); `note` is a
    sentence for people, without personal data. `run` is what is known of the run when it has ended.
    """

    run_id: str
    export: str
    station: Station
    state: str  # started | progress | ended
    done: int = 0
    total: int = 0
    note: str = ""
    run: Run | None = None
