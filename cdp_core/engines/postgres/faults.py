"""Turns PostgreSQL's errors into faults that show the place and never a row's value.

What PostgreSQL says of a query before it runs holds only the query's own text. What it says while it reads
rows may quote them, so of that only the kind of the error gets through.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cdp_core.engines.places import QueryPlace, syntax_fault, without_addresses
from cdp_core.errors import CdpError, Code, InvalidFault, TemporaryFault

if TYPE_CHECKING:
    import psycopg

_ABOUT_THE_QUERY = "42"
_CONNECTION_LOST = ("08", "57P")
_LACKING = "53"
_READ_ONLY = "25006"
_NO_RIGHT = "42501"
_CANCELLED = "57014"
_NO_PLACE_LEFT = "53100"
# libpq has no codes for what goes wrong while it connects.
_REFUSED = (
    ("password authentication failed", "the server does not accept this user's password", "check the "
     "password, and that it is this user's: --option password=env:NAME, PGPASSWORD or ~/.pgpass"),
    ("no password supplied", "the server asks for a password, and none was given", "give it with --option "
     "password=env:NAME or password=file:PATH, or let libpq find it (PGPASSWORD, ~/.pgpass)"),
    ("does not exist", "", "check the URL: postgresql://user@host/database#schema.table"),
    ("no pg_hba.conf entry", "", "have the server's administrator let this user in from here"),
    ("certificate", "", "check sslmode and sslrootcert in the URL"),
    ("invalid", "", "check the URL: postgresql://user@host/database#schema.table"),
)  # fmt: skip


def connection_fault(failure: psycopg.Error, url: str) -> CdpError:
    """What libpq says of a connection that could not be made; it names user, host and database."""
    said = (str(failure).strip().splitlines() or ["no answer"])[0].removeprefix("connection failed: ")
    for theirs, ours, hint in _REFUSED:
        if theirs in str(failure):
            return InvalidFault(Code.PROFILES_UNREADABLE, ours or said, where=url, hint=hint)
    return TemporaryFault(
        Code.SERVICE_UNREACHABLE,
        f"the PostgreSQL server cannot be reached: {said}",
        where=url,
        hint="check host and port in the URL, and that the server runs and can be reached from here",
    )


def query_fault(
    failure: psycopg.Error, query: str, place: QueryPlace, *, where: str, url: str, reads: bool
) -> CdpError:
    """A fault of a segment's text, with its place in it; `reads` tells that rows may stand in the message."""
    state = failure.sqlstate or ""
    if state == _READ_ONLY:
        return syntax_fault("a segment only reads", None, place, where=where)
    if state == _NO_RIGHT or not state or state.startswith((*_CONNECTION_LOST, _LACKING, _CANCELLED)):
        return profiles_fault(failure, url)
    if state.startswith(_ABOUT_THE_QUERY) or not reads:
        told = without_addresses(failure.diag.message_primary or "not valid")
        return syntax_fault(told, _place(failure, query), place, where=where)
    return InvalidFault(
        Code.SEGMENT_INVALID,
        f"the query fails on a value of the profiles: {_kind(failure)}",
        where=where,
        hint="let it pass over such values, as in: CASE WHEN spend ~ '^[0-9]+$' THEN spend::int > 500 END",
    )


def profiles_fault(failure: psycopg.Error, url: str) -> CdpError:
    """A fault of the source: rights, the connection, the server's means."""
    state = failure.sqlstate or ""
    if not state or state.startswith(_CONNECTION_LOST):
        return TemporaryFault(
            Code.SERVICE_UNREACHABLE,
            "the PostgreSQL server ended the connection",
            where=url,
            hint="run again",
        )
    told, hint = _told(failure, state)
    return InvalidFault(Code.PROFILES_UNREADABLE, told, where=url, hint=hint)


def _told(failure: psycopg.Error, state: str) -> tuple[str, str]:
    if state == _NO_RIGHT:
        return failure.diag.message_primary or "permission denied", "GRANT SELECT ON … TO … is all it needs"
    if state == _CANCELLED:
        return "the server ended the query before its time", "raise this user's statement_timeout"
    if state == _NO_PLACE_LEFT:
        return "the server's disk is full", "make room there, or ask for less in one query"
    if state.startswith(_LACKING):
        return f"the server lacks means: {_kind(failure)}", "ask its administrator, or run again later"
    return f"the server cannot read it: {_kind(failure)}", "mend the table or the view"


def _kind(failure: psycopg.Error) -> str:
    """The name of the error's class, in words: `invalid text representation`."""
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in type(failure).__name__)
    return f"{words.strip()} ({failure.sqlstate})"


def _place(failure: psycopg.Error, query: str) -> int | None:
    """The place in bytes from 0; PostgreSQL counts characters from 1."""
    told = failure.diag.statement_position
    return len(query[: int(told) - 1].encode()) if told else None
