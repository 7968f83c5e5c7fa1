"""A kind of identifier, as a plugin registers it; it lies in the model, where the built-in rules reach it."""

from __future__ import annotations

from cdp_core.model.identifiers import Identified, IdentifierKind

__all__ = ["Identified", "IdentifierKind"]
