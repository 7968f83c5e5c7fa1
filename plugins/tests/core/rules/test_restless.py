"""Texts of segments that give another answer by themselves."""

from __future__ import annotations

import pytest

from cdp_core.rules.restless import by_chance, by_moment


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("random() > 0.5", ("random()",)),
        ("RAND () > 0.5 OR random() > 0.5", ("rand()", "random()")),
        ("SELECT customer_id FROM profiles USING  SAMPLE 10%", ("using sample",)),
        ("SELECT customer_id FROM profiles TABLESAMPLE (10 PERCENT)", ("tablesample",)),
        ("random > 0.5", ()),
        ("city = 'random()' -- uuid()", ()),
        ('"rand()" = 1 /* rand() */', ()),
        ("lifetime_value > 500", ()),
    ],
)
def test_what_draws_lots_is_found(text: str, found: tuple[str, ...]) -> None:
    assert by_chance(text) == found
    assert by_moment(text) == ()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("last_order > now() - INTERVAL 90 DAYS", ("now()",)),
        ("last_order > Current_Date - 90", ("current_date",)),
        ("last_order > current_timestamp(3)", ("current_timestamp",)),
        ("today = 1 AND now > 2", ()),
        ("note = 'it''s now()'", ()),
    ],
)
def test_what_asks_the_clock_is_found(text: str, found: tuple[str, ...]) -> None:
    assert by_moment(text) == found
    assert by_chance(text) == ()
