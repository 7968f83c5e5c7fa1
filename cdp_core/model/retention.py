"""How long what runs leave is kept, and what a purge has taken away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """In days; 0 keeps forever. `history` are runs with what services answered to their batches; `receipts`
    are those of erasures and of withdrawn consent."""

    plans: int = 400
    dead_letters: int = 90
    history: int = 730
    receipts: int = 1825

    def before(self, what: str, now: datetime) -> datetime | None:
        """What is older than that goes; None where nothing does."""
        days: int = getattr(self, what)
        return now - timedelta(days=days) if days else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Purged:
    """How many of each went, or would go; `skipped` are the audiences of which nothing did, with why."""

    plans: int = 0
    dead_letters: int = 0
    runs: int = 0
    erasures: int = 0
    withdrawals: int = 0
    skipped: Mapping[str, str]
    dry_run: bool

    def counts(self) -> dict[str, int]:
        return {
            "plans": self.plans,
            "dead_letters": self.dead_letters,
            "runs": self.runs,
            "erasures": self.erasures,
            "withdrawals": self.withdrawals,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgone:
    """Runs that a ledger stands on and whose receipts were purged: how many, and what they changed."""

    runs: int
    added: int
    removed: int
    until: datetime
