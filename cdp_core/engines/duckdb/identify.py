"""Select and identify: members' rows in, digests and verdicts out, in one streaming query.

The query gives for each match four columns: the digest, the verdict (a digest, a reason, or “ask the
rule”), the text that the rule is asked about, and the region that it is read in. Verdicts are
counted and digests handed on as the runs of bytes that they already are; only values that SQL cannot
decide become Python objects.
"""

# ruff: noqa: S608 - names are quoted by `text`, and a segment's text is parsed by `segments` first
from __future__ import annotations

import binascii
import dataclasses
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TypeVar

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from cdp_core.contract.digests import DIGEST_SIZE
from cdp_core.contract.source import DigestSink, KeyFound, Selection
from cdp_core.engines.asking import Rule, Withholding, ask
from cdp_core.engines.duckdb.consent import COLUMNS, CONSENT, parted, with_consent
from cdp_core.engines.duckdb.faults import on_members
from cdp_core.engines.duckdb.kinds import steps
from cdp_core.engines.duckdb.regions import region_of
from cdp_core.engines.duckdb.relations import Relation
from cdp_core.engines.duckdb.text import name
from cdp_core.engines.verdicts import ASK, VERDICTS

BATCH_ROWS = 131_072
DIGEST = pa.binary(DIGEST_SIZE)
EMPTY = pa.array([], DIGEST)

_REGION = "text of region"
_KEY = "text of key"

T = TypeVar("T")


def identify(
    connection: duckdb.DuckDBPyConnection,
    relation: Relation,
    *,
    condition: str,
    selection: Selection,
    sink: DigestSink,
    progress: Callable[[int], None],
) -> int:
    """Hand every member's values to the sink; the number of members."""
    query = _query(relation, condition, selection)
    rules = {key: Rule(kind) for key, kind in selection.kinds.items()}
    members = 0
    for batch in batches_of(connection, query, relation.url, selection):
        found = batch
        if selection.consent is not None:
            found, refusing = parted(batch, selection.consent)
            _values(refusing, selection, rules, Withholding(sink))
        _values(found, selection, rules, sink)
        members += found.num_rows
        progress(members)
    return members


def keys_of(
    connection: duckdb.DuckDBPyConnection,
    relation: Relation,
    *,
    key: str,
    selection: Selection,
    digests: Mapping[str, Collection[bytes]],
) -> Iterator[KeyFound]:
    """The keys of all rows that yield one of the digests; a row may be told of more than once."""
    selection = dataclasses.replace(selection, segments=(), consent=None)
    query = _query(relation, "true", selection, key=key)
    rules = {kind: Rule(declared) for kind, declared in selection.kinds.items()}
    sought = {kind: pa.array(list(each), DIGEST) for kind, each in digests.items()}
    for batch in batches_of(connection, query, relation.url, selection):
        keys = batch.column(batch.num_columns - 1)
        for at, match in enumerate(selection.matching):
            columns = batch.columns[4 * at : 4 * at + 4]
            for found, of in _digests(rules[match.kind], columns, keys):
                hits = pc.is_in(found, value_set=sought.get(match.kind, EMPTY))
                for digest, text in zip(
                    found.filter(hits).to_pylist(), of.filter(hits).to_pylist(), strict=True
                ):
                    yield KeyFound(key=text, kind=match.kind, digest=digest)


def _digests(rule: Rule, columns: Sequence[pa.Array], keys: pa.Array) -> Iterator[tuple[pa.Array, pa.Array]]:
    """The digests that SQL found, then those that the rule does, each with their rows' keys."""
    digests, verdicts, asked, regions = columns
    buffer = pa.py_buffer(joined(digests))
    whole = pa.Array.from_buffers(DIGEST, len(digests) - digests.null_count, [None, buffer])
    yield whole, keys.filter(digests.is_valid())
    to_ask = pc.equal(verdicts, ASK)
    texts, places = (column.filter(to_ask).to_pylist() for column in (asked, regions))
    ruled = [rule.of(text, region).digest for text, region in zip(texts, places, strict=True)]
    yield pa.array(ruled, DIGEST), keys.filter(to_ask)


def _values(batch: pa.RecordBatch, selection: Selection, rules: Mapping[str, Rule], sink: DigestSink) -> None:
    for at, match in enumerate(selection.matching):
        _hand_over(match.kind, rules[match.kind], batch.columns[4 * at : 4 * at + 4], sink)


def _query(relation: Relation, condition: str, selection: Selection, *, key: str | None = None) -> str:
    """`key` names a column whose text comes last, beside what the matched fields yield."""
    matching, consent = selection.matching, selection.consent
    aliases = {f"text of match {n}": match.field for n, match in enumerate(matching)}
    region, values = region_of(selection.region, name(_REGION)), []
    for n, (alias, match) in enumerate(zip(aliases, matching, strict=True)):
        regional = selection.kinds[match.kind].regional
        values += [f"{name(alias)} AS value{n}", f"{region if regional else 'NULL'} AS region{n}"]
    if selection.region_field is not None:
        aliases[_REGION] = selection.region_field
    if key is not None:
        aliases[_KEY] = key
        values.append(f"{name(_KEY)} AS row_key")
    if consent is None:
        query = f"SELECT {', '.join(values)} FROM {relation.with_texts(aliases)} WHERE {condition}"
    else:
        # First of all, so that the condition can mean none of the names that are given here.
        member = f"coalesce(({condition}), false) AS member, {name(CONSENT)} AS said"
        rows = relation.with_texts({**aliases, CONSENT: consent.field})
        query = with_consent(f"SELECT {', '.join([member, *values])} FROM {rows}", consent)
    for n, match in enumerate(matching):
        for step in steps(match.kind, n):
            added = ", ".join(f"{expression} AS {column}" for column, expression in step.items())
            query = f"SELECT *, {added} FROM ({query})"
    wanted = [f"digest{n}, verdict{n}, asked{n}, region{n}" for n in range(len(matching))]
    more = [*(COLUMNS if consent else ()), *(["row_key"] if key is not None else ())]
    return f"SELECT {', '.join([*wanted, *more])} FROM ({query})"


def batches_of(
    connection: duckdb.DuckDBPyConnection, query: str, url: str, selection: Selection
) -> Iterator[pa.RecordBatch]:
    segments = ", ".join(f"segment {segment.name!r}" for segment in selection.segments)

    def guarded(work: Callable[[], T]) -> T:
        return on_members(work, url=url, segments=segments)

    # `execute(...)` would materialise the whole answer first; a relation streams it.
    batches = iter(guarded(lambda: connection.sql(query).to_arrow_reader(BATCH_ROWS)))
    while (batch := guarded(lambda: next(batches, None))) is not None:
        yield batch


def _hand_over(kind: str, rule: Rule, columns: Sequence[pa.Array], sink: DigestSink) -> None:
    digests, verdicts, asked, regions = columns
    found = joined(digests)
    if found:
        sink.digests(kind, found)
    codes = memoryview(verdicts.buffers()[1])[verdicts.offset :][: len(verdicts)].tobytes()
    for reason, code in VERDICTS.items():
        values = codes.count(code)
        if values:
            sink.reason(kind, reason, values)
    if codes.count(ASK):
        to_ask = pc.equal(verdicts, ASK)
        texts, places = (column.filter(to_ask).to_pylist() for column in (asked, regions))
        ask(kind, rule, zip(texts, places, strict=True), sink)


def joined(digests: pa.Array) -> bytes:
    """The digests that are not NULL; Arrow keeps their text together, with nothing for the NULLs."""
    offsets = memoryview(digests.buffers()[1]).cast("i")
    data = digests.buffers()[2]
    start, end = offsets[digests.offset], offsets[digests.offset + len(digests)]
    if end - start != (len(digests) - digests.null_count) * DIGEST_SIZE * 2:
        raise ValueError("a digest is not 64 hexadecimal digits long")
    return binascii.unhexlify(memoryview(data)[start:end]) if data is not None else b""
