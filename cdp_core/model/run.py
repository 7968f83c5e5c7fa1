"""One execution of an export, from lease to commit, and the events that it tells of on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

from cdp_core.model.accounting import DeliveryCounts, KindCounts
from cdp_core.model.delivery import Audience
from cdp_core.model.word import Word


class RunStatus(Word):
    PLANNING = "planning", "profiles are read, and the plan is made"
    PLANNED = "planned", "the plan is on disk; nothing was sent"
    DELIVERING = "delivering", "batches are sent"
    COMMITTED = "committed", "what the service accepted stands in the ledger"
    FAILED = "failed", "it stopped with an error, which the run has"
    CANCELED = "canceled", "somebody canceled it"
    SKIPPED = "skipped", "nobody was added, since a segment is inactive or fails; who must go was taken out"
    WAITING = "waiting for approval", "the plan waits for somebody else's yes"

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
    added. `claims` are the digests that the ledger held for the export when the run was committed, and `held`
    those that it held for every export on the audience (None: it was not, or an earlier version did it)."""

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
    claims: int | None = None
    held: int | None = None

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


class Station(Word):
    """The rooms that data passes, for progress and traces; `meaning` says what is done there."""

    RUN = "run", "the whole run, for observers alone; when it has ended, the event brings it"
    SETTLE = "settle", "what an earlier run left is settled, before anything is read"
    PREPARE = "prepare", "profiles are read, selected, turned into digests, and screened"
    COMPARE = "compare", "what is wanted is compared with the ledger, and the plan is written"
    DELIVER = "deliver", "batches are sent; `done` of `total` digests have their answer"
    COMMIT = "commit", "the ledger is written"
    READ_BACK = "read back", "the service is asked how it sees the audience"


EventState = Literal["started", "progress", "ended"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEvent:
    """A moment of a run, for observers and the progress bar.

    `done` and `total` count digests within the station (0 where it does not count); `note` is a
    sentence for people, without personal data. `run` is what is known of the run when it has ended.
    """

    run_id: str
    export: str
    station: Station
    state: EventState
    done: int = 0
    total: int = 0
    note: str = ""
    run: Run | None = None
