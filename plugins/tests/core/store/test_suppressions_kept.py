"""Suppressions: all of a list or nothing, each once, and what has come since."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cdp_core.store.state import State
from cdp_core.store.suppressions import SuppressedDigests

AT = datetime(2026, 11, 23, tzinfo=UTC)
ONE, TWO, THREE = (bytes([n]) * 32 for n in (1, 2, 3))


def add(state: State, *digests: bytes, kind: str = "EMAIL") -> int:
    return state.suppressions.add([(kind, each) for each in digests], note="n", by="anna", at=AT)


def test_each_is_kept_once_with_its_first_note(state: State) -> None:
    assert add(state, ONE, TWO, ONE) == 2
    assert state.suppressions.add([("EMAIL", ONE), ("PHONE", ONE)], note="later", by="ben", at=AT) == 1
    assert state.suppressions.count() == {"EMAIL": 2, "PHONE": 1}
    kept = state.suppressions.get("EMAIL", ONE)
    assert kept is not None
    assert (kept.note, kept.added_by, kept.added_at) == ("n", "anna", AT)
    assert [each.kind for each in state.suppressions.newest_first(limit=2)] == ["PHONE", "EMAIL"]
    assert [each.digest for each in state.suppressions.newest_first(limit=9, kind="EMAIL")] == [TWO, ONE]


def test_a_list_that_breaks_off_leaves_nothing(state: State) -> None:
    def breaking() -> Iterator[tuple[str, bytes]]:
        for number in range(25_000):
            yield "EMAIL", number.to_bytes(32)
        raise RuntimeError("the list ended")

    with pytest.raises(RuntimeError):
        state.suppressions.add(breaking(), note="", by="anna", at=AT)
    assert state.suppressions.count() == {}
    assert state.suppressions.digests() == SuppressedDigests(newest=0, kinds={})


def test_who_was_removed_and_comes_again_is_new_to_who_has_read_all(state: State) -> None:
    add(state, ONE, TWO)
    newest = state.suppressions.digests().newest
    assert state.suppressions.remove("EMAIL", TWO)
    assert not state.suppressions.remove("EMAIL", TWO)
    assert state.suppressions.digests(newest) == SuppressedDigests(newest=newest, kinds={})
    add(state, TWO)
    add(state, THREE, kind="PHONE")
    come = state.suppressions.digests(newest)
    assert come.kinds == {"EMAIL": TWO, "PHONE": THREE}
    assert state.suppressions.digests(come.newest).kinds == {}


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(steps=st.lists(st.tuples(st.booleans(), st.integers(0, 5)), max_size=25))
def test_reading_on_from_any_point_finds_what_was_added_since(
    state: State, steps: list[tuple[bool, int]]
) -> None:
    for number in range(6):
        state.suppressions.remove("EMAIL", bytes([number]) * 32)
    held: set[bytes] = set()
    points: list[tuple[int, set[bytes]]] = []
    for adds, number in steps:
        digest = bytes([number]) * 32
        points.append((state.suppressions.digests().newest, set()))
        if adds and digest not in held:
            add(state, digest)
            held.add(digest)
            for _, since in points:
                since.add(digest)
        elif not adds:
            state.suppressions.remove("EMAIL", digest)
            held.discard(digest)
    assert together(state.suppressions.digests()) == held
    for newest, since in points:
        assert together(state.suppressions.digests(newest)) == since & held


def together(found: SuppressedDigests) -> set[bytes]:
    joined = found.kinds.get("EMAIL", b"")
    return {joined[at : at + 32] for at in range(0, len(joined), 32)}
