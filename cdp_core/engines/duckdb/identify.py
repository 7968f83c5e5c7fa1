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
import functools
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from cdp_core.contract.digests import DIGEST_SIZE
from cdp_core.contract.source import DigestSink, KeyFound, Selection
from cdp_core.engines.duckdb.consent import COLUMNS, CONSENT, Withholding, parted, with_consent
from cdp_core.engines.duckdb.faults import on_members
from cdp_core.engines.duckdb.kinds import steps
from cdp_core.engines.duckdb.regions import region_of
from cdp_core.engines.duckdb.relations import Relation
from cdp_core.engines.duckdb.text import name
from cdp_core.engines.duckdb.verdicts import ASK, VERDICTS
from cdp_core.errors import Code, InternalFault
from cdp_core.model.accounting import Reason
from cdp_core.model.identifiers import Identified, IdentifierKind

BATCH_ROWS = 131_072
DIGEST = pa.binary(DIGEST_SIZE)
EMPTY = pa.array([], DIGEST)

# Answers of a rule that are kept for the next time that the same is asked: some 50 MB of them.
_ANSWERS = 131_072
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
    rules = {key: _Rule(kind) for key, kind in selection.kinds.items()}
    members = 0
    for batch in _batches(connection, query, relation.url, selection):
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
    rules = {kind: _Rule(declared) for kind, declared in selection.kinds.items()}
    sought = {kind: pa.array(list(each), DIGEST) for kind, each in digests.items()}
    for batch in _batches(connection, query, relation.url, selection):
        keys = batch.column(batch.num_columns - 1)
        for at, match in enumerate(selection.matching):
            columns = batch.columns[4 * at : 4 * at + 4]
            for found, of in _digests(rules[match.kind], columns, keys):
                hits = pc.is_in(found, value_set=sought.get(match.kind, EMPTY))
                for digest, text in zip(
                    found.filter(hits).to_pylist(), of.filter(hits).to_pylist(), strict=True
                ):
                    yield KeyFound(key=text, kind=match.kind, digest=digest)


def _digests(rule: _Rule, columns: Sequence[pa.Array], keys: pa.Array) -> Iterator[tuple[pa.Array, pa.Array]]:
    """The digests that SQL found, then those that the rule does, each with their rows' keys."""
    digests, verdicts, asked, regions = columns
    joined = pa.py_buffer(_joined(digests))
    whole = pa.Array.from_buffers(DIGEST, len(digests) - digests.null_count, [None, joined])
    yield whole, keys.filter(digests.is_valid())
    to_ask = pc.equal(verdicts, ASK)
    texts, places = (column.filter(to_ask).to_pylist() for column in (asked, regions))
    ruled = [rule.of(text, region).digest for text, region in zip(texts, places, strict=True)]
    yield pa.array(ruled, DIGEST), keys.filter(to_ask)


def _values(
    batch: pa.RecordBatch, selection: Selection, rules: Mapping[str, _Rule], sink: DigestSink
) -> None:
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


def _hand_over(kind: str, rule: _Rule, columns: Sequence[pa.Array], sink: DigestSink) -> None:
    digests, verdicts, asked, regions = columns
    found = _joined(digests)
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
        _ask(kind, rule, zip(texts, places, strict=True), sink)


def _joined(digests: pa.Array) -> bytes:
    """The digests that are not NULL; Arrow keeps their text together, with nothing for the NULLs."""
    offsets = memoryview(digests.buffers()[1]).cast("i")
    data = digests.buffers()[2]
    start, end = offsets[digests.offset], offsets[digests.offset + len(digests)]
    if end - start != (len(digests) - digests.null_count) * DIGEST_SIZE * 2:
        raise ValueError("a digest is not 64 hexadecimal digits long")
    return binascii.unhexlify(memoryview(data)[start:end]) if data is not None else b""


def _ask(kind: str, rule: _Rule, values: Iterable[tuple[str | None, str | None]], sink: DigestSink) -> None:
    reasons: Counter[Reason] = Counter()
    found = bytearray()
    for (text, region), times in Counter(values).items():
        identified = rule.of(text, region)
        if identified.reason is not None:
            reasons[identified.reason] += times
        else:
            found += (identified.digest or b"") * times
    if found:
        sink.digests(kind, bytes(found))
    for reason, times in reasons.items():
        sink.reason(kind, reason, times)


class _Rule:
    """A kind's Python rule, asked once for each distinct value, as far as its answers can be kept."""

    def __init__(self, kind: IdentifierKind) -> None:
        self._kind = kind
        self.of = functools.lru_cache(_ANSWERS)(self._identify)

    def _identify(self, text: str | None, region: str | None) -> Identified:
        """The rule may be a plugin's: what it raises could quote the value, and goes no further."""
        try:
            identified = self._kind.identify(text, region)
        except Exception as failure:  # noqa: BLE001
            trouble = type(failure).__name__
        else:
            if identified.reason is not None or len(identified.digest or b"") == DIGEST_SIZE:
                return identified
            trouble = "neither a reason nor a digest of 32 bytes"
        raise InternalFault(
            Code.UNEXPECTED,
            f"the rule of the kind {self._kind.key} failed: {trouble}",
            hint="report it to the author of the plugin that declares the kind",
        )
