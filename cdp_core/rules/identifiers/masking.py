"""Raw values as they may be shown: enough to recognise a slip, too little to recognise a person."""

from __future__ import annotations

import re

_PHONE = re.compile(r"\+?[0-9 ().\-/]*[0-9][0-9 ().\-/]*")
_HEXADECIMAL = re.compile(r"[0-9A-Fa-f]{16,}|[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_WORD = re.compile(r"\w+")
_ENDING = re.compile(r"\.([A-Za-z]{2,4})\Z")
_LONGEST = 48
_LEAST_DIGITS = 9


def masked(text: str) -> str:
    """`j***@g***.com`, `+31*****678`, `f81d****`; of anything else the first letter of each word."""
    trimmed = text.strip()
    if not trimmed:
        return "(blank)"
    if _HEXADECIMAL.fullmatch(trimmed):
        return f"{trimmed[:4]}****"
    if "@" in trimmed:
        return _clipped(_address(trimmed))
    if _PHONE.fullmatch(trimmed):
        return _clipped(_phone(trimmed))
    return _clipped(_words(trimmed))


def _address(text: str) -> str:
    *names, domain = text.split("@")
    ending = _ENDING.search(domain)
    host = domain[: ending.start()] if ending else domain
    shown = [_first(part) for part in (*names, host)]
    return "@".join(shown) + (f".{ending[1].lower()}" if ending else "")


def _phone(text: str) -> str:
    digits = [letter for letter in text if letter.isdigit()]
    plus = "+" if text.startswith("+") else ""
    if len(digits) < _LEAST_DIGITS:
        return plus + "*" * len(digits)
    return f"{plus}{''.join(digits[:2])}{'*' * (len(digits) - 5)}{''.join(digits[-3:])}"


def _words(text: str) -> str:
    return _WORD.sub(lambda found: _first(found[0]), text)


def _first(part: str) -> str:
    """The first letter of what is longer than one; what stands between words in it is hidden too."""
    return f"{part[0]}***" if len(part) > 1 else "*" * len(part)


def _clipped(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
