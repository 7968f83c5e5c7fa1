"""A person who is taken out of every audience for good, and the receipt of it: digests and answers alone."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cdp_core.model.delivery import AudienceKey

_HALF = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier:
    """A kind and a digest of it."""

    kind: str
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """One export's claim on one of a person's digests, and what the service answered when it was taken out.

    `digest` is a record's first half where whole rows leave. `run_id` and what follows are the newest try's;
    they are empty where none came so far, of which `message` says why. `confirmed` means that the service
    took the removal, or that the ledger came to hold it no more by another run.
    """

    audience: AudienceKey
    export_id: str
    export: str
    kind: str
    digest: bytes
    confirmed: bool = False
    tries: int = 0
    run_id: str | None = None
    batch: int | None = None
    request_id: str = ""
    http_status: int = 0
    message: str = ""
    sent_at: datetime | None = None
    answered_at: datetime | None = None

    @property
    def key(self) -> tuple[AudienceKey, str, str, bytes]:
        return self.audience, self.export_id, self.kind, self.digest

    @property
    def latency(self) -> float | None:
        """Seconds from the last attempt to its answer."""
        if self.sent_at is None or self.answered_at is None:
            return None
        return (self.answered_at - self.sent_at).total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """What the workspace kept of somebody besides, and keeps no more: how many of each."""

    ledger_files: int = 0
    plans: int = 0
    dead_letters: int = 0
    results: int = 0
    aside: int = 0

    def __add__(self, other: Forgotten) -> Forgotten:
        return Forgotten(
            ledger_files=self.ledger_files + other.ledger_files,
            plans=self.plans + other.plans,
            dead_letters=self.dead_letters + other.dead_letters,
            results=self.results + other.results,
            aside=self.aside + other.aside,
        )

    def as_dict(self) -> dict[str, int]:
        return {
            "ledger_files": self.ledger_files,
            "plans": self.plans,
            "dead_letters": self.dead_letters,
            "results": self.results,
            "aside": self.aside,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """`given` is what was typed; `identifiers` are that and what the profiles held beside it; `not_found` are
    the kinds that exports match and the profiles held none of. `pending` are the audiences that are not known
    to be done. `keys` are SHA-256 of the keys of the person's
    rows; they and the `secret` go when the erasure has ended."""

    id: str
    given: Identifier
    identifiers: tuple[Identifier, ...]
    not_found: tuple[str, ...]
    asked_by: str
    asked_at: datetime
    note: str = ""
    keys: tuple[bytes, ...] = ()
    secret: bytes = b""
    pending: tuple[AudienceKey, ...] = ()
    ended_at: datetime | None = None
    forgotten: Forgotten = field(default_factory=Forgotten)
    removals: tuple[Removal, ...] = ()

    @property
    def unconfirmed(self) -> tuple[Removal, ...]:
        return tuple(each for each in self.removals if not each.confirmed)

    @property
    def halves(self) -> tuple[bytes, ...]:
        """What the records of the person's rows begin with."""
        return tuple(key[:_HALF] for key in self.keys)

    def stand_in(self, digest: bytes) -> bytes:
        """What takes a digest's place where its place must be kept: the same first byte, and nothing that
        leads back to it once the secret is gone."""
        return digest[:1] + self._hidden(digest)[1:]

    def row_stand_in(self, record: bytes) -> bytes:
        """The same of a record, so that all versions of a row begin alike."""
        half = record[:1] + self._hidden(record[:_HALF])[1:_HALF]
        return half + self._hidden(record)[:_HALF]

    def _hidden(self, digest: bytes) -> bytes:
        return hmac.new(self.secret, digest, hashlib.sha256).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """What one run took out of an audience because consent was withdrawn: how many digests of each kind, and
    of the requests that carried them each once, with how many of these it carried and what became of them."""

    run_id: str
    export: str
    audience: str
    at: datetime
    kinds: Mapping[str, int]
    removals: tuple[WithdrawnBatch, ...]

    @property
    def confirmed(self) -> int:
        return sum(each.digests for each in self.removals if each.confirmed)

    @property
    def unconfirmed(self) -> int:
        return sum(self.kinds.values()) - self.confirmed


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawnBatch:
    """One batch of a run; `digests` are those of them that were withdrawn."""

    batch: int
    kind: str
    digests: int
    confirmed: bool
    status: str
    request_id: str = ""
    http_status: int = 0
    message: str = ""
    sent_at: datetime | None = None
    answered_at: datetime | None = None

    @property
    def latency(self) -> float | None:
        if self.sent_at is None or self.answered_at is None:
            return None
        return (self.answered_at - self.sent_at).total_seconds()

    def as_kept(self) -> dict[str, Any]:
        return {
            "batch": self.batch,
            "kind": self.kind,
            "digests": self.digests,
            "confirmed": self.confirmed,
            "status": self.status,
            "request_id": self.request_id,
            "http_status": self.http_status,
            "message": self.message,
            "sent_at": self.sent_at.isoformat() if self.sent_at else None,
            "answered_at": self.answered_at.isoformat() if self.answered_at else None,
        }

    @classmethod
    def from_kept(cls, kept: Mapping[str, Any]) -> WithdrawnBatch:
        moments = {
            name: datetime.fromisoformat(kept[name]) if kept[name] else None
            for name in ("sent_at", "answered_at")
        }
        return cls(**{**kept, **moments})
