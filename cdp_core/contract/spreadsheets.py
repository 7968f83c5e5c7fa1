"""CSV that people open in a spreadsheet: what a program would take for a formula is given an apostrophe.

A formula begins a cell. Where the program expects another delimiter than the file's (a semicolon in much of
Europe), cells also begin behind one of those, and behind a line's end within a value: quotation marks do not
help there. The apostrophe shows, and says that a text follows; numbers with their sign are left as they are.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

# The wide forms are taken for the narrow ones where Chinese, Japanese or Korean is set.
_SIGNS = "=+\\-@\uff1d\uff0b\uff0d\uff20"
_FORMULA = rf"\A[{_SIGNS}\t\r\n]"
_NUMBER = r"\A[+-]?[0-9]+(?:[.,][0-9]+)?\z"
_WITHIN = rf"[,;|\t\r\n][\"' ]*[{_SIGNS}]"
# A number that is whole up to the next delimiter is none within a value, either.
_CELL_WITHIN = re.compile(
    rf"([,;|\t\r\n][\"' ]*)(?![+-]?[0-9]+(?:[.,][0-9]+)?(?:[,;|\t\r\n]|\Z))([{_SIGNS}])"
)


def without_formulas(table: pa.Table) -> pa.Table:
    """The table with an apostrophe before whatever would begin a cell like a formula, in columns of texts."""
    import pyarrow as pa

    return pa.table(
        {
            name: _without(column) if column.type in (pa.string(), pa.large_string()) else column
            for name, column in zip(table.column_names, table.columns, strict=True)
        }
    )


def _without(column: pa.ChunkedArray) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = column.combine_chunks()
    begins = pc.and_not(pc.match_substring_regex(texts, _FORMULA), pc.match_substring_regex(texts, _NUMBER))
    within = pc.fill_null(pc.match_substring_regex(texts, _WITHIN), False)
    if pc.any(within).as_py():
        found = [_CELL_WITHIN.sub(r"\1'\2", text) for text in texts.filter(within).to_pylist()]
        texts = pc.replace_with_mask(texts, within, pa.array(found, texts.type))
    return pc.if_else(begins, pc.binary_join_element_wise("'", texts, ""), texts)
