"""A value that must never be shown: it masks itself wherever it is printed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

MASK = "••••••"

_PERCENT = re.compile("%[0-9A-F]{2}")


class Secret:
    """Holds a credential; only `reveal()` gives it, at the very place where it is used."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> tuple[type[Secret], tuple[str, ...]]:
        raise TypeError("a Secret is not pickled: it would leave the process in the clear")


def forms(value: str) -> Iterator[str]:
    """As it is, and as URLs, JSON (of some writers with `\\/`) and Python's repr write it."""
    yield value
    for quoted in (quote(value, safe=""), quote(value), quote_plus(value)):
        yield quoted
        yield _PERCENT.sub(lambda found: found[0].lower(), quoted)
    for ascii_alone in (True, False):
        document = json.dumps(value, ensure_ascii=ascii_alone)[1:-1]
        yield document
        yield document.replace("/", r"\/")
    yield repr(value)[1:-1]
