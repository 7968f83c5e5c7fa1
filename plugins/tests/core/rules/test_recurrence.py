"""Recurrences: what may be said, and at which moments they are due, through changes of the clocks."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp_core.errors import Code, InvalidFault
from cdp_core.model.schedule import Recurrence
from cdp_core.rules.recurrence import cron, daily, in_words, latest, moments, weekly

AMSTERDAM = "Europe/Amsterdam"


def coming(recurrence: Recurrence, after: datetime, number: int = 3) -> list[str]:
    return [f"{each:%a %m-%d %H:%M %z}" for each in itertools.islice(moments(recurrence, after), number)]


def test_several_times_a_day_come_in_their_order() -> None:
    said = daily("14:00, 2:00,14:00", timezone="UTC")
    assert coming(said, datetime(2026, 11, 25, 3, tzinfo=UTC)) == [
        "Wed 11-25 14:00 +0000",
        "Thu 11-26 02:00 +0000",
        "Thu 11-26 14:00 +0000",
    ]
    assert in_words(said) == "At 02:00 every day; at 14:00 every day (UTC)"


def test_weekdays_are_named() -> None:
    said = weekly("thu,Monday", "02:00", timezone=AMSTERDAM)
    assert said.lines == ("0 2 * * mon,thu",)
    assert coming(said, datetime(2026, 11, 25, tzinfo=UTC), 2) == [
        "Thu 11-26 02:00 +0100",
        "Mon 11-30 02:00 +0100",
    ]


def test_a_time_that_the_clock_leaves_out_comes_when_it_is_over() -> None:
    assert coming(daily("02:30", timezone=AMSTERDAM), datetime(2026, 3, 28, 12, tzinfo=UTC), 2) == [
        "Sun 03-29 03:00 +0200",
        "Mon 03-30 02:30 +0200",
    ]


def test_a_time_that_the_clock_shows_twice_comes_once() -> None:
    assert coming(daily("02:30", timezone=AMSTERDAM), datetime(2026, 10, 24, 12, tzinfo=UTC), 2) == [
        "Sun 10-25 02:30 +0200",
        "Mon 10-26 02:30 +0100",
    ]


def test_what_recurs_by_the_hour_goes_on_by_the_real_time() -> None:
    found = list(
        itertools.islice(
            moments(cron("0 * * * *", timezone=AMSTERDAM), datetime(2026, 10, 24, 22, tzinfo=UTC)), 5
        )
    )
    assert {
        later.astimezone(UTC) - earlier.astimezone(UTC) for earlier, later in itertools.pairwise(found)
    } == {timedelta(hours=1)}


def test_day_of_month_and_weekday_are_joined_by_or() -> None:
    assert coming(cron("0 2 13 * fri", timezone="UTC"), datetime(2026, 1, 5, tzinfo=UTC)) == [
        "Fri 01-09 02:00 +0000",
        "Tue 01-13 02:00 +0000",
        "Fri 01-16 02:00 +0000",
    ]


def test_a_moment_that_two_lines_name_comes_once() -> None:
    said = Recurrence(lines=("0 2 * * *", "0 2 * * mon"), timezone="UTC")
    found = coming(said, datetime(2026, 11, 29, 12, tzinfo=UTC), 2)
    assert found == ["Mon 11-30 02:00 +0000", "Tue 12-01 02:00 +0000"]


@pytest.mark.parametrize(
    "line",
    [
        "61 * * * *",
        "* * * *",
        "@daily",
        "0 0 2 * * *",
        "H 2 * * *",
        "",
        "0 2 31 2 *",
        "2:00",
        f"{'9' * 5000} 2 * * *",
    ],
)
def test_what_is_no_cron_line_of_five_fields_is_refused(line: str) -> None:
    with pytest.raises(InvalidFault) as refused:
        cron(line, timezone="UTC")
    assert refused.value.code is Code.SCHEDULE_INVALID


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "", "../etc/passwd", "/etc/localtime"])
def test_a_zone_that_is_not_known_is_refused(zone: str) -> None:
    with pytest.raises(InvalidFault, match="time zone"):
        daily("02:00", timezone=zone)


@pytest.mark.parametrize("times", ["", "25:00", "2", "02:60", "02:00;14:00"])
def test_what_is_no_time_of_day_is_refused(times: str) -> None:
    with pytest.raises(InvalidFault, match="no time of day"):
        daily(times, timezone="UTC")


def test_what_is_no_weekday_is_refused() -> None:
    with pytest.raises(InvalidFault, match="no weekdays"):
        weekly("mon,someday", "02:00", timezone="UTC")


@given(
    line=st.sampled_from(["0 2 * * *", "*/20 * * * *", "30 2 * * *", "15 0,12 * * mon-fri", "0 3 1 * sun"]),
    zone=st.sampled_from([AMSTERDAM, "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]),
    after=st.datetimes(min_value=datetime(2024, 1, 1), max_value=datetime(2028, 1, 1)),
    span=st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=10)),
)
def test_the_latest_is_the_last_of_the_moments_and_the_others_are_counted(
    line: str, zone: str, after: datetime, span: timedelta
) -> None:
    said = cron(line, timezone=zone)
    start = after.replace(tzinfo=UTC)
    between = [
        each.astimezone(UTC)
        for each in itertools.takewhile(
            lambda moment: moment.astimezone(UTC) <= start + span, moments(said, start)
        )
    ]
    assert between == sorted(set(between))
    assert all(moment > start for moment in between)
    assert latest(said, start, start + span) == (
        between[-1] if between else None,
        max(0, len(between) - 1),
    )
