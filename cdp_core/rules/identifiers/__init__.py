"""The built-in kinds of identifier. A further kind is a module with its rule and a line here."""

from __future__ import annotations

from collections.abc import Mapping

from cdp_core.model.identifiers import IdentifierKind
from cdp_core.rules.identifiers.email import PLACEHOLDER_DIGESTS, email

EMAIL = IdentifierKind(key="EMAIL", label="E-mail", rule=email, placeholders=PLACEHOLDER_DIGESTS)

BUILT_IN_KINDS: Mapping[str, IdentifierKind] = {kind.key: kind for kind in (EMAIL,)}
