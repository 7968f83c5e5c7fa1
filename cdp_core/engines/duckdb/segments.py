"""Segments' queries: read with DuckDB's own parser, let through if they read the profiles and nothing else.

A condition is one expression over a profile's columns; a query is one SELECT that yields the key column.
Tables are `profiles` and the query's own WITH names; table functions are those that touch nothing.
This is the first of two layers: the connection has no access to files, network or settings either.
"""

# ruff: noqa: S608 - names are quoted by `text`, and a segment's text is parsed by `segments` first
from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import duckdb

from cdp_core.engines.duckdb.faults import on_query
from cdp_core.engines.duckdb.text import name
from cdp_core.engines.places import QueryPlace, as_utf8, shallow, syntax_fault
from cdp_core.errors import Code, InvalidFault
from cdp_core.model.configuration import Segment

_SELECT = "SELECT * FROM profiles WHERE"
_TABLE_FUNCTIONS = frozenset({"unnest", "range", "generate_series"})
# Functions that read or change what is outside the query, wait, run a text as SQL, or stop the query with a
# row's value in the message.
_FUNCTIONS_DENIED = frozenset(
    {
        *("currval", "nextval", "setseed", "write_log", "current_setting", "getenv", "getvariable", "error"),
        *("json_execute_serialized_sql", "query", "query_table", "sql_auto_complete"),
        *("json_serialize_plan", "current_query", "format_type", "get_block_size"),
        *("obj_description", "shobj_description", "col_description"),
    }
)
# Of those that PostgreSQL's catalog is imitated with, some read DuckDB's own tables, and one sleeps.
_CATALOG_FUNCTIONS_ALLOWED = frozenset({"pg_typeof", "pg_size_pretty"})
# What a tree of a SELECT holds beside expressions. Anything that stands not here is refused.
_SAFE_TABLES = frozenset(
    {"BASE_TABLE", "TABLE_FUNCTION", "EMPTY", "JOIN", "SUBQUERY", "EXPRESSION_LIST", "PIVOT"}
)
_SAFE_ENDINGS = ("_NODE", "_MODIFIER", "_TYPE_INFO")
_SAFE_BEGINNINGS = ("ORDER_", "ASCENDING", "DESCENDING")

_Node = dict[str, Any]


def member_condition(connection: duckdb.DuckDBPyConnection, segment: Segment, key: str) -> str:
    """SQL that is true for the rows of `profiles` that are the segment's members.

    Raises `InvalidFault` (SEGMENT_INVALID) with the place where the query is not valid or not allowed.
    """
    as_utf8(_text(segment), where=_where(segment))
    with shallow(QueryPlace(_text(segment)), where=_where(segment)):
        if segment.where is not None:
            return f"coalesce((\n{_checked_condition(connection, segment)}\n), false)"
        query = _checked_query(connection, segment, key)
    return f"{name(key)} IN (SELECT {name(key)} FROM (\n{query}\n) AS members)"


def count_members(connection: duckdb.DuckDBPyConnection, segment: Segment, condition: str) -> int:
    """Run the query over all profiles; raises `InvalidFault` where it fails on a row, without the row."""
    query = f"SELECT count(*) FROM profiles WHERE {condition}"
    place, where = place_in(query, segment)
    row = on_query(lambda: connection.execute(query).fetchone(), place, where=where)
    return int(row[0]) if row else 0


def place_in(query: str, segment: Segment) -> tuple[QueryPlace, str]:
    """Where in a query around a segment's condition its text stands, and what it is called in a fault."""
    # The text stands on lines of its own; searched for alone, a short one is also part of our words.
    place = QueryPlace(_text(segment), query.partition(f"\n{_text(segment)}\n")[0] + "\n")
    return place, _where(segment)


def names_in(connection: duckdb.DuckDBPyConnection, segment: Segment) -> frozenset[str]:
    """Every name in a valid segment's text that may be a column's, in lower case."""
    query = _text(segment) if segment.where is None else f"{_SELECT} (\n{_text(segment)}\n)"
    place = QueryPlace(_text(segment))
    with shallow(place, where=_where(segment)):
        return frozenset(
            part.lower()
            for node in _nodes(_parse(connection, query, place, _where(segment)))
            if node.get("class") == "COLUMN_REF"
            for part in node.get("column_names", ())
        )


def _checked_condition(connection: duckdb.DuckDBPyConnection, segment: Segment) -> str:
    """The text, once it is one whole expression both by itself and in parentheses, and true or false."""
    text, where = _text(segment), _where(segment)
    _refuse_semicolon(text, where)
    alone, enclosed = f"{_SELECT}\n", f"{_SELECT} (\n"
    place = QueryPlace(text, alone)
    trees = _parse(connection, f"{alone}{text}", place, where, whole=False)
    (pattern,) = _parse(connection, f"{alone}true", place, where)
    pattern["node"].pop("where_clause")
    condition = trees[0]["node"].pop("where_clause", None) if len(trees) == 1 else None
    if condition is None or _without_places(trees[0]) != _without_places(pattern):
        raise syntax_fault("a condition is one expression, without further clauses", None, place, where=where)
    (tree,) = _parse(connection, f"{enclosed}{text}\n)", QueryPlace(text, enclosed), where)
    if _without_places(tree["node"].get("where_clause")) != _without_places(condition):
        raise syntax_fault("a condition is one whole expression", None, place, where=where)
    _check_reach(condition, place, where)
    explained = f"EXPLAIN {alone}{text}"
    on_query(lambda: connection.execute(explained), place.after("EXPLAIN "), where=where)
    _check_is_true_or_false(connection, place, where)
    return text


def _refuse_semicolon(text: str, where: str) -> None:
    """One that ends a statement: in a quote or a comment it may stand."""
    for place, kind in duckdb.tokenize(text):
        if kind == duckdb.token_type.operator and text.encode()[place : place + 1] == b";":
            message = "a condition is one expression, without `;`"
            raise syntax_fault(message, place, QueryPlace(text), where=where)


def _check_is_true_or_false(connection: duckdb.DuckDBPyConnection, place: QueryPlace, where: str) -> None:
    """DuckDB's WHERE takes numbers and texts too, and casts them; that is hardly ever meant."""
    beginning = "DESCRIBE SELECT (\n"
    asked = f"{beginning}{place.text}\n) FROM profiles"
    described = on_query(
        lambda: connection.execute(asked).fetchall(), QueryPlace(place.text, beginning), where=where
    )
    others = [row[1].strip('"') for row in described if row[1] != "BOOLEAN"]
    if others:
        raise InvalidFault(
            Code.SEGMENT_INVALID,
            f"a condition must be true or false; this one is of type {others[0]}",
            where=where,
            hint="compare it with something, as in: lifetime_value > 500",
        )


def _syntax_fault_of_part(
    connection: duckdb.DuckDBPyConnection, told: _Node, place: QueryPlace, where: str
) -> InvalidFault:
    """What is wrong with a condition: that it ends too early, where a closing parenthesis gets further."""
    beginning = f"{_SELECT}\n{place.text}"
    closed = _serialized(connection, f"{beginning}\n)", place, where)
    end = len(beginning.rstrip().encode())
    if not closed.get("error") or int(closed.get("position", 0)) >= end:
        return syntax_fault("the condition ends too early", end, place, where=where)
    return _told_fault(told, place, where)


def _checked_query(connection: duckdb.DuckDBPyConnection, segment: Segment, key: str) -> str:
    text = _text(segment)
    place, where = QueryPlace(text), _where(segment)
    trees = _parse(connection, text, place, where)
    if len(trees) != 1:
        raise syntax_fault("a segment is one SELECT, not several statements", None, place, where=where)
    _check_reach(trees[0], place, where)
    asked = f"DESCRIBE {text}"
    described = on_query(lambda: connection.execute(asked).fetchall(), place.after("DESCRIBE "), where=where)
    columns = [row[0] for row in described]
    if key.lower() not in [column.lower() for column in columns]:
        message = f"the query must yield the key column {key!r}; it yields {', '.join(columns)}"
        raise syntax_fault(message, None, place, where=where)
    return text


def _text(segment: Segment) -> str:
    if segment.where is not None:
        return segment.where
    return (segment.sql or "").strip().removesuffix(";")


def _parse(
    connection: duckdb.DuckDBPyConnection, query: str, place: QueryPlace, where: str, *, whole: bool = True
) -> list[_Node]:
    """The trees of a query's statements; where it is not `whole`, the text is a condition at its end."""
    if not place.text.strip():
        raise syntax_fault("the query is empty", None, place, where=where)
    told = _serialized(connection, query, place, where)
    if told.get("error"):
        raise (
            _told_fault(told, place, where)
            if whole
            else _syntax_fault_of_part(connection, told, place, where)
        )
    statements: list[_Node] = told["statements"]
    if not statements:
        raise syntax_fault("the query is empty", None, place, where=where)
    return statements


def _serialized(connection: duckdb.DuckDBPyConnection, query: str, place: QueryPlace, where: str) -> _Node:
    asked = "SELECT json_serialize_sql(?::VARCHAR, skip_null := true, skip_empty := true)"
    row = on_query(lambda: connection.execute(asked, [query]).fetchone(), place, where=where)
    told: _Node = json.loads(row[0] if row else "{}")
    return told


def _told_fault(told: _Node, place: QueryPlace, where: str) -> InvalidFault:
    position = told.get("position")
    message = told.get("error_message", "not valid")
    if told.get("error_type") == "not implemented":
        message = "only a SELECT is allowed"
    return syntax_fault(message, int(position) if position is not None else None, place, where=where)


def _check_reach(tree: _Node, place: QueryPlace, where: str) -> None:
    own = {"profiles"} | {entry["key"].lower() for node in _nodes(tree) for entry in _with_names(node)}
    for node in _nodes(tree):
        objection = _objection(node, own)
        if objection:
            raise syntax_fault(objection, node.get("query_location"), place, where=where)


def _objection(node: _Node, own: set[str]) -> str:
    kind = node.get("type")
    if "class" in node:
        return _expression_objection(node)
    if not isinstance(kind, str):
        return ""
    if kind == "BASE_TABLE":
        return _table_objection(node, own)
    if kind == "TABLE_FUNCTION" and _function(node.get("function", {})) not in _TABLE_FUNCTIONS:
        return f"the table function {_function(node.get('function', {}))} is not allowed in a segment"
    if kind in _SAFE_TABLES or kind.endswith(_SAFE_ENDINGS) or kind.startswith(_SAFE_BEGINNINGS):
        return ""
    return "only a SELECT over `profiles` is allowed"


def _expression_objection(node: _Node) -> str:
    if node["class"] == "FUNCTION" and _is_denied(_function(node)):
        return f"the function {_function(node)} is not allowed in a segment"
    return "a segment has no parameters" if node["class"] == "PARAMETER" else ""


def _is_denied(function: str) -> bool:
    of_catalog = function.startswith("pg_") and function not in _CATALOG_FUNCTIONS_ALLOWED
    return of_catalog or function in _FUNCTIONS_DENIED


def _table_objection(node: _Node, own: set[str]) -> str:
    table = str(node.get("table_name", ""))
    path = node.get("qualified_name", {}).get("path", [table])
    qualified = node.get("schema_name") or node.get("catalog_name") or len(path) > 1
    if not qualified and table.lower() in own:
        return ""
    return f"a segment reads `profiles` and no other table or file; it names {'.'.join(path)!r}"


def _function(node: _Node) -> str:
    return str(node.get("function_name", "")).lower()


def _with_names(node: _Node) -> list[_Node]:
    found = node.get("cte_map", {})
    return list(found.get("map", [])) if isinstance(found, dict) else []


def _nodes(tree: Any) -> Iterator[_Node]:
    if isinstance(tree, dict):
        yield tree
        for value in tree.values():
            yield from _nodes(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _nodes(value)


def _without_places(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {
            key: _without_places(value) for key, value in tree.items() if not key.startswith("query_location")
        }
    if isinstance(tree, list):
        return [_without_places(value) for value in tree]
    return tree


def _where(segment: Segment) -> str:
    return f"segment {segment.name!r}"
