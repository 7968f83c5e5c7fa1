"""Look through a field as a kind: its verdicts counted, its form remarked on, its examples masked.

One streaming query for each field and kind. Raw values come as far as this module, where the first few
of each reason are masked, and no further.
"""

# ruff: noqa: S608 - names are quoted by `text`, and a segment's text is parsed by `segments` first
from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from cdp_core.contract.source import Examination
from cdp_core.engines.asking import Rule
from cdp_core.engines.duckdb.faults import on_members
from cdp_core.engines.duckdb.kinds import steps
from cdp_core.engines.duckdb.regions import region_of
from cdp_core.engines.duckdb.relations import Relation
from cdp_core.engines.duckdb.text import literal, name
from cdp_core.engines.verdicts import ASK, DIGEST, EDGES, SPACE, VERDICTS
from cdp_core.model.accounting import Reason
from cdp_core.model.examination import USABLE, FieldExamined, Remark
from cdp_core.model.identifiers import Identified
from cdp_core.rules.identifiers.masking import masked

BATCH_ROWS = 131_072
EXAMPLES = 3

T = TypeVar("T")

# Of each value a verdict and a form, together in one number.
_FORMS = 8
_PLAIN, _HASHED, _CAPITALS, _UNNORMALISED, _MD5, _SHA1, _WORDED = range(7)
_REMARKS: Mapping[Remark, tuple[tuple[int, int], ...]] = {
    Remark.HASHED: ((DIGEST, _HASHED), (DIGEST, _CAPITALS), (DIGEST, _UNNORMALISED)),
    Remark.CAPITALS: ((DIGEST, _CAPITALS),),
    Remark.UNNORMALISED: ((DIGEST, _UNNORMALISED),),
    Remark.MD5: ((VERDICTS[Reason.UNSUPPORTED], _MD5),),
    Remark.SHA1: ((VERDICTS[Reason.UNSUPPORTED], _SHA1),),
    Remark.WORDED: ((DIGEST, _WORDED),),
}
# Enough of one reason to find different ones among them, where they are not all the same.
_LOOKED_AT = 200
_UTINYINT, _UBIGINT = pa.uint8(), pa.uint64()
_RULE_ALONE = ({"digest0": "NULL::VARCHAR", "verdict0": f"{ASK}::UTINYINT", "asked0": "value0"},)


def examine(
    connection: duckdb.DuckDBPyConnection,
    relation: Relation,
    *,
    condition: str,
    examination: Examination,
    progress: Callable[[int], None],
) -> FieldExamined:
    query = _query(relation, condition, examination)
    segments = ", ".join(f"segment {segment.name!r}" for segment in examination.segments)
    found = _Findings(examination)

    def guarded(work: Callable[[], T]) -> T:
        return on_members(work, url=relation.url, segments=segments)

    batches: Iterator[pa.RecordBatch] = iter(
        guarded(lambda: connection.sql(query).to_arrow_reader(BATCH_ROWS))
    )
    while (batch := guarded(lambda: next(batches, None))) is not None:
        found.add(batch)
        progress(found.read)
    return found.examined()


def _query(relation: Relation, condition: str, examination: Examination) -> str:
    """Columns: value, verdict, asked, region, form, and of a digest its first eight bytes."""
    kind, beside = examination.match.kind, examination.beside
    aliases = {"text of match": examination.match.field}
    region = "NULL::VARCHAR"
    values = [f"{name('text of match')} AS value0"]
    if examination.kind.regional:
        region = region_of(examination.region, name("text of region"))
        if examination.region.field is not None:
            aliases["text of region"] = examination.region.field
    values.append(f"{region} AS region0")
    if beside is not None:
        aliases["text beside"] = beside
        values += [f"{name('text beside')} AS value1", "region0 AS region1"]
    query = f"SELECT {', '.join(values)} FROM {relation.with_texts(aliases)} WHERE {condition}"
    if examination.most is not None:
        # Of few rows the rule itself is asked: building the SQL of a kind would take longer.
        query = f"SELECT * FROM ({query}) USING SAMPLE reservoir({examination.most} ROWS) REPEATABLE (1)"
        query = _extended(query, _RULE_ALONE)
    else:
        query = _extended(query, steps(kind, 0))
    if beside is not None:
        query = _extended(query, steps(kind, 1))
    query = _extended(query, ({"form0": _form(beside is not None)},))
    mark = "CASE WHEN digest0 IS NOT NULL THEN ('0x' || digest0[1:16])::UBIGINT END"
    return f"SELECT value0, verdict0, asked0, region0, form0, {mark} FROM ({query})"


def _extended(query: str, added: Sequence[Mapping[str, str]]) -> str:
    for step in added:
        columns = ", ".join(f"{expression} AS {column}" for column, expression in step.items())
        query = f"SELECT *, {columns} FROM ({query})"
    return query


def _form(beside: bool) -> str:
    def hexadecimal(digits: int) -> str:
        pattern = rf"[{SPACE}]*[0-9A-Fa-f]{{{digits}}}[{SPACE}]*"
        return f"regexp_full_match(value0, {literal(pattern)})"

    unnormalised = f"WHEN {_made_of_the_value_beside()} THEN {_UNNORMALISED}" if beside else ""
    return f"""CASE
        WHEN value0 IS NULL OR strlen(value0) < 32 THEN {_PLAIN}
        WHEN {hexadecimal(64)} THEN CASE
            {unnormalised}
            WHEN regexp_matches(value0, '[A-F]') THEN {_CAPITALS}
            ELSE {_HASHED} END
        WHEN {hexadecimal(32)} THEN {_MD5}
        WHEN {hexadecimal(40)} THEN {_SHA1}
        ELSE {_PLAIN}
    END::UTINYINT"""


def _made_of_the_value_beside() -> str:
    """Whether a digest is not the one of the value beside it, but one of what people hash instead."""
    own = f"lower(regexp_replace(value0, {literal(EDGES)}, '', 'g'))"
    trimmed = f"regexp_replace(value1, {literal(EDGES)}, '', 'g')"
    written_plainly = "regexp_replace(value1, '[^+0-9]+', '', 'g')"
    instead = ("value1", trimmed, "lower(value1)", f"upper({trimmed})", written_plainly)
    # Each is hashed only where none before it was the one.
    return f"""CASE
        WHEN verdict1 IS DISTINCT FROM {DIGEST} OR strlen(value1) >= 64 OR {own} = lower(digest1) THEN false
        {" ".join(f"WHEN {own} = sha256({each}) THEN true" for each in instead)}
        ELSE false
    END"""


class _Findings:
    """What the batches so far have shown."""

    def __init__(self, examination: Examination) -> None:
        self._examination = examination
        self._rule = Rule(examination.kind)
        self._placeholders = pa.array(map(_mark, examination.kind.placeholders), _UBIGINT)
        self._counts: Counter[int] = Counter()
        self._marks: list[pa.Array] = []
        self._examples: dict[int, list[str]] = {}

    @property
    def read(self) -> int:
        return self._counts.total()

    def add(self, batch: pa.RecordBatch) -> None:
        values, verdicts, asked, regions, forms, marks = batch.columns
        verdicts, forms, marks = self._with_answers(verdicts, asked, regions, forms, marks)
        # A placeholder's digest is told by its first eight bytes: no other one is likely to have them.
        placeholder = pc.is_in(marks, value_set=self._placeholders, skip_nulls=True)
        verdicts = pc.if_else(placeholder, pa.scalar(VERDICTS[Reason.PLACEHOLDER], _UTINYINT), verdicts)
        self._marks.append(marks.filter(pc.equal(verdicts, pa.scalar(DIGEST, _UTINYINT))))
        both = pc.add(pc.multiply(verdicts, pa.scalar(_FORMS, _UTINYINT)), forms)
        for found in pc.value_counts(both).to_pylist():
            self._counts[found["values"]] += found["counts"]
            self._exemplify(found["values"], values, both)

    def examined(self) -> FieldExamined:
        reasons = {reason: self._total(code) for reason, code in VERDICTS.items()}
        remarks = {
            remark: sum(self._counts[code * _FORMS + form] for code, form in pairs)
            for remark, pairs in _REMARKS.items()
        }
        match = self._examination.match
        return FieldExamined(
            field=match.field,
            kind=match.kind,
            read=self.read,
            distinct=pc.count_distinct(pa.chunked_array(self._marks, _UBIGINT)).as_py(),
            reasons={reason: number for reason, number in reasons.items() if number},
            remarks={remark: number for remark, number in remarks.items() if number},
            examples=self._masked(),
        )

    def _total(self, code: int) -> int:
        return sum(self._counts[code * _FORMS + form] for form in range(_FORMS))

    def _with_answers(
        self, verdicts: pa.Array, asked: pa.Array, regions: pa.Array, forms: pa.Array, marks: pa.Array
    ) -> tuple[pa.Array, pa.Array, pa.Array]:
        """The same columns with what the rule says of the values that SQL has left to it."""
        to_ask = pc.equal(verdicts, pa.scalar(ASK, _UTINYINT))
        if not to_ask.true_count:
            return verdicts, forms, marks
        texts, places, looks = (column.filter(to_ask).to_pylist() for column in (asked, regions, forms))
        answers = [self._rule.of(text, place) for text, place in zip(texts, places, strict=True)]
        told = pa.array([_verdict(each) for each in answers], _UTINYINT)
        asked_about = zip(answers, texts, looks, strict=True)
        seen = pa.array([_seen(each, text, form) for each, text, form in asked_about], _UTINYINT)
        first = pa.array([_mark(each.digest) for each in answers], _UBIGINT)
        return (
            pc.replace_with_mask(verdicts, to_ask, told),
            pc.replace_with_mask(forms, to_ask, seen),
            pc.replace_with_mask(marks, to_ask, first),
        )

    def _exemplify(self, code: int, values: pa.Array, both: pa.Array) -> None:
        examples = self._examples.setdefault(code, [])
        if len(examples) >= EXAMPLES or code // _FORMS == VERDICTS[Reason.MISSING]:
            return
        such = values.filter(pc.equal(both, pa.scalar(code, _UTINYINT))).slice(0, _LOOKED_AT)
        for text in such.to_pylist():
            shown = masked(text or "")
            if shown not in examples and len(examples) < EXAMPLES:
                examples.append(shown)

    def _masked(self) -> dict[str, tuple[str, ...]]:
        named: dict[str, list[str]] = {}
        labels = {DIGEST: USABLE} | {code: str(reason) for reason, code in VERDICTS.items()}
        for code, examples in sorted(self._examples.items()):
            pair = divmod(code, _FORMS)
            # Where there is something to remark on, that is what the example is of.
            of = [str(remark) for remark, pairs in _REMARKS.items() if pair in pairs][-1:]
            named.setdefault((of or [labels[pair[0]]])[0], []).extend(examples)
        return {label: tuple(examples[:EXAMPLES]) for label, examples in named.items() if examples}


def _verdict(identified: Identified) -> int:
    return DIGEST if identified.reason is None else VERDICTS[identified.reason]


def _seen(identified: Identified, text: str | None, form: int) -> int:
    """The form of a value that the rule was asked about; what came hashed has no normalised text."""
    if identified.normalised is None:
        return form
    dropped = _has_letters(text or "") and not _has_letters(identified.normalised)
    return _WORDED if dropped else _PLAIN


def _has_letters(text: str) -> bool:
    return any(map(str.isalpha, text))


def _mark(digest: bytes | None) -> int | None:
    return None if digest is None else int.from_bytes(digest[:8], "big")
