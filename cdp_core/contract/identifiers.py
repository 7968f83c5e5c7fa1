"""A kind of identifier. Its Python rule is the reference; an engine may know a faster way to its bytes."""

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
    """Registers a kind. `rule` takes the profile field's text (None where it is empty)."""

    key: str
    label: str
    rule: Callable[[str | None], Identified]
