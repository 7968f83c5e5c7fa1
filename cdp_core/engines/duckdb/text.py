"""Names and texts as DuckDB's SQL writes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def literals(texts: Iterable[str]) -> str:
    return "[" + ", ".join(map(literal, texts)) + "]"


def struct(fields: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{literal(key)}: {literal(value)}" for key, value in fields.items()) + "}"
