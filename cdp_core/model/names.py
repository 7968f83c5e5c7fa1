"""Names that people give to segments, connections and exports."""

from __future__ import annotations

import shlex
import unicodedata

from cdp_core.errors import Code, InvalidFault
from cdp_core.model.sentence import Sentence

LONGEST = 200
_SPECIAL = frozenset("\"'$`\\!")


def checked_name(name: str, what: str) -> str:
    """The name in composed form; raises `InvalidFault` if it is empty, long, or would disturb a terminal."""
    tidy = unicodedata.normalize("NFC", name).strip()
    trouble, hint = name_trouble(tidy)
    if trouble:
        raise InvalidFault(Code.NAME_INVALID, f"the {what}'s name {trouble}", hint=hint)
    return tidy


def name_trouble(tidy: str) -> tuple[str, str]:
    """What is wrong with a name in composed form, as what is said of it, and how to mend it."""
    if not tidy:
        return Sentence("is empty"), "give it a name that is not blank"
    if len(tidy) > LONGEST:
        return Sentence("has {length} characters; {most} are the most", length=len(tidy), most=LONGEST), (
            "shorten it"
        )
    if any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") for character in tidy):
        return Sentence("holds control characters"), (
            "type it anew; what was pasted may have brought them along"
        )
    return "", ""


def as_typed(name: str) -> str:
    """The name as an argument of a command that is shown to be typed: a shell takes it for nothing else."""
    return shlex.quote(name) if _SPECIAL & set(name) else f'"{name}"'
