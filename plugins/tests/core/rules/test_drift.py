"""Drift: only what cannot be otherwise is named, and then by its right name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp_core.model.delivery import Audience
from cdp_core.rules.drift import LEAST_SHARE, DriftKind, Known, Reading, drift

NOW = datetime(2026, 11, 26, 3, tzinfo=UTC)
DAY = timedelta(days=1)


def audience(size: int | None = None, status: str | None = "COMPLETE", **further: object) -> Audience:
    holds_nobody = None if status is None else status == "NO_UPLOAD"
    return Audience(
        id="1",
        approximate_number_users=size,
        upload_status=status,
        holds_nobody=holds_nobody,
        **further,  # type: ignore[arg-type]
    )


def known(*readings: Reading, claims: int = 5000, changed: timedelta = 3 * DAY) -> Known:
    return Known(
        claims=claims, first_commit=NOW - 30 * DAY, last_change=NOW - changed, readings=tuple(readings)
    )


def reading(size: int | None, *, claims: int | None = 5000, status: str = "COMPLETE") -> Reading:
    return Reading(at=NOW - DAY, audience=audience(size, status), claims=claims)


def kinds(found: Audience, of: Known) -> list[DriftKind]:
    return [each.kind for each in drift(found, of, now=NOW)]


def test_an_audience_as_it_was_has_not_drifted() -> None:
    assert kinds(audience(4000), known(reading(4000))) == []


def test_with_nothing_in_the_ledger_there_is_nothing_to_miss() -> None:
    assert kinds(audience(0, "NO_UPLOAD"), known(reading(4000), claims=0)) == []


def test_what_was_uploaded_and_is_not_there_any_more_was_emptied() -> None:
    assert kinds(audience(0, "NO_UPLOAD"), known(reading(None, status="PROCESSING"))) == [DriftKind.EMPTIED]


def test_a_reading_from_before_the_total_was_kept_says_that_somebody_was_there_and_compares_no_size() -> None:
    before = known(reading(4000, claims=None), changed=timedelta(hours=1))
    assert kinds(audience(0, "NO_UPLOAD"), before) == [DriftKind.EMPTIED]
    assert kinds(audience(400), before) == []


def test_a_service_has_two_days_to_say_that_something_was_uploaded() -> None:
    quiet = reading(0, status="NO_UPLOAD")
    assert kinds(audience(0, "NO_UPLOAD"), known(quiet, changed=timedelta(hours=47))) == []
    assert kinds(audience(0, "NO_UPLOAD"), known(quiet, changed=timedelta(hours=49))) == [DriftKind.EMPTIED]


def test_what_lay_still_for_thirteen_months_has_expired() -> None:
    assert kinds(audience(0, "NO_UPLOAD"), known(reading(4000), changed=400 * DAY)) == [DriftKind.EXPIRED]


def test_an_audience_younger_than_its_first_members_is_another_one() -> None:
    first = NOW - 30 * DAY
    assert kinds(audience(4000, created_at=first + timedelta(minutes=9)), known(reading(4000))) == []
    assert kinds(audience(4000, created_at=first + timedelta(minutes=11)), known(reading(4000))) == [
        DriftKind.RECREATED
    ]


def test_a_size_says_nothing_while_an_upload_is_being_processed() -> None:
    assert kinds(audience(0, "PROCESSING"), known(reading(4000))) == []
    assert kinds(audience(0), known(reading(4000))) == [DriftKind.SHRUNK]


def test_who_took_most_members_out_expects_a_smaller_size() -> None:
    assert kinds(audience(400), known(reading(4000), claims=500)) == []
    assert kinds(audience(100), known(reading(4000), claims=500)) == [DriftKind.SHRUNK]


@pytest.mark.parametrize("said", [audience(None), audience(4000, None), audience(None, None)])
def test_what_is_not_told_is_no_drift(said: Audience) -> None:
    assert kinds(said, known(reading(4000))) == []


@given(
    now=st.integers(0, 10**7),
    then=st.integers(1, 10**7),
    claims=st.integers(1, 10**7),
    before=st.integers(1, 10**7),
)
def test_more_than_half_of_what_is_to_be_expected_is_never_named(
    now: int, then: int, claims: int, before: int
) -> None:
    expected = then * min(1.0, claims / before)
    found = kinds(audience(now), known(reading(then, claims=before), claims=claims))
    assert (found == [DriftKind.SHRUNK]) == (now < LEAST_SHARE * expected)
