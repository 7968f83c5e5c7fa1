"""A person who is never sent, whatever the segments say; kept as a digest, and as nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    kind: str
    digest: bytes
    note: str
    added_by: str
    added_at: datetime
