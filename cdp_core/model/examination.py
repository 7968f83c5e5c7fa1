"""What a profile field holds when it is read as a kind of identifier: counts, and masked examples."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from cdp_core.model.accounting import Reason


class Remark(StrEnum):
    """What is to be said of values beside the reason why they yield no digest.

    `hashed`: came as SHA-256 digests, `capitals` those of them in upper case; `unnormalised` are digests
    of a value as it stood in another field, which no service knows; `md5` and `sha1` are hashes of these
    lengths, among the unsupported. `worded` were read from among words that are not part of them.
    """

    HASHED = "hashed"
    CAPITALS = "capitals"
    UNNORMALISED = "unnormalised"
    MD5 = "md5"
    SHA1 = "sha1"
    WORDED = "worded"


USABLE = "usable"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldExamined:
    """`read` values of a field as one kind; `distinct` are the different digests that they yield.

    `examples` are masked, by `usable`, the reason or the remark that they stand for.
    """

    field: str
    kind: str
    read: int
    distinct: int
    reasons: Mapping[Reason, int] = dataclasses.field(default_factory=dict)
    remarks: Mapping[Remark, int] = dataclasses.field(default_factory=dict)
    examples: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)

    @property
    def usable(self) -> int:
        """Values that yield a digest."""
        return self.read - sum(self.reasons.values())

    @property
    def duplicate(self) -> int:
        return self.usable - self.distinct

    @property
    def well_formed(self) -> float:
        """The share of the values that are there that are what they should be; 0 where none is there."""
        there = self.read - self.reasons.get(Reason.MISSING, 0)
        return (self.usable - self.remarks.get(Remark.WORDED, 0)) / there if there else 0.0
