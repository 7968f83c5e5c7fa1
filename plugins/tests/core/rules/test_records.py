"""What stands for a row tells every row from every other."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from cdp_core.rules.records import HALF, half_of_key, record_of

TEXTS = st.one_of(st.text("0123456789:-é"), st.text(st.characters(exclude_categories=["Cs"])))
Row = tuple[str, list[str], list[str | None]]


@st.composite
def rows(draw: st.DrawFn) -> Row:
    columns = draw(st.lists(TEXTS, max_size=3))
    values = draw(st.lists(st.one_of(st.none(), TEXTS), min_size=len(columns), max_size=len(columns)))
    return draw(TEXTS), columns, values


@given(rows(), rows())
def test_two_records_are_the_same_only_of_the_same_row(one: Row, other: Row) -> None:
    assert (record_of(*one) == record_of(*other)) == (one == other)


@given(rows(), rows())
def test_all_versions_of_a_row_begin_alike(one: Row, other: Row) -> None:
    key = one[0]
    assert record_of(*one)[:HALF] == record_of(key, *other[1:])[:HALF] == half_of_key(key)


def test_the_rule_is_what_the_page_says() -> None:
    row = hashlib.sha256(b"5:email4:city2:c112:anna@mail.nl-").digest()
    record = record_of("c1", ["email", "city"], ["anna@mail.nl", None])
    assert record == hashlib.sha256(b"c1").digest()[:16] + row[:16]


def test_nothing_and_an_empty_text_differ() -> None:
    assert record_of("1", ["a"], [None]) != record_of("1", ["a"], [""])
    assert record_of("1", ["a"], [None]) != record_of("1", ["a"], ["-"])
    assert record_of("1", ["a", "b"], ["x", None]) != record_of("1", ["a", "b"], [None, "x"])
    assert record_of("1", ["a"], ["x"]) != record_of("1", ["b"], ["x"])
