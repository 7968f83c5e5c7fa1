"""What is wrong with a setting, in the languages of the interface."""

from __future__ import annotations

from cdp_core import Sentence


def complaint(english: str, /, *, nl: str, da: str, **values: str | int) -> Sentence:
    """A sentence with names in braces for the `values`; other braces are doubled."""
    return Sentence(english, one="", in_language={"nl": nl, "da": da}, **values)
