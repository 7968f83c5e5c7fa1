"""The region of a row in SQL, as `Region.of` says it."""

from __future__ import annotations

from cdp_core.engines.duckdb.text import literal
from cdp_core.engines.verdicts import EDGES, SPACE
from cdp_core.model.policy import Region


def region_of(region: Region, column: str) -> str:
    """SQL for two capital letters, or NULL; `column` is the text of the region's field, if it has one."""
    default = "NULL::VARCHAR" if region.default is None else literal(region.default)
    if region.field is None:
        return default
    return f"""CASE
        WHEN {column} IS NULL OR regexp_full_match({column}, '[{SPACE}]*') THEN {default}
        WHEN regexp_full_match({column}, '[A-Z]{{2}}') THEN {column}
        WHEN regexp_full_match({column}, '[{SPACE}]*[A-Za-z]{{2}}[{SPACE}]*')
        THEN upper(regexp_replace({column}, '{EDGES}', '', 'g'))
    END"""
