"""Where in a segment's text something is wrong, and the fault that shows it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from cdp_core.errors import Code, InvalidFault

_ADDRESS = re.compile(r"[^\s'\"(),]+@[^\s'\"(),]+")


class QueryPlace:
    """Where in a user's text an error stands; an engine counts in the query that we wrapped around it."""

    def __init__(self, text: str, before: str = "") -> None:
        self.text = text
        self._beginning = before

    def after(self, further: str) -> QueryPlace:
        """The same text in a query that has a further beginning."""
        return QueryPlace(self.text, further + self._beginning)

    def show(self, position: int | None) -> str:
        """`line 2, column 7`, with the line and a caret beneath, of a position in bytes from 0; empty where
        the engine does not say."""
        if position is None:
            return ""
        read = self.text.encode()[: max(0, position - len(self._beginning.encode()))].decode(errors="ignore")
        line = read.count("\n")
        column = len(read) - (read.rfind("\n") + 1)
        shown = without_addresses((self.text.splitlines() or [""])[min(line, self.text.count("\n"))])
        return f"line {line + 1}, column {column + 1}\n  {shown}\n  {' ' * column}^"


def syntax_fault(message: str, position: int | None, place: QueryPlace, *, where: str) -> InvalidFault:
    shown = place.show(position)
    return InvalidFault(
        Code.SEGMENT_INVALID,
        f"{message}{': ' if shown else ''}{shown}",
        where=where,
        hint=f"change what stands at {shown.splitlines()[0]}" if shown else "change the query",
    )


@contextmanager
def shallow(place: QueryPlace, *, where: str) -> Iterator[None]:
    """What goes through a query's tree goes as deep as it is; one too deep for that is refused."""
    try:
        yield
    except RecursionError:
        raise syntax_fault("the query is nested too deeply", None, place, where=where) from None


def as_utf8(text: str, *, where: str) -> str:
    """The text; raises `InvalidFault` where it holds what is no letter, as typed in another encoding."""
    try:
        text.encode()
    except UnicodeEncodeError as wrong:
        said = f"the query is no text in UTF-8 from its character {wrong.start + 1} on"
        fault = InvalidFault(
            Code.SEGMENT_INVALID, said, where=where, hint="type it anew, or save it as UTF-8"
        )
    else:
        return text
    raise fault


def without_addresses(text: str) -> str:
    """The text with as many dots in place of each e-mail address, so that a caret beneath keeps its place."""
    return _ADDRESS.sub(lambda found: "•" * len(found[0]), text)
