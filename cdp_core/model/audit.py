"""Entries of the audit log, and the verdict on whether it holds together."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cdp_core.model.word import Word


class AuditOutcome(Word):
    """`meaning` says when an entry has it."""

    DENIED = "denied", "it was not allowed, and not done; `details` has the reason"
    BEGUN = "begun", "before an act that changes or sends something"
    FAILED = "failed", "it was allowed, and failed; `details` has the error's code"
    DONE = "done", "it is done"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """Who did what to what, with what outcome. `digest` is SHA-256 over everything else in the entry,
    `previous` (the digest of the entry before) included; both in hexadecimal."""

    seq: int
    at: datetime
    actor: str
    real: str
    action: str
    object: str
    outcome: AuditOutcome
    details: Mapping[str, Any] = field(default_factory=dict)
    previous: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditHead:
    """How many entries there are, and the newest one's digest; as text, `412:9f3c…`."""

    entries: int
    digest: str

    def __str__(self) -> str:
        return f"{self.entries}:{self.digest}"

    @classmethod
    def parse(cls, text: str) -> AuditHead:
        """Raises `ValueError` where it is not what `str` gives."""
        found = re.fullmatch(r"\s*([1-9]\d*):([0-9a-f]{64})\s*", text)
        if found is None:
            raise ValueError(f"{text!r} is no head of an audit log")
        return cls(entries=int(found[1]), digest=found[2])


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditVerdict:
    """`head` is the newest entry's digest: kept elsewhere, it proves later that nothing was cut off.
    `first_bad` is the number of the first entry that does not hold; `problem` says why."""

    ok: bool
    entries: int
    head: str
    first_bad: int | None = None
    problem: str = ""
