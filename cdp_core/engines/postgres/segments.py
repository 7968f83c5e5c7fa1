"""Segments' queries: let through if they read the profiles and nothing else.

A condition is one expression over a profile's columns; a query is one SELECT that yields the key column.
Names that are called must not be functions that change, wait or reach for anything (what PostgreSQL holds
for VOLATILE, and the few that run a text as SQL); the plan must read no table but those of the profiles.
Beneath lie the transaction, which cannot write, and the rights of the source's user.
"""

# ruff: noqa: S608 - names are quoted by `text`, and a segment's text is read by `tokens` first
from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cdp_core.engines.places import QueryPlace, syntax_fault
from cdp_core.engines.postgres.session import Session
from cdp_core.engines.postgres.table import Table
from cdp_core.engines.postgres.text import literal, name, without_semicolon
from cdp_core.engines.postgres.tokens import Token, called, tokens
from cdp_core.errors import InvalidFault
from cdp_core.model.configuration import Segment

# These are held for STABLE, and run SQL that is given as text, read other tables, or tell of the server:
# settings, other sessions' queries, what its catalog holds.
_DENIED = (
    r"_to_xml(schema|_and_xmlschema)?$|^crosstab|^connectby$|^xpath_table$|^current_setting$"
    r"|^pg_(?!typeof$|size_pretty$|size_bytes$|column_size$)|^(has|row)_.*(privilege|security_active)$"
    r"|^(obj|shobj|col)_description$"
)
_CALL = re.compile(r"([\w$]+)\(")

_STATEMENTS = ("select", "with", "values", "table")


def member_condition(session: Session, table: Table, segment: Segment, key: str) -> str:
    """SQL that is true or false for each row of `profiles`.

    Raises `InvalidFault` (SEGMENT_INVALID) with the place where the query is not valid or not allowed.
    """
    text, where = text_of(segment), where_of(segment)
    found = tokens(text, where)
    _check_calls(session, found, text, where)
    calls = frozenset(called(found))
    if segment.where is not None:
        if found[0].text in _STATEMENTS and found[0].kind == "name":
            at = len(text[: found[0].at].encode())
            raise syntax_fault("a condition is one expression", at, QueryPlace(text), where=where)
        beginning = f"{table.profiles} SELECT 1 FROM profiles WHERE (\n"
        place = QueryPlace(text, beginning)
        _check_reach(session, table, f"{beginning}{text}\n)", place, calls=calls, where=where)
        return f"coalesce((\n{text}\n), false)"
    beginning = f"{table.profiles} SELECT * FROM (\n"
    query, place = f"{beginning}{text}\n) AS members", QueryPlace(text, beginning)
    _check_reach(session, table, query, place, calls=calls, where=where)
    columns = session.names_of(query, place, where=where)
    if key not in columns:
        message = f"the query must yield the key column {key!r}; it yields {', '.join(columns)}"
        raise syntax_fault(message, None, place, where=where)
    # NULL where the key is: such a row is nobody's.
    listed = f"SELECT members.{name(key)} FROM (\n{text}\n) AS members"
    return f"coalesce(profiles.{name(key)} IN ({listed}), false)"


def count_members(session: Session, table: Table, segment: Segment, condition: str) -> int:
    """Run the query over all profiles; raises `InvalidFault` where it fails on a row, without the row."""
    text, query = text_of(segment), f"{table.profiles} SELECT count(*) FROM profiles WHERE {condition}"
    place = QueryPlace(text, query.partition(f"\n{text}\n")[0] + "\n")
    ((number,),) = session.rows_of_query(query, place, where=where_of(segment), reads=True)
    return int(number)


def names_in(segment: Segment) -> frozenset[str]:
    """Every name in a segment's text that may be a column's, in lower case."""
    found = tokens(text_of(segment), where_of(segment))
    return frozenset(token.text.lower() for token in found if token.kind == "name")


def text_of(segment: Segment) -> str:
    return segment.where if segment.where is not None else without_semicolon(segment.sql or "")


def where_of(segment: Segment) -> str:
    return f"segment {segment.name!r}"


def _check_calls(session: Session, found: list[Token], text: str, where: str) -> None:
    """Before the query is so much as planned: a plan may evaluate what it takes for constant."""
    names = called(found)
    listed = ", ".join(map(literal, names)) or "NULL"
    refused = session.rows(
        f"SELECT DISTINCT proname::text FROM pg_proc WHERE proname IN ({listed}) "
        f"AND (provolatile = 'v' OR proname ~ {literal(_DENIED)}) ORDER BY 1",
        where=where,
    )
    if refused:
        function = refused[0][0]
        at = len(text[: names[function]].encode())
        fault = syntax_fault(
            f"the function {function} is not allowed in a segment", at, QueryPlace(text), where=where
        )
        hint = "one that only computes from its arguments is, once it is declared IMMUTABLE or STABLE"
        raise InvalidFault(fault.code, fault.message, where=where, hint=hint)


def _check_reach(
    session: Session, table: Table, query: str, place: QueryPlace, *, calls: frozenset[str], where: str
) -> None:
    """The tables of the plan are those that a plan of the profiles has: one, or those beneath a view; and
    its sets of rows come from functions that the text itself `calls`, and not from a view over others."""
    explain = "EXPLAIN (VERBOSE, COSTS OFF, FORMAT JSON) "
    own = session.rows(f"{explain}SELECT * FROM {table.source}", where=table.url)
    asked = f"{explain}{query}"
    planned = session.rows_of_query(asked, place.after(explain), where=where, reads=False)
    others = set(_tables(planned)) - set(_tables(own))
    others |= set(_functions(planned)) - set(_functions(own)) - calls
    if others:
        message = f"a segment reads `profiles` and no other table; it names {min(others)!r}"
        raise syntax_fault(message, None, place, where=where)


def _tables(plan: Any) -> Iterator[str]:
    return (f"{node.get('Schema', '')}.{node['Relation Name']}" for node in _nodes(plan, "Relation Name"))


def _functions(plan: Any) -> Iterator[str]:
    """Those that yield a node's rows; of several in one node PostgreSQL shows only the calls."""
    for node in _nodes(plan, "Function Call"):
        yield from (
            [node["Function Name"]] if "Function Name" in node else _CALL.findall(node["Function Call"])
        )


def _nodes(plan: Any, having: str) -> Iterator[Mapping[str, Any]]:
    """The plan's nodes that have such an entry."""
    waiting = [plan]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            if having in each:
                yield each
            waiting += each.values()
        elif isinstance(each, (list, tuple)):
            waiting += each
