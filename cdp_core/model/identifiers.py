"""A kind of identifier. Its Python rule is the reference; engines may know a faster way to the same bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cdp_core.model.accounting import Reason


@dataclass(frozen=True, slots=True)
class Identified:
    """What a rule says of one raw value: either why it yields nothing, or its digest.

    `normalised` is the text that was hashed; None where the value came hashed.
    """

    reason: Reason | None
    digest: bytes | None = None
    normalised: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifierKind:
    """Registers a kind. `rule` takes the profile field's text (None where it is empty).

    `placeholders` are digests that stand for no person (of `test@test.com`, say). They are screened
    for every engine, so that an engine's fast way, and values that came hashed, need not know them.
    """

    key: str
    label: str
    rule: Callable[[str | None], Identified]
    placeholders: frozenset[bytes] = frozenset()
