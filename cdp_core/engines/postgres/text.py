"""Names and texts as PostgreSQL writes them, where `standard_conforming_strings` is on; and white space."""

from __future__ import annotations

import re

# ASCII white space as Python knows it: the inside of a class of a regular expression, and its characters.
SPACE = r"\u0009-\u000d\u001c-\u0020"
_SPACES = r"E'\t\n\x0b\f\r\x1c\x1d\x1e\x1f '"
_ASCII = r"'^[\u0001-\u007f]*$'"


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def texts(each: frozenset[str]) -> str:
    """A list of texts, as `IN` takes it."""
    return f"({', '.join(map(literal, sorted(each)))})"


def matches(text: str, pattern: str) -> str:
    """Whether all of a text matches; the pattern is an advanced regular expression."""
    return f"{text} ~ {literal(f'^(?:{pattern})$')}"


def is_ascii(text: str) -> str:
    return f"{text} ~ {_ASCII}"


def trimmed(text: str) -> str:
    return f"btrim({text}, {_SPACES})"


def in_utf8(text: str) -> str:
    return f"convert_to({text}, 'UTF8')"


def without_semicolon(text: str) -> str:
    """A query without the semicolon that may end it."""
    return re.sub(r";\s*\Z", "", text.strip())
