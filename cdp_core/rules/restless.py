"""What in a segment's text gives another answer by itself, though no profile has changed.

Such a segment is allowed. Whoever adds it is told, since its members come and go with every run.
"""

from __future__ import annotations

import re

_CHANCE = {"random", "rand", "randn", "uuid", "gen_random_uuid", "shuffle"}
_MOMENT = {
    *("now", "today", "get_current_time", "get_current_timestamp", "transaction_timestamp"),
    *("statement_timestamp", "clock_timestamp", "unix_timestamp"),
}
# These stand without parentheses, or may.
_BARE_MOMENT = {"current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"}
_SAMPLE = {"tablesample", "using sample"}

_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\$\$.*?\$\$|--[^\n]*|/\*.*?\*/", re.DOTALL)
_WORDS = re.compile(r"\b(using\s+sample|\w+)\b(\s*\()?", re.IGNORECASE)


def by_chance(text: str) -> tuple[str, ...]:
    """What draws lots: each run has other members."""
    return _found(text, called=_CHANCE, bare=_SAMPLE)


def by_moment(text: str) -> tuple[str, ...]:
    """What asks the clock: the members are those of the moment of the run."""
    return _found(text, called=_MOMENT, bare=_BARE_MOMENT)


def _found(text: str, *, called: set[str], bare: set[str]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for match in _WORDS.finditer(_QUOTED.sub(" ", text)):
        word = " ".join(match[1].lower().split())
        if word in bare:
            found[word] = None
        elif match[2] and word in called:
            found[f"{word}()"] = None
    return tuple(found)
