"""Names and texts as Spark SQL writes them."""

from __future__ import annotations

import re


def name(text: str) -> str:
    return "`" + text.replace("`", "``") + "`"


def binary(text: str) -> str:
    """A text's bytes in UTF-8, as a literal."""
    return f"X'{text.encode().hex()}'"


def in_utf8(column: str) -> str:
    """A column's text as bytes: compared byte by byte whatever its collation, and never decoded by Arrow,
    which would stop at what is no UTF-8."""
    return f"CAST(CAST({column} AS STRING) AS BINARY)"


def without_semicolon(text: str) -> str:
    """A query without the semicolon that may end it."""
    return re.sub(r";\s*\Z", "", text.strip())
