"""What is written down of a run on its way: the plan it made, and its batches with what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cdp_core.model.delivery import BatchOutcome, BatchRange, BatchStatus, Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRecord:
    """A plan on disk. `sha256` is its file's; `basis` has a digest or version for each thing that it
    stands on besides the profiles (settings, ledger, …); `summary` is what people look at."""

    id: str
    export_id: str
    run_id: str
    folder: str
    sha256: str
    created_at: datetime
    basis: Mapping[str, str] = field(default_factory=dict)
    summary: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRecord:
    """A journaled batch. `sent_at` is the last attempt's; `answered_at` is None while there is no receipt;
    `half_of` is the number of the refused batch that it is a half of; `left_out` are digests of its range
    that were suppressed meanwhile: never sent, or unknown where an earlier attempt may have carried them; and
    those that the service refused of a batch that it took (`halved`), which are batches of their own."""

    id: str
    run_id: str
    number: int
    half_of: int | None = None
    range: BatchRange
    status: BatchStatus
    left_out: tuple[BatchOutcome, ...] = ()
    attempts: int = 0
    request_id: str = ""
    http_status: int = 0
    message: str = ""
    opened_at: datetime
    sent_at: datetime | None = None
    answered_at: datetime | None = None

    @property
    def carries(self) -> int:
        """How many digests its newest request holds, or would hold."""
        left = (each for each in self.left_out if each.status is not BatchStatus.HALVED)
        return self.range.count - sum(each.range.count for each in left)


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalTotals:
    """Requests that went out for a run; `retries` are those after a batch's first, `halves` the batches
    that were sent beyond the plan's own, as halves of refused ones."""

    requests: int = 0
    retries: int = 0
    halves: int = 0


NOTHING_SENT = JournalTotals()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A digest that the service refused when it stood alone, as it said so last: in which run, when (UTC),
    and with which words of its own."""

    operation: Operation
    kind: str
    digest: bytes
    reason: str
    request_id: str
    http_status: int
    run_id: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterChange:
    """What a run makes of an export's dead letters: of those before, the ones in `waiting` stay (by
    operation, kind and digest; None: all) and all others go; those in `refused` come, or come anew."""

    waiting: frozenset[tuple[Operation, str, bytes]] | None = frozenset()
    refused: tuple[DeadLetter, ...] = ()


NO_LETTERS = DeadLetterChange()
