"""The ledger as the state points to it: for each audience a list of immutable files of claims."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self


class LedgerPart(StrEnum):
    """What the claims of a file are. The files of one export and kind are read in the list's order:
    a base, then what was added to it and ended since; beside them what is only perhaps there."""

    BASE = "base"
    ADDED = "added"
    ENDED = "ended"
    UNCONFIRMED = "unconfirmed"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerFile:
    """One file of an export's claims on an audience. `path` is relative to the ledger folder; an
    audience's files are kept, and handed on, in their order."""

    export_id: str
    kind: str
    part: LedgerPart
    path: str
    sha256: str
    rows: int

    @property
    def claims(self) -> int:
        """What the file adds to the number of claims; an ended one takes away."""
        return -self.rows if self.part is LedgerPart.ENDED else self.rows

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Self:
        return cls(**{**kept, "part": LedgerPart(kept["part"])})
