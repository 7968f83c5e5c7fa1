"""The sums that a run must balance to (`docs/explanation/accounting.md`)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why a value is not sent. The order is the precedence where several hold."""

    MISSING = "missing"
    PLACEHOLDER = "placeholder"
    MALFORMED = "malformed"
    UNSUPPORTED = "unsupported"
    WITHOUT_CONSENT = "without_consent"
    SUPPRESSED = "suppressed"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True, kw_only=True)
class KindCounts:
    """Counts of values for one identifier kind. `read` is members times the fields matched;
    `removed`, `released` and `kept` count claims of the ledger that are not wanted any more; `owed` are
    those of the removed that are suppressed or without consent, which nothing may hold back.

    In the mode `remove` the removed are the distinct values read (`named`) and the owed among the claims;
    `unclaimed` are those of the removed that no export has put there. `resent` are claims that are sent
    again on purpose; they count as unchanged, too, or as kept. `held_back` are digests that would be added,
    but for an inactive segment. `replaced` are those of the removed that another version of the same row
    takes the place of.
    """

    read: int = 0
    added: int = 0
    unchanged: int = 0
    named: int = 0
    duplicate: int = 0
    missing: int = 0
    malformed: int = 0
    placeholder: int = 0
    unsupported: int = 0
    without_consent: int = 0
    suppressed: int = 0
    removed: int = 0
    owed: int = 0
    released: int = 0
    kept: int = 0
    unclaimed: int = 0
    resent: int = 0
    held_back: int = 0
    replaced: int = 0

    @property
    def distinct(self) -> int:
        """Digests that the values read have come to: in the mode `remove` those to be taken out, else those
        that belong in the audience today."""
        return self.added + self.unchanged + self.named

    @property
    def valid(self) -> int:
        """Values that yield a digest that may be sent."""
        return self.distinct + self.held_back + self.duplicate

    @property
    def balances(self) -> bool:
        explained = (
            self.distinct
            + self.held_back
            + self.duplicate
            + self.missing
            + self.malformed
            + self.placeholder
            + self.unsupported
            + self.without_consent
            + self.suppressed
        )
        return self.read == explained

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryCounts:
    """What became of the planned digests; `dead_letters` are those among the refused that stand alone, and
    `left_out` those of the not sent that were suppressed since they were planned.

    `requests` counts attempts, `retries` those after a batch's first, and `halves` the batches that were
    sent beyond the plan's own, to find which digests are refused.
    """

    planned: int = 0
    accepted: int = 0
    refused: int = 0
    unknown: int = 0
    not_sent: int = 0
    left_out: int = 0
    dead_letters: int = 0
    requests: int = 0
    retries: int = 0
    halves: int = 0

    @property
    def balances(self) -> bool:
        return self.planned == self.accepted + self.refused + self.unknown + self.not_sent

    def as_dict(self) -> dict[str, int]:
        return asdict(self)
