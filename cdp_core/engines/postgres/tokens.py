"""A segment's text, cut where PostgreSQL cuts it: enough to know that it is one whole expression or query,
and which names it mentions and calls.

Texts with escapes of their own (`E'…'`, `U&'…'`) are refused, since where they end depends on more than
themselves. What is read here wrongly meets the second layer: one statement at a time, read-only.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from cdp_core.engines.places import QueryPlace, as_utf8, syntax_fault

_LETTER = r"A-Za-z_\u0080-\U0010ffff"
_TOKEN = re.compile(
    rf"""
      (?P<space>[ \t\n\r\f\v]+ | --[^\n\r]*)
    | (?P<comment>/\*)
    | (?P<escaping>[eE]' | [uU]&['"])
    | (?P<string>'(?:[^']|'')*')
    | (?P<dollar>\$(?:[{_LETTER}][0-9{_LETTER}]*)?\$)
    | (?P<quoted>"(?:[^"]|"")+")
    | (?P<name>[{_LETTER}][0-9${_LETTER}]*)
    | (?P<number>[0-9]+)
    | (?P<parameter>\$[0-9]+)
    | (?P<open>\()
    | (?P<close>\))
    | (?P<semicolon>;)
    | (?P<unclosed>['"])
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Token:
    """`at` counts characters from 0. A name is as PostgreSQL takes it: in lower case unless quoted."""

    kind: str
    text: str
    at: int


def tokens(text: str, where: str) -> list[Token]:
    """All but white space and comments; raises `InvalidFault` where the text is not whole in itself."""
    found, depth = [], 0
    for token in _read(as_utf8(text, where=where), where):
        depth += {"open": 1, "close": -1}.get(token.kind, 0)
        if depth < 0:
            raise _fault("a parenthesis closes that was not opened", text, token.at, where)
        if token.kind == "semicolon":
            raise _fault("a segment is one expression or one SELECT, without `;`", text, token.at, where)
        if token.kind == "parameter":
            raise _fault("a segment has no parameters", text, token.at, where)
        found.append(token)
    if depth:
        raise _fault("a parenthesis is not closed", text, len(text.rstrip()), where)
    if not found:
        raise _fault("the query is empty", text, 0, where)
    return found


def called(found: list[Token]) -> dict[str, int]:
    """Names that stand before a parenthesis, with the place of the first."""
    names: dict[str, int] = {}
    for token, after in itertools.pairwise(found):
        if token.kind == "name" and after.kind == "open":
            names.setdefault(token.text, token.at)
    return names


def _read(text: str, where: str) -> Iterator[Token]:
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        kind = (match and match.lastgroup) or "other"
        end = match.end() if match else at + 1
        if kind == "comment":
            end = _end_of_comment(text, at, where)
        elif kind == "dollar":
            tag = text[at:end]
            end = text.find(tag, end) + len(tag)
            if end < at + 2 * len(tag):
                raise _fault("a quote is not closed", text, at, where)
            kind = "string"
        elif kind == "unclosed":
            raise _fault("a quote is not closed", text, at, where)
        elif kind == "escaping":
            raise _fault("write the text without E or U& before its quote", text, at, where)
        elif kind == "quoted":
            yield Token("name", text[at + 1 : end - 1].replace('""', '"'), at)
        elif kind == "name":
            yield Token("name", text[at:end].lower(), at)
        if kind not in ("space", "comment", "quoted", "name"):
            yield Token(kind, text[at:end], at)
        at = end


def _end_of_comment(text: str, at: int, where: str) -> int:
    """Comments nest."""
    depth = 0
    for mark in re.finditer(r"/\*|\*/", text[at:]):
        depth += 1 if mark[0] == "/*" else -1
        if depth == 0:
            return at + mark.end()
    raise _fault("a comment is not closed", text, at, where)


def _fault(message: str, text: str, at: int, where: str) -> Exception:
    return syntax_fault(message, len(text[:at].encode()), QueryPlace(text), where=where)
