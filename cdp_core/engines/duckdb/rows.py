"""Whole rows: of each its record, whether it may be sent, and, of those that are sought, the chosen values.

Records are hashed in the query, so that planning brings no value out of it.
"""

# ruff: noqa: S608 - names are quoted by `text`, and a segment's text is parsed by `segments` first
from __future__ import annotations

from collections.abc import Iterator, Sequence

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from cdp_core.contract.digests import DIGEST_SIZE
from cdp_core.contract.source import RowsFound, Selection
from cdp_core.engines.asking import Rule
from cdp_core.engines.duckdb.consent import CONSENT, agreed_of, refusing_in
from cdp_core.engines.duckdb.identify import DIGEST, batches_of, joined
from cdp_core.engines.duckdb.kinds import steps
from cdp_core.engines.duckdb.regions import region_of
from cdp_core.engines.duckdb.relations import Relation
from cdp_core.engines.duckdb.text import literal, name
from cdp_core.engines.verdicts import ASK, VERDICTS
from cdp_core.model.accounting import Reason
from cdp_core.rules.records import HALF, NOT_THERE, beginning

_REGION = "text of region"
_KEY = "text of key"
_SOUGHT = "sought records"
_REASONS = {code: reason for reason, code in VERDICTS.items()}


def rows(
    connection: duckdb.DuckDBPyConnection,
    relation: Relation,
    *,
    key: str,
    condition: str,
    selection: Selection,
    sought: bytes | None,
) -> Iterator[RowsFound]:
    """As `Engine.rows` says."""
    query = _query(relation, key, condition, selection, values=sought is not None)
    if sought is not None:
        digests = pa.Array.from_buffers(DIGEST, len(sought) // DIGEST_SIZE, [None, pa.py_buffer(sought)])
        connection.register(_SOUGHT, pa.table({"record": digests}))
        query = f"SELECT * FROM ({query}) WHERE unhex(record) IN (SELECT record FROM {name(_SOUGHT)})"
    rules = [Rule(selection.kinds[match.kind]) for match in selection.matching]
    for batch in batches_of(connection, query, relation.url, selection):
        found = [_found(rule, batch.columns[4 + 4 * n :][:4]) for n, rule in enumerate(rules)]
        yield RowsFound(
            records=_scattered(batch.column("record")),
            members=batch.column("member"),
            agreed=pc.invert(refusing_in(batch, selection.consent)),
            digests=tuple(digests for digests, _ in found),
            reasons=tuple(reasons for _, reasons in found),
            values=tuple(batch.columns[4 + 4 * len(rules) :]),
        )


def _found(rule: Rule, columns: Sequence[pa.Array]) -> tuple[pa.Array, tuple[Reason | None, ...]]:
    """One match's digests and reasons, in the rows' order."""
    in_hex, verdicts, asked, regions = columns
    digests = _scattered(in_hex)
    reasons = [_REASONS.get(code) for code in verdicts.to_pylist()]
    to_ask = pc.equal(verdicts, pa.scalar(ASK, verdicts.type))
    if to_ask.true_count:
        places = pc.indices_nonzero(to_ask).to_pylist()
        texts = zip(asked.filter(to_ask).to_pylist(), regions.filter(to_ask).to_pylist(), strict=True)
        ruled = [rule.of(text, region) for text, region in texts]
        for place, identified in zip(places, ruled, strict=True):
            reasons[place] = identified.reason
        digests = pc.replace_with_mask(digests, to_ask, pa.array([each.digest for each in ruled], DIGEST))
    return digests, tuple(reasons)


def _scattered(in_hex: pa.Array) -> pa.Array:
    """Digests in hexadecimal as bytes, NULL where they are."""
    buffer = pa.py_buffer(joined(in_hex))
    whole = pa.Array.from_buffers(DIGEST, len(in_hex) - in_hex.null_count, [None, buffer])
    if not in_hex.null_count:
        return whole
    there = in_hex.is_valid()
    before = pc.subtract(pc.cumulative_sum(there.cast(pa.int64())), 1)
    return whole.take(pc.if_else(there, before, pa.scalar(None, pa.int64())))


def _query(relation: Relation, key: str, condition: str, selection: Selection, *, values: bool) -> str:
    """Rows of member, agreed, said, record; digest, verdict, asked and region of each match; the values."""
    matching, fields = selection.matching, selection.fields
    aliases = {f"text of match {n}": match.field for n, match in enumerate(matching)}
    chosen = {f"text of field {n}": each.field for n, each in enumerate(fields)}
    region = region_of(selection.region, name(_REGION))
    said = name(CONSENT) if selection.consent else "NULL::VARCHAR"
    # First of all, so that the condition can mean none of the names that are given here.
    columns = [f"coalesce(({condition}), false) AS member", f"{said} AS said", f"{name(_KEY)} AS row_key"]
    for n, (alias, match) in enumerate(zip(aliases, matching, strict=True)):
        regional = selection.kinds[match.kind].regional
        columns += [f"{name(alias)} AS value{n}", f"{region if regional else 'NULL::VARCHAR'} AS region{n}"]
    columns += [f"{name(alias)} AS field{n}" for n, alias in enumerate(chosen)]
    texts = {**aliases, **chosen, _KEY: key}
    texts |= {_REGION: selection.region_field} if selection.region_field is not None else {}
    texts |= {CONSENT: selection.consent.field} if selection.consent else {}
    query = f"SELECT {', '.join(columns)} FROM {relation.with_texts(texts)}"
    added = f"{agreed_of(selection.consent)} AS agreed, {_record(selection)} AS record"
    query = f"SELECT *, {added} FROM ({query})"
    for n, match in enumerate(matching):
        for step in steps(match.kind, n):
            more = ", ".join(f"{expression} AS {column}" for column, expression in step.items())
            query = f"SELECT *, {more} FROM ({query})"
    wanted = ["member", "agreed", "said", "record"]
    wanted += [f"digest{n}, verdict{n}, asked{n}, region{n}" for n in range(len(matching))]
    wanted += [f"field{n}" for n in range(len(fields))] if values else []
    return f"SELECT {', '.join(wanted)} FROM ({query})"


def _record(selection: Selection) -> str:
    """SQL for `record_of`, in hexadecimal; NULL where there is no key."""
    written = [_written("row_key"), *(_written(f"field{n}") for n in range(len(selection.fields)))]
    columns = literal(beginning([each.column for each in selection.fields]))
    digits = 2 * HALF
    return (
        "CASE WHEN row_key IS NOT NULL THEN "
        f"left(sha256(row_key), {digits}) || left(sha256({' || '.join([columns, *written])}), {digits}) END"
    )


def _written(column: str) -> str:
    return (
        f"CASE WHEN {column} IS NULL THEN {literal(NOT_THERE)} ELSE strlen({column}) || ':' || {column} END"
    )
