"""Names that people give to segments, connections and exports."""

from __future__ import annotations

import shlex
import unicodedata

from cdp_core.errors import Code, InvalidFault

LONGEST = 200
_SPECIAL = frozenset("\"'$`\\!")


def checked_name(name: str, what: str) -> str:
    """The name in composed form; raises `InvalidFault` if it is empty, long, or would disturb a terminal."""
    tidy = unicodedata.normalize("NFC", name).strip()
    if not tidy:
        raise InvalidFault(
            Code.NAME_INVALID, f"the {what}'s name is empty", hint="give it a name that is not blank"
        )
    if len(tidy) > LONGEST:
        raise InvalidFault(
            Code.NAME_INVALID,
            f"the {what}'s name has {len(tidy)} characters; {LONGEST} are the most",
            hint="shorten it",
        )
    if any(unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp") for character in tidy):
        raise InvalidFault(
            Code.NAME_INVALID,
            f"the {what}'s name holds control characters",
            hint="type it anew; what was pasted may have brought them along",
        )
    return tidy


def as_typed(name: str) -> str:
    """The name as an argument of a command that is shown to be typed: a shell takes it for nothing else."""
    return shlex.quote(name) if _SPECIAL & set(name) else f'"{name}"'
