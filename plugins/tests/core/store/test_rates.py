"""Rate limits: however many reserve, and in whatever order, no more go in any second than the limit says."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cdp_core.store.state import State

from .conftest import Clock, Spawn


def test_a_second_has_room_for_so_many_and_a_pause_is_not_saved_up(state: State, clock: Clock) -> None:
    assert [round(state.rates.reserve({"t": 2}), 6) for _ in range(5)] == [0, 0, 1.05, 1.05, 2.1]
    clock.move(60)
    assert [round(state.rates.reserve({"t": 2}), 6) for _ in range(3)] == [0, 0, 1.05]
    assert state.rates.reserve({"another token": 2}) == 0.0


def test_a_limit_below_one_a_second_is_an_interval(state: State) -> None:
    assert [round(state.rates.reserve({"t": 0.5}), 6) for _ in range(3)] == [0, 2.1, 4.2]


def test_after_a_penalty_nobody_goes_before_it_is_over(state: State, clock: Clock) -> None:
    state.rates.reserve({"t": 10})
    state.rates.penalise("t", 30, slowed=())
    assert state.rates.reserve({"t": 10}) == pytest.approx(30)
    state.rates.penalise("t", 5, slowed=())
    assert state.rates.reserve({"t": 10}) == pytest.approx(30)
    clock.move(31)
    assert state.rates.reserve({"t": 10}) == 0.0
    state.rates.penalise("new", 2, slowed=())
    assert state.rates.reserve({"new": 10}) == pytest.approx(2)


def test_a_clock_that_is_set_back_makes_nobody_wait_for_it(state: State, clock: Clock) -> None:
    state.rates.reserve({"t": 1})
    clock.move(-3600)
    assert state.rates.reserve({"t": 1}) == pytest.approx(1.05)
    state.rates.penalise("t", 30, slowed=())
    clock.move(-3600)
    assert state.rates.reserve({"t": 1}) == pytest.approx(30)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(
    per_second=st.floats(0.5, 100),
    pauses=st.lists(st.floats(0, 3), min_size=1, max_size=30),
    key=st.uuids().map(str),
)
def test_no_window_ever_holds_more_than_the_limit(
    state: State, clock: Clock, per_second: float, pauses: list[float], key: str
) -> None:
    moments = []
    for pause in pauses:
        clock.move(pause)
        moments.append(clock().timestamp() + state.rates.reserve({key: per_second}))
    assert moments == sorted(moments)
    most = max(1, min(int(per_second), 50))
    # Seconds since the epoch are floats of about a quarter of a microsecond.
    assert all(
        later - earlier >= most / per_second - 1e-5
        for earlier, later in zip(moments, moments[most:], strict=False)
    )


def test_processes_share_one_limit(state: State, spawn: Spawn) -> None:
    program = """
for _ in range(20):
    say(repr(time.time() + state.rates.reserve({"t": 20})))
"""
    racers = [spawn(program) for _ in range(3)]
    moments: list[float] = []
    for racer in racers:
        output, _ = racer.communicate(timeout=60)
        moments += map(float, output.split())
    moments.sort()
    assert len(moments) == 60
    # A process looks at its clock before it asks, so two moments may seem closer than they are.
    assert all(later - earlier >= 0.9 for earlier, later in zip(moments, moments[20:], strict=False))


def test_a_reservation_takes_less_than_two_milliseconds_while_the_machine_has_time(path: Path) -> None:
    with State.create(path) as state:
        state.rates.reserve({"t": 1e6})
        took = []
        for _ in range(200):
            began = time.perf_counter()
            state.rates.reserve({"t": 1e6})
            took.append(time.perf_counter() - began)
    assert sorted(took)[len(took) // 10] < 0.002


def test_the_unused_are_told_apart_by_key(state: State) -> None:
    keys: list[Any] = ["a", "a/b", "ü"]
    assert [state.rates.reserve({key: 1}) for key in keys] == [0, 0, 0]


def test_a_request_under_two_limits_goes_when_both_have_room(state: State) -> None:
    both = {"token": 2.0, "app": 3.0}
    assert [round(state.rates.reserve(both), 6) for _ in range(3)] == [0, 0, 1.05]
    assert round(state.rates.reserve({"other token": 2.0, "app": 3.0}), 6) == 0
    assert round(state.rates.reserve({"other token": 2.0, "app": 3.0}), 6) == 1.05
    assert round(state.rates.reserve({"another": 2.0}), 6) == 0


def test_too_much_halves_a_limit_and_time_gives_it_back_in_steps(state: State, clock: Clock) -> None:
    def in_a_second() -> int:
        """How many go at once after a pause in which nobody went."""
        found = 0
        while state.rates.reserve({"t": 10.0}) == 0:
            found += 1
        return found

    assert in_a_second() == 10
    clock.move(5)
    state.rates.penalise("t", 0, slowed=["t"])
    state.rates.penalise("t", 0, slowed=["t"])  # another answer of the same second
    assert in_a_second() == 5
    clock.move(10)
    assert in_a_second() == 6
    clock.move(20)
    assert in_a_second() == 8
    clock.move(60)
    assert in_a_second() == 10


def test_a_limit_is_never_lowered_to_nothing(state: State, clock: Clock) -> None:
    for _ in range(20):
        state.rates.penalise("t", 0, slowed=["t"])
        clock.move(2)
    assert state.rates.reserve({"t": 10.0}) == 0.0
    assert state.rates.reserve({"t": 10.0}) == pytest.approx(1.05)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(
    asked=st.lists(
        st.tuples(st.floats(0, 2), st.sampled_from(["a", "b", "c"]), st.booleans()), min_size=1, max_size=40
    ),
    run=st.uuids().map(str),
)
def test_no_second_holds_more_than_the_token_and_the_app_allow(
    state: State, clock: Clock, asked: list[tuple[float, str, bool]], run: str
) -> None:
    app, moments = f"app/{run}", dict[str, list[float]]()
    for pause, token, too_much in asked:
        clock.move(pause)
        key = f"{token}/{run}"
        moment = clock().timestamp() + state.rates.reserve({key: 3.0, app: 5.0})
        for each in (key, app):
            moments.setdefault(each, []).append(moment)
        if too_much:
            state.rates.penalise(key, 0.5, slowed=[key, app])
    for each, most in ((key, 5 if key == app else 3) for key in moments):
        kept = sorted(moments[each])
        assert all(later - earlier >= 1 - 1e-5 for earlier, later in zip(kept, kept[most:], strict=False))


def test_one_token_that_must_pause_holds_no_other_of_its_app(state: State) -> None:
    state.rates.penalise("slow", 60, slowed=())
    assert state.rates.reserve({"slow": 10.0, "app": 20.0}) == pytest.approx(60)
    assert [state.rates.reserve({"quick": 10.0, "app": 20.0}) for _ in range(10)] == [0.0] * 10
