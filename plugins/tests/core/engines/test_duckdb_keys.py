"""Keys of the rows that yield given digests: by SQL and by the rule, of members and of everybody else."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp_core.contract.source import DigestSink, Engine, KeyFound, Selected, Selection
from cdp_core.engines.duckdb.relations import Relation
from cdp_core.engines.duckdb.repeated import repeat
from cdp_core.errors import Code, InvalidFault
from cdp_core.model.accounting import Reason
from cdp_core.model.configuration import Column, Match
from cdp_core.model.policy import MemberConsent, Region
from cdp_core.rules.identifiers import BUILT_IN_KINDS

Make = Callable[..., Any]


class Unheard(DigestSink):
    def digests(self, kind: str, digests: bytes | memoryview) -> None:
        return

    def withheld(self, kind: str, digests: bytes | memoryview) -> None:
        return

    def reason(self, kind: str, reason: Reason, values: int) -> None:
        return


SELECTION = Selection(
    segments=(),
    matching=(
        Match(kind="EMAIL", field="email"),
        Match(kind="EMAIL", field="work"),
        Match(kind="PHONE", field="phone"),
    ),
    kinds=BUILT_IN_KINDS,
    region=Region(default="NL"),
)


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


@pytest.fixture
def engine(open_engine: Make, parquet: Make) -> Engine:
    path = parquet(
        id=[1, 2, 3, 4, 5],
        email=["Ann@example.org", "ben@example.org", None, "İ@example.org", "n/a"],
        work=[None, "ann@example.org ", "cem@example.org", None, None],
        phone=["06 12345678", None, "+31 6 12345678", None, "+49 30 123456"],
    )
    made: Engine = open_engine(path)
    return made


def found(engine: Engine, **sought: list[str]) -> set[tuple[str, str, bytes]]:
    wanted = {kind: [digest(text) for text in texts] for kind, texts in sought.items()}
    return {(each.key, each.kind, each.digest) for each in engine.keys_of(SELECTION, wanted)}


def test_every_row_that_yields_a_digest_is_found_by_whatever_field(engine: Engine) -> None:
    ann = digest("ann@example.org")
    assert found(engine, EMAIL=["ann@example.org", "nobody@example.org"]) == {
        ("1", "EMAIL", ann),
        ("2", "EMAIL", ann),
    }
    mobile = digest("31612345678")
    assert found(engine, PHONE=["31612345678"]) == {("1", "PHONE", mobile), ("3", "PHONE", mobile)}


def test_a_digest_is_sought_in_its_own_kind_alone(engine: Engine) -> None:
    assert found(engine, PHONE=["ann@example.org"]) == set()
    assert found(engine) == set()


def test_values_that_only_the_rule_decides_are_found_too(engine: Engine) -> None:
    # Python's lower() of a dotted capital I is two characters.
    assert found(engine, EMAIL=["i̇@example.org"]) == {("4", "EMAIL", digest("i̇@example.org"))}


def test_consent_and_segments_do_not_matter(engine: Engine) -> None:
    asking = dataclasses.replace(SELECTION, consent=MemberConsent(field="work", granted=("yes",)))
    keys = {each.key for each in engine.keys_of(asking, {"EMAIL": [digest("ben@example.org")]})}
    assert keys == {"2"}


def test_a_field_that_is_not_there_is_named(engine: Engine) -> None:
    lacking = dataclasses.replace(SELECTION, matching=(Match(kind="EMAIL", field="mail"),))
    with pytest.raises(InvalidFault) as caught:
        list(engine.keys_of(lacking, {"EMAIL": [digest("a")]}))
    assert caught.value.code is Code.FIELD_MISSING


def test_an_engine_that_cannot_find_keys_finds_none() -> None:
    class Plain(Engine):
        def columns(self) -> tuple[Column, ...]:
            return ()

        def check_segment(self, segment: Any) -> int:
            return 0

        def identify(self, selection: Any, sink: Any, progress: Any) -> Selected:
            return Selected(profiles=0, members=0, duplicate_keys=0)

        def close(self) -> None:
            return

    none: list[KeyFound] = []
    assert list(Plain().keys_of(SELECTION, {"EMAIL": [digest("a")]})) == none


@pytest.mark.parametrize("at_once", [1, 2, 3, 100])
def test_keys_that_repeat_are_counted_alike_in_however_many_passes(
    open_engine: Make, parquet: Make, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    for constant in ("_HASHES_AT_ONCE", "_KEYS_AT_ONCE"):
        monkeypatch.setattr(f"cdp_core.engines.duckdb.relations.{constant}", at_once)
    keys = ["a", "b", "a", None, "c", None, "a", "c", "d"]
    engine = open_engine(parquet(id=keys, email=["x@example.org"] * len(keys)))
    selection = dataclasses.replace(SELECTION, matching=SELECTION.matching[:1])
    assert engine.identify(selection, Unheard(), lambda members: None).duplicate_keys == 3


@pytest.mark.parametrize(
    "keys", [["a", "b", "d", "e"], [10, 9, 2], [1, 2, 3], [None, 1, None, 2], [None, None], []]
)
def test_keys_that_do_not_repeat_are_no_duplicates_in_any_order(
    open_engine: Make, parquet: Make, keys: list[Any]
) -> None:
    assert open_engine(parquet(id=keys, email=["x@example.org"] * len(keys))).repeated_keys() == 0


@pytest.mark.parametrize("keys", [["a", "a"], [1, 2, 2, 3], [1, 2, None, 2], [3, 4, 3], [2, 1, 1]])
def test_a_key_that_repeats_is_found_in_any_order(open_engine: Make, parquet: Make, keys: list[Any]) -> None:
    assert open_engine(parquet(id=keys, email=["x@example.org"] * len(keys))).repeated_keys() == 1


def test_keys_are_looked_at_only_where_their_hashes_repeat(
    open_engine: Make, parquet: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[int] = []
    repeated = Relation._repeated

    def noted(self: Relation, key: str, passes: int) -> int:
        looked.append(passes)
        return repeated(self, key, passes)

    monkeypatch.setattr(Relation, "_repeated", noted)
    keys = [f"key {number}" for number in range(300_000)]
    several = {"email": ["x@example.org"] * len(keys)}
    assert open_engine(parquet(id=keys, **several)).repeated_keys() == 0
    assert looked == []
    assert open_engine(parquet(id=[*keys[:-1], keys[150_000]], **several)).repeated_keys() == 1
    assert looked == [1]


@given(st.lists(st.lists(st.integers(0, 2**64 - 1) | st.sampled_from([0, 2**56, 2**64 - 1]))))
def test_hashes_repeat_where_they_do(batches: list[list[int]]) -> None:
    every = [number for batch in batches for number in batch]
    made = [pa.record_batch({"hash": pa.array(batch, pa.uint64())}) for batch in batches]
    assert repeat(made) == (len(set(every)) < len(every))
