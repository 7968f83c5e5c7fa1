"""The engine's fast way against the rule that it must agree with."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cdp_core.contract.source import Selection
from cdp_core.errors import Code, InternalFault, InvalidFault
from cdp_core.model.accounting import Reason
from cdp_core.model.configuration import Match, Segment
from cdp_core.model.identifiers import Identified, IdentifierKind
from cdp_core.rules.identifiers import BUILT_IN_KINDS
from cdp_core.rules.identifiers.email import PLACEHOLDER_ADDRESSES, PLACEHOLDER_WORDS, email

Make = Callable[..., Any]
EVERYBODY = Segment(id="1", name="Everybody", where="true")

pieces = st.one_of(
    st.sampled_from(
        [*"aZ09@@..@.- \t\n\v\f\r\x00\x01\x1b\x1c\x1d\x1e\x1f\x7f\x85\xa0|/&'\"\\", "İ", "Σ", "ß"]
    ),
    st.characters(codec="utf-8"),
)
texts = st.text(pieces, max_size=12)
addresses = st.builds("{}{}@{}.{}{}".format, st.sampled_from(["", " ", "\x1f"]), texts, texts, texts, texts)
hashes = st.sampled_from([15, 16, 20, 32, 33]).flatmap(lambda size: st.binary(min_size=size, max_size=size))
values = st.one_of(
    st.none(),
    texts,
    addresses,
    hashes.map(bytes.hex),
    hashes.map(lambda digest: f" {digest.hex().upper()}\n"),
    st.sampled_from(sorted(PLACEHOLDER_WORDS | PLACEHOLDER_ADDRESSES)).map(str.upper),
)


def by_rule(raws: list[str | None]) -> Counter[bytes | Reason]:
    """What the rule says of each value."""
    return Counter(found.digest or found.reason or b"" for found in map(email, raws))


def screened(counts: Counter[bytes | Reason]) -> Counter[bytes | Reason]:
    """The core screens placeholders that have a digest, whatever engine found them."""
    known = {
        hashlib.sha256(text.encode()).digest() for text in PLACEHOLDER_WORDS | PLACEHOLDER_ADDRESSES | {""}
    }
    result: Counter[bytes | Reason] = Counter()
    for each, count in counts.items():
        result[Reason.PLACEHOLDER if each in known else each] += count
    return result


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(raws=st.lists(values, min_size=1, max_size=60))
def test_the_fast_way_yields_what_the_rule_yields_for_every_text(
    raws: list[str | None], open_engine: Make, identified: Make, parquet: Make
) -> None:
    path = parquet(id=list(range(len(raws))), email=pa.array(raws, pa.string()))
    selected, counts = identified(open_engine(path))
    assert selected.members == selected.profiles == len(raws)
    assert screened(counts) == by_rule(raws)


def test_every_ascii_character_in_every_place_is_decided_as_the_rule_does(
    open_engine: Make, identified: Make, parquet: Make
) -> None:
    raws: list[str | None] = []
    for letter in map(chr, range(0x180)):
        raws += [
            f"{letter}a@b.de",
            f"a{letter}a@b.de",
            f"a@b{letter}b.de",
            f"a@b.d{letter}",
            letter,
            f"{letter}n/a",
        ]
    path = parquet(id=list(range(len(raws))), email=raws)
    assert screened(identified(open_engine(path))[1]) == by_rule(raws)


def test_many_rows_come_in_many_batches_and_none_is_lost(
    open_engine: Make, found: Any, parquet: Make
) -> None:
    raws = [f"A{number % 250_000}@Example.org" if number % 7 else None for number in range(300_000)]
    path = parquet(id=list(range(len(raws))), email=raws)
    told: list[int] = []
    selection = Selection(
        segments=(EVERYBODY,), matching=(Match(kind="EMAIL", field="email"),), kinds=BUILT_IN_KINDS
    )
    open_engine(path).identify(selection, found, told.append)
    assert found.counts.total() == 300_000
    assert found.counts[Reason.MISSING] == raws.count(None)
    assert told == sorted(told)
    assert told[-1] == 300_000


def test_a_kind_without_sql_has_its_rule_asked_for_every_value(
    open_engine: Make, found: Any, parquet: Make
) -> None:
    def card(raw: str | None) -> Identified:
        return Identified(None, hashlib.sha256(raw.encode()).digest()) if raw else Identified(Reason.MISSING)

    path = parquet(id=["1", "2", "3", "4"], card=["7", None, "ü7", "7"])
    kind = IdentifierKind(key="CARD", label="Card", rule=card)
    selection = Selection(
        segments=(EVERYBODY,), matching=(Match(kind="CARD", field="card"),), kinds={"CARD": kind}
    )
    open_engine(path).identify(selection, found, lambda members: None)
    seven, other = (hashlib.sha256(text.encode()).digest() for text in ("7", "ü7"))
    assert found.counts == {seven: 2, other: 1, Reason.MISSING: 1}


def test_several_fields_feed_one_kind_in_one_reading(
    open_engine: Make, identified: Make, parquet: Make
) -> None:
    path = parquet(id=[1, 2], email=["a@b.de", None], work=["c@d.de", "a@b.de"])
    selected, counts = identified(open_engine(path), fields=("email", "work"))
    digest = hashlib.sha256(b"a@b.de").digest()
    assert selected.members == 2
    assert counts == {digest: 2, hashlib.sha256(b"c@d.de").digest(): 1, Reason.MISSING: 1}


def test_a_member_of_several_segments_is_read_once(
    open_engine: Make, identified: Make, parquet: Make
) -> None:
    path = parquet(id=list("abcd"), email=[f"{n}@b.de" for n in "abcd"], value=[1, 2, 3, None])
    segments = (
        Segment(id="1", name="low", where="value < 3"),
        Segment(id="2", name="high", where="value > 1 -- or so"),
        Segment(id="3", name="asked", sql="SELECT id FROM profiles WHERE email LIKE 'b%';"),
    )
    selected, counts = identified(open_engine(path), *segments)
    assert (selected.profiles, selected.members) == (4, 3)
    assert counts.total() == 3


def test_a_number_and_bytes_are_read_as_text(open_engine: Make, identified: Make, parquet: Make) -> None:
    path = parquet(
        id=[1, 2],
        email=pa.array([b"a@b.de", b"\xff\xfe"], pa.binary()),
        number=pa.array([5, None], pa.int64()),
    )
    engine = open_engine(path)
    assert identified(engine)[1] == {hashlib.sha256(b"a@b.de").digest(): 1, Reason.MALFORMED: 1}
    assert identified(engine, fields=("number",))[1] == {Reason.MALFORMED: 1, Reason.MISSING: 1}


def test_a_field_that_is_not_there_is_named(open_engine: Make, identified: Make, parquet: Make) -> None:
    engine = open_engine(parquet(id=[1], email=["a@b.de"]))
    with pytest.raises(InvalidFault, match="'mail'") as caught:
        identified(engine, fields=("mail",))
    assert caught.value.code is Code.FIELD_MISSING
    assert "email" in caught.value.hint


def test_nothing_is_left_in_the_scratch_folder(
    open_engine: Make, identified: Make, parquet: Make, tmp_path: Path
) -> None:
    engine = open_engine(parquet(id=[1], email=["a@b.de"]))
    identified(engine)
    engine.close()
    assert list((tmp_path / "scratch").iterdir()) == []
    assert (tmp_path / "scratch").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "identified_as", [ValueError("secret"), Identified(None), Identified(None, b"short")]
)
def test_a_rule_that_fails_is_told_without_the_value(
    identified_as: Exception | Identified, open_engine: Make, found: Any, parquet: Make
) -> None:
    def broken(raw: str | None) -> Identified:
        if isinstance(identified_as, Exception):
            raise identified_as
        return identified_as

    kind = IdentifierKind(key="CARD", label="Card", rule=broken)
    selection = Selection(
        segments=(EVERYBODY,), matching=(Match(kind="CARD", field="card"),), kinds={"CARD": kind}
    )
    engine = open_engine(parquet(id=["1"], card=["secret"]))
    with pytest.raises(InternalFault, match="rule of the kind CARD") as caught:
        engine.identify(selection, found, lambda members: None)
    assert "secret" not in repr((caught.value, caught.value.__context__, caught.value.__cause__))
