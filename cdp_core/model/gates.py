"""Gates: what may stop a run between its plan and its delivery, and what each of them found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self


class Gate(StrEnum):
    """In the order in which they are asked; `flag` is how one says for a run that it is meant."""

    EMPTY_SOURCE = "empty source"
    SHRINK = "shrink"
    AUDIENCE_SIZE = "audience size"
    DUPLICATE_KEYS = "duplicate keys"
    SCHEMA = "schema"

    @property
    def flag(self) -> str | None:
        """None where nothing sensible can be meant."""
        return _FLAGS.get(self)


_FLAGS = {
    Gate.SHRINK: "--allow-shrink",
    Gate.AUDIENCE_SIZE: "--allow-audience-size",
    Gate.DUPLICATE_KEYS: "--allow-duplicate-keys",
    Gate.SCHEMA: "--accept-schema",
}


class Verdict(StrEnum):
    """`skip`: nothing is sent, and the run is no failure; `allow`: it would stop, but for the flag."""

    STOP = "stop"
    SKIP = "skip"
    WARN = "warn"
    ALLOW = "allow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a gate found: a sentence with its numbers, and what follows from it."""

    gate: Gate
    verdict: Verdict
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """A profile field whose type is not what the last committed run saw; `now` is None where it is gone."""

    field: str
    before: str
    now: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GateNumbers:
    """What the gates are asked about; kept with a plan, so that a later run of it is asked the same.

    `held` are the export's claims before the run (with `of_all`, those of every export on the audience),
    `removed` how many of them the plan takes out, `owed` those among these that are owed to withdrawal or
    suppression. `people_at_most` and `digests_at_least` are what the whole audience would hold after the
    run, None where that is not known. `duplicate_keys` are rows of the profile table
    whose key an earlier row has.
    """

    profiles: int
    held: int
    removed: int
    owed: int
    people_at_most: int | None
    digests_at_least: int | None
    duplicate_keys: int
    changes: tuple[FieldChange, ...] = ()
    of_all: bool = False

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Self:
        """The inverse of `as_dict`, also after JSON has made lists of its tuples."""
        changes = tuple(FieldChange(**change) for change in kept["changes"])
        return cls(**{**kept, "changes": changes})
