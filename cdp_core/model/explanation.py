"""What is known of one digest: where it belongs today, what each audience's runs made of it, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from cdp_core.model.accounting import Reason
from cdp_core.model.delivery import BatchStatus
from cdp_core.model.journal import DeadLetter
from cdp_core.model.policy import Mode
from cdp_core.model.suppression import Suppression


class Held(StrEnum):
    """Whether an audience's ledger holds a digest for an export; `perhaps` where an answer never came."""

    YES = "yes"
    PERHAPS = "perhaps"
    NO = "no"


class Why(StrEnum):
    """Why an export does not want a digest in its audience, or cannot have it there."""

    NOT_MATCHED = "not_matched"
    IN_NO_SEGMENT = "in_no_segment"
    WITHOUT_CONSENT = "without_consent"
    SUPPRESSED = "suppressed"
    DEAD_LETTER = "dead_letter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What one run did with a digest, or had planned. `batch` is None where no batch carried it: then
    nothing was sent. `status` is the batch's, or of it what became of this digest."""

    run_id: str
    export: str
    at: datetime
    act: str  # add | remove | claim | release | emptied
    batch: int | None = None
    status: BatchStatus | None = None
    attempts: int = 0
    request_id: str = ""
    http_status: int = 0
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadPlan:
    """A run whose plan could not be searched."""

    run_id: str
    purged: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportStanding:
    """One export and a digest today. `why` it is not wanted in the audience, or in the mode `remove` why it
    is left alone; None where it is wanted, or taken out there. `segments` are those of its segments that
    have it, `keys` the rows that yield it; `consent` is None where nobody asks, or nothing is known."""

    export: str
    audience: str
    held: Held
    why: Why | None
    mode: Mode = Mode.MIRROR
    segments: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    consent: bool | None = None
    dead_letter: DeadLetter | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AudienceHistory:
    """What all runs on an audience did with a digest, the oldest first."""

    audience: str
    moments: tuple[Moment, ...]
    unread: tuple[UnreadPlan, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """`normalised` is masked, and None where a digest was given. Where no rule takes what was given,
    `digest` is None and `reasons` say why, by kind."""

    kind: str | None
    digest: bytes | None
    normalised: str | None
    reasons: Mapping[str, Reason] = field(default_factory=dict)
    suppression: Suppression | None = None
    exports: tuple[ExportStanding, ...] = ()
    audiences: tuple[AudienceHistory, ...] = ()
