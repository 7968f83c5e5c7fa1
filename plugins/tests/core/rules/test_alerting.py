"""Alerts come at changes, once, and never for a retry."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp_core.errors import ExitStatus
from cdp_core.model.alert import AlertKind, Standing
from cdp_core.model.run import Run, RunStatus
from cdp_core.model.schedule import DueOutcome, DueRun
from cdp_core.rules.alerting import after, leading_on

FINE = Standing()


def due(outcome: DueOutcome, status: ExitStatus = ExitStatus.DONE, **more: object) -> DueRun:
    given: dict[str, object] = {"message": f"CDP-{int(status)}01: so it was", **more}
    return DueRun(
        export_id="e",
        due_at=datetime(2026, 1, 1, tzinfo=UTC),
        outcome=outcome,
        exit_status=int(status),
        **given,  # type: ignore[arg-type]
    )


def kinds(before: Standing, run: DueRun, sizes: tuple[int, ...] = ()) -> tuple[Standing, list[AlertKind]]:
    standing, told = after(before, run, sizes, share=0.3)
    return standing, [each.kind for each in told]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (ExitStatus.RECONNECT, AlertKind.RECONNECT),
        (ExitStatus.GATE, AlertKind.GATE),
        (ExitStatus.TEMPORARY, AlertKind.FAILED),
        (ExitStatus.NOT_ALLOWED, AlertKind.FAILED),
    ],
)
def test_a_failure_is_told_once_until_it_changes_and_its_end_once(
    status: ExitStatus, kind: AlertKind
) -> None:
    standing, told = kinds(FINE, due(DueOutcome.FAILED, status))
    assert told == [kind]
    standing, told = kinds(standing, due(DueOutcome.FAILED, status))
    assert told == []
    standing, told = kinds(standing, due(DueOutcome.FAILED, status, message="CDP-999: something else"))
    assert told == [kind]
    standing, told = kinds(standing, due(DueOutcome.DONE))
    assert told == [AlertKind.RECOVERED]
    assert kinds(standing, due(DueOutcome.DONE)) == (FINE, [])


def test_the_same_trouble_is_another_once_a_run_by_hand_went_through() -> None:
    trouble = Standing(trouble="reconnect CDP-602")
    again = due(DueOutcome.FAILED, ExitStatus.RECONNECT, message="CDP-602: sign in again")
    for mended, expected in ((False, []), (True, [AlertKind.RECONNECT])):
        standing, told = after(trouble, again, (), share=0.3, mended=mended)
        assert (standing, [each.kind for each in told]) == (trouble, expected)
    for waits in (DueOutcome.RUNNING, DueOutcome.WAITING):
        assert after(trouble, due(waits, ExitStatus.TEMPORARY), (), share=0.3, mended=True) == (trouble, ())
    ended = after(trouble, due(DueOutcome.DONE), (), share=0.3, mended=True)
    assert [each.kind for each in ended[1]] == [AlertKind.RECOVERED]


def test_a_client_that_is_refused_is_not_told_as_a_sign_in_that_is_owed() -> None:
    refused = due(DueOutcome.FAILED, ExitStatus.RECONNECT, message="CDP-608: the secret is not the app's")
    assert kinds(FINE, refused)[1] == [AlertKind.FAILED]


@given(standing=st.builds(Standing, trouble=st.sampled_from(["", "gate CDP-701"]), unusual=st.booleans()))
def test_what_waits_or_was_skipped_changes_nothing(standing: Standing) -> None:
    for outcome in (DueOutcome.WAITING, DueOutcome.SKIPPED):
        assert kinds(standing, due(outcome, ExitStatus.TEMPORARY)) == (standing, [])


def test_missed_moments_are_told_once_as_the_first_attempt_begins() -> None:
    trouble = Standing(trouble="gate CDP-701")
    assert kinds(trouble, due(DueOutcome.RUNNING, missed=3)) == (trouble, [AlertKind.MISSED])
    assert kinds(FINE, due(DueOutcome.RUNNING, missed=3, attempts=2))[1] == []
    for ended in (DueOutcome.DONE, DueOutcome.WAITING, DueOutcome.SKIPPED):
        assert kinds(FINE, due(ended, ExitStatus.DONE, missed=3))[1] == []


@given(usual=st.integers(1, 10**9), share=st.floats(-0.9, 2))
def test_a_size_is_unusual_beyond_its_share_and_told_once(usual: int, share: float) -> None:
    size = round(usual * (1 + share))
    standing, told = kinds(FINE, due(DueOutcome.DONE), (usual,) * 3 + (size,))
    far = abs(size - usual) > 0.3 * usual
    assert (standing.unusual, told) == (far, [AlertKind.UNUSUAL] if far else [])
    assert kinds(standing, due(DueOutcome.DONE), (usual,) * 3 + (size,))[1] == []


@pytest.mark.parametrize(
    ("code", "hint", "expected"),
    [
        ("CDP-608", "look at env:KEY", "look at env:KEY, then: cdp export run A"),
        ("CDP-608", "make room, then run again", "make room, then run again: cdp export run A"),
        ("CDP-608", "if it is meant: cdp export run A --yes", "if it is meant: cdp export run A --yes"),
        ("CDP-608", None, "cdp export run A"),
        ("CDP-602", "cdp connection authenticate B", "cdp export run A"),
        (None, None, "cdp export run A"),
    ],
)
def test_what_mends_the_last_runs_fault_comes_before_the_run(
    code: str | None, hint: str | None, expected: str
) -> None:
    last = Run(
        id="r",
        export_id="e",
        export_name="A",
        status=RunStatus.FAILED,
        actor="ann",
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
        error_code=code,
        error_hint=hint,
    )
    assert leading_on("CDP-608: not the app's", last, "cdp export run A") == expected
    assert leading_on("CDP-608: not the app's", None, "cdp export run A") == "cdp export run A"


def test_a_few_runs_are_no_habit() -> None:
    assert kinds(FINE, due(DueOutcome.DONE), (10, 10, 1000)) == (FINE, [])
