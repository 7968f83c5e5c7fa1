"""An export's own rules beside its destination's settings: what a run makes of the audience, how national
numbers are read, whose consent is asked, and what stops a run before anything is sent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any, Literal

# White space in ASCII alone, so that every engine finds the same.
_COUNTRY = re.compile(r"[\t-\r\x1c- ]*(?:([A-Za-z]{2})[\t-\r\x1c- ]*)?")


class Mode(StrEnum):
    """What a run makes of the audience (`docs/how-to/modes.md`). In every mode who withdrew consent or is
    suppressed is taken out."""

    MIRROR = "mirror"
    ADD_ONLY = "add-only"
    REMOVE = "remove"
    REPLACE = "replace"


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """Where national phone numbers are from: a profile field with the country, else one for all.

    Countries are of two letters (ISO 3166-1), as `NL`.
    """

    field: str | None = None
    default: str | None = None

    def of(self, text: str | None) -> str | None:
        """The region of a profile whose field has that text: two capital letters; the default where the
        field is empty.

        None where it holds something else: to read a number in the default region then would make another
        person's number of it.
        """
        found = _COUNTRY.fullmatch(text or "")
        if found is None:
            return None
        return found[1].upper() if found[1] else self.default


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberConsent:
    """The profile field that holds a member's consent, and the values that mean yes; all others mean no."""

    field: str
    granted: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenField:
    """A profile field whose values leave as they are, and the name of the column that they are given."""

    field: str
    column: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gates:
    """`max_shrink` is the most of what the ledger holds that one run may remove: 0.5 is half of it.
    `on_audience_size` says what becomes of a run whose audience is too small or large for the service."""

    max_shrink: float = 0.5
    on_audience_size: Literal["skip", "warn", "fail"] = "warn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """How many `people` other than who made a plan must approve of it before it is delivered.

    Asked for a plan that adds more than `added_over` digests, or takes out more than `removed_over` (a
    number) or `removed_share` (of what the ledger holds: 0.05 is 5 %); where none of these is given, for
    every plan that changes something. What is owed to withdrawal or suppression counts nowhere.
    """

    people: int = 1
    added_over: int | None = None
    removed_over: int | None = None
    removed_share: float | None = None

    def asked_for(self, *, added: int, removed: int, held: int, empties: bool = False) -> bool:
        """`empties`: whoever else has put members there, they go: that is always asked for."""
        if empties:
            return True
        if not added and not removed:
            return False
        if self.added_over is None and self.removed_over is None and self.removed_share is None:
            return True
        return (
            (self.added_over is not None and added > self.added_over)
            or (self.removed_over is not None and removed > self.removed_over)
            # A float of 0.29 times 100 is less than 29.
            or (self.removed_share is not None and removed > Fraction(str(self.removed_share)) * held)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """`keep_alive_days`: after so many days without a change that the service took, a run that has nothing
    to change sends some members again; None: never. `approval` None: nobody is asked. `fields` are what
    leaves of whole rows, where the destination takes them."""

    mode: Mode = Mode.MIRROR
    region: Region = Region()
    consent: MemberConsent | None = None
    gates: Gates = Gates()
    keep_alive_days: int | None = None
    approval: Approval | None = None
    fields: tuple[ChosenField, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        kept = asdict(self)
        if not self.fields:
            # Of digests nothing is said of fields, so that a plan of before there were any is as it was.
            del kept["fields"]
        return kept

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Policy:
        """The inverse of `as_dict`, also after JSON has made lists of its tuples."""
        consent = kept.get("consent")
        return cls(
            mode=Mode(kept.get("mode", Mode.MIRROR)),
            region=Region(**kept.get("region", {})),
            consent=MemberConsent(field=consent["field"], granted=tuple(consent["granted"]))
            if consent
            else None,
            gates=Gates(**kept.get("gates", {})),
            keep_alive_days=kept.get("keep_alive_days"),
            approval=Approval(**kept["approval"]) if kept.get("approval") else None,
            fields=tuple(ChosenField(**chosen) for chosen in kept.get("fields", ())),
        )
