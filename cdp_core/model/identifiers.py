"""A kind of identifier. Its Python rule is the reference; engines may know a faster way to the same bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias, cast

from cdp_core.model.accounting import Reason


@dataclass(frozen=True, slots=True)
class Identified:
    """What a rule says of one raw value: either why it yields nothing, or its digest.

    `normalised` is the text that was hashed; None where the value came hashed.
    """

    reason: Reason | None
    digest: bytes | None = None
    normalised: str | None = None


Rule: TypeAlias = Callable[[str | None], Identified]
RegionalRule: TypeAlias = Callable[[str | None, str | None], Identified]


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifierKind:
    """Registers a kind. `rule` takes the profile field's text (None where it is empty) and, where the kind
    is `regional`, the region that it is read in (two capital letters, ISO 3166-1; None where unknown).

    `placeholders` are digests that stand for no person (of `test@test.com`, say). They are screened
    for every engine, so that an engine's fast way, and values that came hashed, need not know them.
    """

    key: str
    label: str
    rule: Rule | RegionalRule
    regional: bool = False
    placeholders: frozenset[bytes] = frozenset()

    def identify(self, raw: str | None, region: str | None = None) -> Identified:
        """What the rule says; the region is left out where the kind does not ask for it."""
        if self.regional:
            return cast(RegionalRule, self.rule)(raw, region)
        return cast(Rule, self.rule)(raw)
