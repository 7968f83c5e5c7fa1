"""What every peer is given to do: from a table's e-mails to digests, in one DuckDB query.

The rule is that of the docs' page on identifiers as far as SQL has it: trimmed, lower-cased, well-formed, no
placeholder, and what is a digest already is left as it is. So what an audience lacks or holds too much on the
second day comes from what a tool does with the second day, not from its user's knowledge of e-mails.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

BATCH = 100_000

_WELL_FORMED = r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+"
_DIGEST = "[0-9a-f]{64}"

_RULE = f"""
SELECT customer_id, CASE WHEN hashed THEN email ELSE sha256(email) END AS digest
FROM (SELECT customer_id, email, regexp_full_match(email, '{_DIGEST}') AS hashed
      FROM (SELECT customer_id, lower(trim(email, e' \\t\\r\\n')) AS email FROM read_parquet('PATH')))
WHERE hashed OR (email <> 'test@test.com' AND regexp_full_match(email, '{_WELL_FORMED}'))
"""


def hashed(path: str) -> str:
    """The SELECT of `customer_id` and `digest`, lower-case hexadecimal, for each e-mail that can be sent."""
    return _RULE.replace("PATH", path)


def in_batches(query: str) -> Iterator[Any]:
    """The query's rows as Arrow tables of 100,000 each: DuckDB's own batches end where its row groups do."""
    import duckdb
    import pyarrow

    with duckdb.connect() as connection:
        reader = connection.sql(query).to_arrow_reader(BATCH)
        waiting = reader.schema.empty_table()
        for rows in reader:
            waiting = pyarrow.concat_tables([waiting, pyarrow.Table.from_batches([rows])])
            while waiting.num_rows >= BATCH:
                yield waiting.slice(0, BATCH)
                waiting = waiting.slice(BATCH)
        if waiting.num_rows:
            yield waiting
