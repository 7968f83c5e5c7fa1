"""Select and identify: members' rows in, digests and verdicts out, in one streaming query.

The query gives for each match three columns: the digest, the verdict (a digest, a reason, or “ask the
rule”), and the text that the rule is asked about. Verdicts are counted and digests handed on as the
runs of bytes that they already are; only values that SQL cannot decide become Python objects.
"""

# ruff: noqa: S608 - names are quoted by `text`, and a segment's text is parsed by `segments` first
from __future__ import annotations

import binascii
from collections.abc import Callable, Iterator
from typing import TypeVar

import duckdb
import pyarrow as pa

from cdp_core.contract.digests import DIGEST_SIZE
from cdp_core.contract.source import DigestSink, Selection
from cdp_core.engines.duckdb.consent import COLUMNS, CONSENT, Withholding, parted, with_consent
from cdp_core.engines.duckdb.faults import on_members
from cdp_core.engines.duckdb.kinds import ASK, VERDICTS, steps
from cdp_core.engines.duckdb.relations import Relation
from cdp_core.engines.duckdb.text import name
from cdp_core.errors import Code, InternalFault
from cdp_core.model.accounting import Reason
from cdp_core.model.identifiers import Identified, IdentifierKind

BATCH_ROWS = 131_072

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
    members = 0
    for batch in _batches(connection, query, relation.url, selection):
        found = batch
        if selection.consent is not None:
            found, refusing = parted(batch, selection.consent)
            _values(refusing, selection, Withholding(sink))
        _values(found, selection, sink)
        members += found.num_rows
        progress(members)
    return members


def _values(batch: pa.RecordBatch, selection: Selection, sink: DigestSink) -> None:
    for at, match in enumerate(selection.matching):
        digests, verdicts, asked = batch.columns[3 * at : 3 * at + 3]
        _hand_over(selection.kinds[match.kind], digests, verdicts, asked, sink)


def _query(relation: Relation, condition: str, selection: Selection) -> str:
    matching, consent = selection.matching, selection.consent
    aliases = {f"text of match {n}": match.field for n, match in enumerate(matching)}
    values = ", ".join(f"{name(alias)} AS value{n}" for n, alias in enumerate(aliases))
    if consent is None:
        query = f"SELECT {values} FROM {relation.with_texts(aliases)} WHERE {condition}"
    else:
        # First of all, so that the condition can mean none of the names that are given here.
        member = f"coalesce(({condition}), false) AS member, {name(CONSENT)} AS said"
        rows = relation.with_texts({**aliases, CONSENT: consent.field})
        query = with_consent(f"SELECT {member}, {values} FROM {rows}", consent)
    for n, match in enumerate(matching):
        for step in steps(match.kind, n):
            added = ", ".join(f"{expression} AS {column}" for column, expression in step.items())
            query = f"SELECT *, {added} FROM ({query})"
    wanted = [f"digest{n}, verdict{n}, asked{n}" for n in range(len(matching))]
    return f"SELECT {', '.join([*wanted, *(COLUMNS if consent else ())])} FROM ({query})"


def _batches(
    connection: duckdb.DuckDBPyConnection, query: str, url: str, selection: Selection
) -> Iterator[pa.RecordBatch]:
    segments = ", ".join(f"segment {segment.name!r}" for segment in selection.segments)

    def guarded(work: Callable[[], T]) -> T:
        return on_members(work, url=url, segments=segments)

    # `execute(...)` would materialise the whole answer first; a relation streams it.
    batches = iter(guarded(lambda: connection.sql(query).to_arrow_reader(BATCH_ROWS)))
    while (batch := guarded(lambda: next(batches, None))) is not None:
        yield batch


def _hand_over(
    kind: IdentifierKind, digests: pa.Array, verdicts: pa.Array, asked: pa.Array, sink: DigestSink
) -> None:
    found = _joined(digests)
    if found:
        sink.digests(kind.key, found)
    codes = memoryview(verdicts.buffers()[1])[verdicts.offset :][: len(verdicts)].tobytes()
    for reason, code in VERDICTS.items():
        values = codes.count(code)
        if values:
            sink.reason(kind.key, reason, values)
    to_ask = codes.count(ASK)
    if to_ask:
        _ask(kind, asked, to_ask, sink)


def _joined(digests: pa.Array) -> bytes:
    """The digests that are not NULL; Arrow keeps their text together, with nothing for the NULLs."""
    offsets = memoryview(digests.buffers()[1]).cast("i")
    data = digests.buffers()[2]
    start, end = offsets[digests.offset], offsets[digests.offset + len(digests)]
    if end - start != (len(digests) - digests.null_count) * DIGEST_SIZE * 2:
        raise ValueError("a digest is not 64 hexadecimal digits long")
    return binascii.unhexlify(memoryview(data)[start:end]) if data is not None else b""


def _ask(kind: IdentifierKind, asked: pa.Array, to_ask: int, sink: DigestSink) -> None:
    texts = asked.drop_null().to_pylist()
    texts += [None] * (to_ask - len(texts))
    reasons: dict[Reason, int] = {}
    found = bytearray()
    for text in texts:
        identified = _by_rule(kind, text)
        if identified.reason is not None:
            reasons[identified.reason] = reasons.get(identified.reason, 0) + 1
        else:
            found += identified.digest or b""
    if found:
        sink.digests(kind.key, bytes(found))
    for reason, values in reasons.items():
        sink.reason(kind.key, reason, values)


def _by_rule(kind: IdentifierKind, text: str | None) -> Identified:
    """The rule may be a plugin's: what it raises could quote the value, and goes no further."""
    try:
        identified = kind.rule(text)
    except Exception as failure:  # noqa: BLE001
        trouble = type(failure).__name__
    else:
        if identified.reason is not None or len(identified.digest or b"") == DIGEST_SIZE:
            return identified
        trouble = "neither a reason nor a digest of 32 bytes"
    raise InternalFault(
        Code.UNEXPECTED,
        f"the rule of the kind {kind.key} failed: {trouble}",
        hint="report it to the author of the plugin that declares the kind",
    )
