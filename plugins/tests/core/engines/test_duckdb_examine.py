"""A field looked through as a kind: exact counts against the rule, remarks on hashes, nothing raw."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from cdp_core.contract.source import DigestSink, Engine, Examination, Selected, Selection
from cdp_core.errors import Code, InvalidFault
from cdp_core.model.accounting import Reason
from cdp_core.model.configuration import Column, Match, Segment
from cdp_core.model.examination import FieldExamined, Remark
from cdp_core.model.identifiers import Identified, IdentifierKind
from cdp_core.model.policy import Region
from cdp_core.rules.identifiers import BUILT_IN_KINDS

from .conftest import EVERYBODY

Make = Callable[..., Any]


def hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


DIRTY = [
    *("Ann.Smith@gmail.com", " ann.smith@GMAIL.com", "ben@example.org", "İpek@example.org"),
    *(None, "", " \u00a0"),
    *("n/a", "TEST@test.com", hashed("test@test.com")),
    *("ann at gmail.com", "carl@@example.org"),
    *(hashed("dora@example.org"), hashed("emil@example.org").upper()),
    *(
        hashlib.md5(b"x", usedforsecurity=False).hexdigest(),
        hashlib.sha1(b"x", usedforsecurity=False).hexdigest(),
    ),
]


def examine(engine: Engine, kind: IdentifierKind, field: str, **more: Any) -> FieldExamined:
    return engine.examine(
        Examination(
            segments=more.pop("segments", (EVERYBODY,)),
            match=Match(kind=kind.key, field=field),
            kind=kind,
            **more,
        ),
        lambda read: None,
    )


def test_each_kind_of_dirt_is_counted_once(open_engine: Make, parquet: Make) -> None:
    engine = open_engine(parquet(id=list(range(len(DIRTY))), email=DIRTY))
    found = examine(engine, BUILT_IN_KINDS["EMAIL"], "email")
    assert (found.read, found.usable, found.distinct, found.duplicate) == (16, 6, 5, 1)
    assert found.reasons == {
        Reason.MISSING: 3,
        Reason.PLACEHOLDER: 3,
        Reason.MALFORMED: 2,
        Reason.UNSUPPORTED: 2,
    }
    assert found.remarks == {Remark.HASHED: 2, Remark.CAPITALS: 1, Remark.MD5: 1, Remark.SHA1: 1}


@pytest.mark.parametrize("kind", BUILT_IN_KINDS.values(), ids=lambda kind: kind.key)
@pytest.mark.parametrize("most", [None, 1000])
def test_it_counts_what_the_rule_says(
    open_engine: Make, parquet: Make, kind: IdentifierKind, most: int | None
) -> None:
    values = [
        *DIRTY,
        *("06-12345678", "+31 6 12345678", "0031612345678", "tel:+31-6-12345678;ext=3", "12", "000000"),
        *("F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6", "00000000-0000-0000-0000-000000000000"),
    ]
    engine = open_engine(parquet(id=list(range(len(values))), it=values))
    found = examine(engine, kind, "it", region=Region(default="NL"), most=most)
    oracle = [kind.identify(value, "NL") for value in values]
    digests = [each.digest for each in oracle if each.digest and each.digest not in kind.placeholders]
    reasons = Counter(each.reason or Reason.PLACEHOLDER for each in oracle if each.digest not in digests)
    assert (found.usable, found.distinct) == (len(digests), len(set(digests)))
    assert found.reasons == reasons


def test_examples_are_few_and_masked(open_engine: Make, parquet: Make) -> None:
    engine = open_engine(parquet(id=list(range(len(DIRTY))), email=DIRTY))
    examples = examine(engine, BUILT_IN_KINDS["EMAIL"], "email").examples
    assert examples["usable"] == ("A***@g***.com", "a***@G***.com", "b***@e***.org")
    assert set(examples) == {"usable", "placeholder", "malformed", "hashed", "capitals", "md5", "sha1"}
    shown = " ".join(text for each in examples.values() for text in each)
    assert not [raw for raw in DIRTY if raw and raw.strip() and raw.strip() in shown]


def test_a_digest_of_the_value_beside_it_as_it_stands_is_told(open_engine: Make, parquet: Make) -> None:
    emails = ["Ann@example.org", " ben@example.org", "carl@example.org", "Dora@example.org", None]
    digests = [hashed("Ann@example.org"), hashed(" ben@example.org"), hashed("carl@example.org")]
    digests += [hashed("dora@example.org").upper(), hashed("Emil@example.org")]
    engine = open_engine(parquet(id=list(range(5)), email=emails, hash=digests))
    found = examine(engine, BUILT_IN_KINDS["EMAIL"], "hash", beside="email")
    assert found.remarks == {Remark.HASHED: 5, Remark.UNNORMALISED: 2, Remark.CAPITALS: 1}


def test_the_commonest_slips_of_hashed_phones_and_ids_are_told(open_engine: Make, parquet: Make) -> None:
    ad_id = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"
    engine = open_engine(
        parquet(
            id=[1, 2],
            phone=["+31 6 12345678", "06 12345678"],
            phone_hash=[hashed("+31612345678"), hashed("31612345678")],
            ad_id=[ad_id, ad_id],
            ad_hash=[hashed(ad_id.upper()), hashed(ad_id)],
        )
    )
    phones = examine(
        engine, BUILT_IN_KINDS["PHONE"], "phone_hash", beside="phone", region=Region(default="NL")
    )
    ids = examine(engine, BUILT_IN_KINDS["MOBILE_AD_ID"], "ad_hash", beside="ad_id")
    assert phones.remarks == ids.remarks == {Remark.HASHED: 2, Remark.UNNORMALISED: 1}


def test_a_plugins_kind_goes_by_its_rule(open_engine: Make, parquet: Make) -> None:
    def loyalty(raw: str | None) -> Identified:
        if not raw:
            return Identified(Reason.MISSING)
        if not raw.startswith("L-"):
            return Identified(Reason.MALFORMED)
        return Identified(None, hashlib.sha256(raw.encode()).digest(), raw)

    kind = IdentifierKind(key="LOYALTY", label="Loyalty card", rule=loyalty)
    engine = open_engine(parquet(id=[1, 2, 3, 4], card=["L-100", "L-100", "X-1", None]))
    found = examine(engine, kind, "card")
    assert (found.usable, found.distinct) == (2, 1)
    assert found.reasons == {Reason.MALFORMED: 1, Reason.MISSING: 1}


def test_what_was_read_from_among_words_is_told(open_engine: Make, parquet: Make) -> None:
    values = ["Order 612345678", "06-12345678", "tel:+31-6-12345678", None, "Utrecht"]
    engine = open_engine(parquet(id=list(range(5)), it=values))
    phones = examine(engine, BUILT_IN_KINDS["PHONE"], "it", region=Region(default="NL"))
    assert (phones.usable, phones.remarks) == (3, {Remark.WORDED: 2})
    assert phones.well_formed == 1 / 4
    assert phones.examples["worded"] == ("O*** 6***", "t***:+3***-*-1***")


def test_only_members_are_looked_at_and_a_sample_is_bounded(open_engine: Make, parquet: Make) -> None:
    engine = open_engine(parquet(id=list(range(1000)), email=[f"p{n}@example.org" for n in range(1000)]))
    few = Segment(id="1", name="Few", where="id < 10")
    assert examine(engine, BUILT_IN_KINDS["EMAIL"], "email", segments=(few,)).read == 10
    assert examine(engine, BUILT_IN_KINDS["EMAIL"], "email", most=100).read == 100


def test_a_field_that_is_not_there_is_named(open_engine: Make, parquet: Make) -> None:
    engine = open_engine(parquet(id=[1], email=["ann@example.org"]))
    with pytest.raises(InvalidFault) as caught:
        examine(engine, BUILT_IN_KINDS["EMAIL"], "mail")
    assert caught.value.code is Code.FIELD_MISSING


def test_an_engine_that_only_identifies_has_the_counts(open_engine: Make, parquet: Make) -> None:
    duckdb = open_engine(parquet(id=list(range(len(DIRTY))), email=DIRTY))

    class Plain(Engine):
        def columns(self) -> tuple[Column, ...]:
            columns: tuple[Column, ...] = duckdb.columns()
            return columns

        def check_segment(self, segment: Segment) -> int:
            return 0

        def identify(
            self, selection: Selection, sink: DigestSink, progress: Callable[[int], None]
        ) -> Selected:
            selected: Selected = duckdb.identify(selection, sink, progress)
            return selected

        def close(self) -> None:
            return

    kind = BUILT_IN_KINDS["EMAIL"]
    plain, whole = examine(Plain(), kind, "email"), examine(duckdb, kind, "email")
    assert (plain.read, plain.distinct, plain.reasons) == (whole.read, whole.distinct, whole.reasons)
