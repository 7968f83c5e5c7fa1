"""Segments' queries: let through if they read the profiles and nothing else.

A condition is one expression over a profile's columns; a query is one SELECT that yields the key column. Each
is parsed alone, gone through (`reach`), and analysed inside the query that will run it.
"""

# ruff: noqa: S608 - names are quoted by `text`, and a segment's text is read by `reach` first
from __future__ import annotations

from cdp_core.engines.places import QueryPlace, as_utf8, shallow, syntax_fault
from cdp_core.engines.spark.reach import Reach
from cdp_core.engines.spark.session import Session
from cdp_core.engines.spark.text import name, without_semicolon
from cdp_core.model.configuration import Segment

_NO_CONDITIONS = frozenset({"Alias", "UnresolvedAlias", "MultiAlias", "UnresolvedStar"})


def member_condition(session: Session, segment: Segment, key: str) -> str:
    """SQL that is true or false for each row of `profiles`.

    Raises `InvalidFault` (SEGMENT_INVALID) with the place where the query is not valid or not allowed.
    """
    text, where = text_of(segment), where_of(segment)
    _reached(session, segment)
    if segment.where is not None:
        # As a filter: there it must be true or false, of one row alone. Without AS, `profiles WHERE (vip)`
        # would be read as a table of the name `WHERE` with the column `vip`.
        beginning = "SELECT 1 FROM profiles AS profiles WHERE (\n"
        session.analysed(f"{beginning}{text}\n)", QueryPlace(text, beginning), where=where)
        return f"coalesce((\n{text}\n), false)"
    beginning = "SELECT * FROM (\n"
    place = QueryPlace(text, beginning)
    columns = session.analysed(f"{beginning}{text}\n) AS members", place, where=where).columns
    if key.lower() not in map(str.lower, columns):
        message = f"the query must yield the key column {key!r}; it yields {', '.join(columns)}"
        raise syntax_fault(message, None, place, where=where)
    listed = f"SELECT members.{name(key)} FROM (\n{text}\n) AS members"
    return f"coalesce(profiles.{name(key)} IN ({listed}), false)"


def count_members(session: Session, segment: Segment, condition: str) -> int:
    """Run the query over all profiles; raises `InvalidFault` where it fails on a row, without the row."""
    where = where_of(segment)
    query = f"SELECT count(*) FROM profiles AS profiles WHERE {condition}"
    text = text_of(segment)
    place = QueryPlace(text, query.partition(f"\n{text}\n")[0] + "\n")
    frame = session.analysed(query, place, where=where)
    ((number,),) = session.run(frame.collect, where=where)
    return int(number)


def names_in(session: Session, segment: Segment) -> frozenset[str]:
    """Every name in a segment's text that may be a column's, in lower case."""
    return frozenset(_reached(session, segment).names)


def text_of(segment: Segment) -> str:
    return segment.where if segment.where is not None else without_semicolon(segment.sql or "")


def where_of(segment: Segment) -> str:
    return f"segment {segment.name!r}"


def _reached(session: Session, segment: Segment) -> Reach:
    where = where_of(segment)
    text = as_utf8(text_of(segment), where=where)
    place = QueryPlace(text)
    if not text.strip():
        raise syntax_fault("the query is empty", None, place, where=where)
    with shallow(place, where=where):
        return _gone_through(session, segment, place, where)


def _gone_through(session: Session, segment: Segment, place: QueryPlace, where: str) -> Reach:
    text = place.text
    is_condition = segment.where is not None
    tree = session.parsed(text, where=where, expression=is_condition)
    reach = Reach(session, place, where)
    if not is_condition:
        reach.check_query(tree)
        return reach
    if str(tree.getClass().getSimpleName()) in _NO_CONDITIONS:
        raise syntax_fault("a condition is one expression", None, place, where=where)
    reach.check_expression(tree)
    return reach
