from __future__ import annotations

import threading

from cdp_core.runner.repeating import Repeating


def test_a_step_is_made_again_and_again_until_the_end() -> None:
    third, steps = threading.Event(), list[str]()

    def step(stop: threading.Event) -> float:
        steps.append(threading.current_thread().name)
        if len(steps) == 3:
            third.set()
        return 0.0

    with Repeating("alerts", step):
        assert third.wait(10)
    assert set(steps) == {"alerts"}
    assert "alerts" not in {each.name for each in threading.enumerate()}


def test_the_end_comes_at_once_however_long_the_next_step_is_away() -> None:
    made = threading.Event()

    def step(stop: threading.Event) -> float:
        made.set()
        return 3600.0

    with Repeating("upkeep", step):
        assert made.wait(10)


def test_the_end_is_told_to_the_step_under_way_and_waits_for_it() -> None:
    begun, told = threading.Event(), list[bool]()

    def step(stop: threading.Event) -> float:
        begun.set()
        told.append(stop.wait(10))
        return 0.0

    with Repeating("upkeep", step):
        assert begun.wait(10)
    assert told == [True]
