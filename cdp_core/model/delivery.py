"""Batches, what the service answers to them, and the audiences that they go to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Operation(StrEnum):
    """`remove-all` empties the audience and carries no digest."""

    ADD = "add"
    REMOVE = "remove"
    REMOVE_ALL = "remove-all"


# Those that carry digests.
OF_DIGESTS = (Operation.ADD, Operation.REMOVE)


class BatchStatus(StrEnum):
    """`journaled`: written down, no answer yet. The others are final.

    `halved`: refused for its content, and sent again as two batches that its digests are counted with;
    `dead_letter`: so refused, and standing alone; `refused` is every other refusal. `left_out`: suppressed
    since it was planned, and never sent.
    """

    JOURNALED = "journaled"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    HALVED = "halved"
    DEAD_LETTER = "dead_letter"
    UNKNOWN = "unknown"
    NOT_SENT = "not_sent"
    LEFT_OUT = "left_out"


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRange:
    """Which digests of a plan a batch holds: `count` of them from the `start`-th (from 0) among the
    plan's digests of that operation and kind, in the plan file's order. `again` are those that were
    refused before, which have a file of their own. A `remove-all` has no kind, and counts the digests of
    all kinds that go with it."""

    operation: Operation
    kind: str
    start: int
    count: int
    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchOutcome:
    """What became of a batch; a journaled batch whose run died counts as `unknown`."""

    range: BatchRange
    status: BatchStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What the service answered to a batch, and no more than it said.

    `accepted` is whether it took the batch; where it did not, `message` is its own reason.
    `request_id` is the service's own, for its support. A service that answers for each record says in
    `refused` which it did not take of a batch that it took: places in the batch (from 0), with its reasons.
    """

    accepted: bool
    request_id: str = ""
    http_status: int = 0
    message: str = ""
    refused: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How often a batch is tried, and how long is waited between (seconds, doubling, with jitter)."""

    attempts: int = 7
    first_wait: float = 1.0
    longest_wait: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """A list at the service. `origin` (scheme, host, port of the API) keeps a simulator's audience
    apart from the real one; statuses are the service's words; None where it does not say.

    `holds_nobody` is whether the service says that nothing was ever uploaded, or that it was emptied since.
    `warning` is a sentence for people on what the audience is not good for as it is.
    """

    id: str
    name: str = ""
    origin: str = ""
    description: str = ""
    upload_status: str | None = None
    targetable_status: str | None = None
    approximate_number_users: int | None = None
    retention_in_days: int | None = None
    created_at: datetime | None = None
    holds_nobody: bool | None = None
    warning: str = ""
    details: Any = None


@dataclass(frozen=True, slots=True, order=True)
class AudienceKey:
    """What makes an audience the same one, whatever connection reaches it."""

    destination: str
    origin: str
    audience_id: str

    def __str__(self) -> str:
        return f"{self.destination} audience {self.audience_id} at {self.origin}"
