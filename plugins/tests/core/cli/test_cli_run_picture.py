"""The picture of a run: its steps add up, its bars are true, its words are the facts."""

from __future__ import annotations

import dataclasses
import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from cdp_core.app.run_views import RunReport
from cdp_core.cli.render.console import console
from cdp_core.cli.render.funnel import bar, funnel, steps_of
from cdp_core.cli.render.run import history, report
from cdp_core.errors import ExitStatus
from cdp_core.model.accounting import DeliveryCounts, KindCounts
from cdp_core.model.delivery import Audience
from cdp_core.model.run import Run, RunStatus

EMAIL = KindCounts(
    read=900,
    added=500,
    unchanged=100,
    duplicate=50,
    missing=100,
    malformed=60,
    without_consent=90,
    removed=20,
)
RUN = Run(
    id="20261123-0001-7d1fce",
    export_id="e",
    export_name="Loyal [bold]to[/] Acme",
    status=RunStatus.COMMITTED,
    actor="ann",
    started_at=datetime(2026, 11, 23, tzinfo=UTC),
    ended_at=datetime(2026, 11, 23, 1, tzinfo=UTC),
    plan_id="20261123-0001-7d1fce",
    kinds={"EMAIL": EMAIL},
    profiles=1000,
    members=900,
    delivered=DeliveryCounts(planned=520, accepted=510, refused=10, requests=6, retries=1),
    audience=Audience(id="42", name="Best", upload_status="COMPLETE", approximate_number_users=600),
    seconds=6.2,
)


def printed(*pieces: object, width: int | None = None) -> str:
    stream = io.StringIO()
    target = console(stream) if width is None else Console(file=stream, width=width, color_system=None)
    for piece in pieces:
        target.print(piece)
    return stream.getvalue()


def numbers(run: Run) -> dict[str, int]:
    return {step.label.strip(): step.number for step in steps_of(run)}


def test_the_steps_go_from_profiles_to_what_was_accepted() -> None:
    assert numbers(RUN) == {
        "profiles": 1000,
        "members": 900,
        "with identifier": 800,
        "valid": 650,
        "distinct": 600,
        "added": 500,
        "unchanged": 100,
        "removed": 20,
        "accepted": 510,
    }


def test_each_loss_is_named_with_its_reason() -> None:
    text = printed(funnel(RUN))
    for words in (
        "100 in none of the segments",
        "100 without one",
        "60 malformed, 90 without consent",
        "50 dup",
    ):
        assert words in text


def test_two_kinds_are_summed_and_the_values_read_are_a_step() -> None:
    steps = numbers(dataclasses.replace(RUN, kinds={"EMAIL": EMAIL, "PHONE": EMAIL}))
    assert (steps["values read"], steps["valid"]) == (1800, 1300)


def test_who_is_held_back_is_told_where_they_are_lost() -> None:
    held = dataclasses.replace(EMAIL, added=EMAIL.added - 7, held_back=7)
    text = printed(funnel(dataclasses.replace(RUN, kinds={"EMAIL": held})))
    (line,) = (line for line in text.splitlines() if "distinct" in line)
    assert f"{EMAIL.duplicate} duplicate, 7 held back" in line


def test_a_plan_says_that_nothing_was_sent() -> None:
    text = printed(funnel(dataclasses.replace(RUN, dry_run=True, delivered=DeliveryCounts())))
    assert "nothing was sent" in text


def test_an_empty_run_has_a_picture_too() -> None:
    empty = dataclasses.replace(RUN, kinds={"EMAIL": KindCounts()}, profiles=0, members=0)
    assert "profiles" in printed(funnel(empty))


@pytest.mark.parametrize(
    ("part", "whole", "drawn"),
    [
        (0, 100, ""),
        (1, 1_000_000, "▏"),
        (50, 100, "████"),
        (100, 100, "████████"),
        (0, 0, ""),
        (5, 16, "██▌"),
    ],
)
def test_a_bar_is_as_long_as_its_share_and_never_invisible(part: int, whole: int, drawn: str) -> None:
    assert bar(part, whole, 8) == drawn


def test_a_bar_has_letters_that_every_encoding_has() -> None:
    assert bar(1, 100, 8, ascii_only=True) == "#"


def test_the_picture_fits_a_narrow_terminal() -> None:
    assert max(len(line) for line in printed(funnel(RUN), width=80).splitlines()) <= 80


def test_a_report_holds_outcome_counts_delivery_audience_and_next_step() -> None:
    text = printed(
        *report(RunReport(run=RUN, exit_status=ExitStatus.REFUSALS, notes=("10 digests refused.",)))
    )
    for words in (
        "Successful",
        "Loyal [bold]to[/] Acme",
        "6.2 s",
        "without consent",
        "6 requests, 1 of them again",
        "refused",
        "Best (42)",
        "COMPLETE",
        "600",
        "10 digests refused.",
        "cdp export show-run",
    ):
        assert words in text


def test_a_reason_that_never_occurred_takes_no_line() -> None:
    text = printed(*report(RunReport(run=RUN, exit_status=ExitStatus.DONE)))
    assert "placeholder" not in text
    assert "removed" in text


def test_a_plan_names_its_folder_and_the_command_that_delivers_it() -> None:
    run = dataclasses.replace(RUN, status=RunStatus.PLANNED, dry_run=True, plan_id="p-1")
    text = printed(*report(RunReport(run=run, exit_status=ExitStatus.DONE, plan_folder="/ws/plans/p-1")))
    assert "/ws/plans/p-1" in text
    assert "--plan p-1" in text
    assert "Planned" in text


def test_a_plan_with_nothing_to_do_says_so() -> None:
    run = dataclasses.replace(
        RUN, status=RunStatus.PLANNED, dry_run=True, kinds={"EMAIL": KindCounts(read=1, unchanged=1)}
    )
    run = dataclasses.replace(run, delivered=DeliveryCounts())
    assert "up to date" in printed(*report(RunReport(run=run, exit_status=ExitStatus.DONE)))


def test_a_temporary_failure_says_to_run_again() -> None:
    run = dataclasses.replace(RUN, status=RunStatus.FAILED, error_code="CDP-901", error="it does not answer")
    text = printed(*report(RunReport(run=run, exit_status=ExitStatus.TEMPORARY)))
    assert "Failed" in text
    assert "Next: cdp export run" in text


def test_history_has_a_line_for_each_run_with_its_remarks() -> None:
    failed = dataclasses.replace(
        RUN,
        status=RunStatus.FAILED,
        error_code="CDP-901",
        error="no\x1b[2J answer",
        settled_by="r-2",
        ended_at=None,
    )
    lines = printed(history([RUN, failed])).splitlines()
    assert len(lines) == 3
    assert "Successful" in lines[1]
    assert "CDP-901: no [2J answer; settled by run r-2" in lines[2]


def test_a_run_that_only_released_says_so_in_its_line() -> None:
    released = dataclasses.replace(
        RUN, plan_id=None, kinds={"EMAIL": KindCounts(released=1234)}, delivered=DeliveryCounts()
    )
    lines = printed(history([released])).splitlines()
    assert "gave up 1,234 claims, members left: nothing was sent" in lines[1]
    assert "gave up" not in printed(history([RUN]))


def test_a_history_without_runs_says_so() -> None:
    assert "never run" in printed(history([]))


@pytest.mark.parametrize("width", [40, 60, 200])
def test_no_number_of_the_picture_is_cut_short(width: int) -> None:
    file = io.StringIO()
    many = dataclasses.replace(RUN, profiles=123_456_789)
    Console(file=file, width=width).print(funnel(many))
    assert "123,456,789" in file.getvalue()
