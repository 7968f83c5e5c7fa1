"""Segments that keep their result, and segments that are switched off, by real commands to the audience."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from sqlalchemy import select

from by_hand import by_hand
from cdp_core.store.tables import segments
from main_job import Job, customers, wanted
from scheduled import last, make_due

NAME = "Loyal to Snapchat"


def use(job: Job, *segments: str) -> None:
    chosen = [word for name in segments for word in ("--segment", name)]
    job.cdp("export", "edit", NAME, *chosen)


def everything_kept(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_a_static_segment_stays_until_it_is_refreshed_but_for_who_left_the_profiles(job: Job) -> None:
    added = job.cdp("segment", "add", "Christmas", "--where", "lifetime_value > 500", "--static")
    assert "has 1,000 members today" in added.stdout
    use(job, "Christmas")
    # c0 to c99 have left the profiles, c100 to c199 are loyal no more, c1000 to c1099 have become it.
    job.write(customers(range(100, 200), value=1) + customers(range(200, 1100)))
    job.cdp("export", "run", NAME)
    assert job.members() == wanted(range(100, 1000))
    shown = job.cdp("segment", "show", "Christmas").stdout
    assert "static" in shown
    assert "900" in shown
    refreshed = job.cdp("segment", "refresh", "Christmas").stdout
    assert "has 900 members from now on" in refreshed
    job.cdp("export", "run", NAME)
    assert job.members() == wanted(range(200, 1100))


def test_no_key_and_no_identifier_is_kept(job: Job) -> None:
    job.cdp("segment", "add", "Christmas", "--where", "lifetime_value > 500", "--static")
    kept = everything_kept(job.cdp.folder / ".cdp" / "segments")
    assert kept
    assert b"c999" not in kept
    assert b"example.org" not in kept


def test_a_result_that_is_gone_skips_the_export_and_says_how_to_mend_it(job: Job) -> None:
    job.cdp("segment", "add", "Christmas", "--where", "lifetime_value > 500", "--static")
    use(job, "Christmas")
    job.cdp("export", "run", NAME)
    (result,) = (job.cdp.folder / ".cdp" / "segments").iterdir()
    result.write_bytes(result.read_bytes()[:-1])
    # c0 to c99 have left the profiles.
    job.write(customers(range(100, 1100)))
    run = job.cdp.json("export", "run", NAME, status=3)
    assert (run["status"], run["error"]["code"]) == ("skipped", "CDP-323")
    assert run["error"]["hint"].startswith('evaluate it anew: cdp segment refresh "Christmas"')
    assert job.members() == wanted(range(100, 1000))
    job.cdp("segment", "refresh", "Christmas")
    job.cdp("export", "run", NAME)
    assert job.members() == wanted(range(100, 1100))


def test_a_result_that_is_replaced_stays_for_who_may_be_reading_it(job: Job) -> None:
    job.cdp("segment", "add", "Christmas", "--where", "lifetime_value > 500", "--static")
    results = job.cdp.folder / ".cdp" / "segments"
    (old,) = results.iterdir()
    os.utime(old, (0, 0))
    job.cdp("segment", "refresh", "Christmas")
    assert old in set(results.iterdir())
    os.utime(old, (0, 0))
    job.cdp("segment", "refresh", "Christmas")
    assert old not in set(results.iterdir())
    assert len(list(results.iterdir())) == 2


@pytest.fixture
def gone_column(job: Job) -> Job:
    """A run was made while the profiles had the column that the segment asks for; now they have not, c0 to
    c99 have left them, and c999 is suppressed."""
    job.cdp("export", "run", NAME)
    job.cdp("suppress", "add", stdin="person999@example.org\n")
    job.write(customers(range(100, 1100)))
    table = pq.read_table(job.profiles)
    pq.write_table(table.drop_columns(["lifetime_value"]), job.profiles)
    return job


def test_a_segment_that_fails_skips_its_exports_and_who_left_the_profiles_goes_all_the_same(
    gone_column: Job,
) -> None:
    job = gone_column
    planned = job.cdp("export", "plan", NAME, status=3)
    assert "segment 'Loyal customers' fails: " in planned.stdout
    done = job.cdp("export", "run", NAME, status=3)
    assert "Skipped" in done.stdout
    assert "segment 'Loyal customers' fails: " in done.stdout
    assert "lifetime_value" in done.stdout
    assert job.members() == wanted(range(100, 999))
    (run,) = job.cdp.json("export", "history", NAME, "--status", "skipped")
    assert run["error"]["code"] == "CDP-306"
    assert run["kinds"]["EMAIL"]["removed"] == 101
    job.write(customers(range(100, 1100)))
    job.cdp("export", "run", NAME)
    assert job.members() == wanted([*range(100, 999), *range(1000, 1100)])


def test_a_refresh_tries_one_that_fails_again(gone_column: Job) -> None:
    job = gone_column
    for _ in range(2):
        make_due(job, NAME)
        job.cdp("scheduler", "start", "--once", status=3)
        shown = last(job)
        assert (shown["last"]["outcome"], shown["paused"]) == ("skipped", None)
        assert shown["last"]["message"].startswith("CDP-306")
    job.write(customers(range(100, 1100)))
    make_due(job, NAME)
    job.cdp("scheduler", "start", "--once")
    assert last(job)["last"]["outcome"] == "done"


def test_what_is_dynamic_is_not_refreshed(job: Job) -> None:
    job.cdp("segment", "refresh", "Loyal customers", status=3)


@pytest.mark.parametrize("mode", ["mirror", "add-only"])
def test_an_inactive_segment_skips_its_exports_and_who_left_the_profiles_goes_all_the_same(
    job: Job, mode: str
) -> None:
    job.cdp("export", "edit", NAME, "--mode", mode)
    job.cdp("export", "run", NAME)
    job.cdp("suppress", "add", stdin="person999@example.org\n")
    said = job.cdp("segment", "deactivate", "Loyal customers").stdout
    assert f"skipped from now on: {NAME}" in said
    # c0 to c99 have left the profiles, c100 to c199 are loyal no more, c1000 to c1099 have become it.
    job.write(customers(range(100, 200), value=1) + customers(range(200, 1100)))
    planned = job.cdp("export", "plan", NAME).stdout
    assert "a segment is inactive: Loyal customers" in planned
    done = job.cdp("export", "run", NAME)
    assert "Skipped" in done.stdout
    assert "a segment is inactive: Loyal customers" in done.stdout
    left = range(0 if mode == "add-only" else 100, 999)
    assert job.members() == wanted(left)
    (run,) = job.cdp.json("export", "history", NAME, "--status", "skipped")
    assert run["kinds"]["EMAIL"]["held_back"] == 100
    assert run["kinds"]["EMAIL"]["removed"] == (1 if mode == "add-only" else 101)
    again = job.cdp("export", "run", NAME)
    assert "there was nothing to add or remove" in again.stdout
    job.cdp("segment", "activate", "Loyal customers")
    job.cdp("export", "run", NAME)
    assert job.members() == wanted(
        [*(range(200) if mode == "add-only" else ()), *range(200, 999), *range(1000, 1100)]
    )


def test_one_that_never_ran_stays_empty_while_its_segment_is_inactive(job: Job) -> None:
    job.cdp("segment", "deactivate", "Loyal customers")
    run = job.cdp.json("export", "run", NAME)
    assert (run["status"], run["kinds"]["EMAIL"]["held_back"]) == ("skipped", 1200)
    assert job.uploads() == []


def test_an_empty_source_takes_nobody_out_of_an_inactive_segments_audience(job: Job) -> None:
    job.cdp("export", "run", NAME)
    job.cdp("segment", "deactivate", "Loyal customers")
    job.write([])
    job.cdp("export", "run", NAME, status=7)
    assert job.members() == wanted(range(1000))


def test_kept_results_are_among_what_the_state_can_say(job: Job) -> None:
    job.cdp("segment", "add", "Christmas", "--where", "lifetime_value > 500", "--static")
    with by_hand(job.cdp) as state:
        kept = state.execute(select(segments.c.kept).where(segments.c.name == "Christmas")).scalar_one()
    assert kept["members"] == 1000
    job.cdp("segment", "remove", "Christmas", "--yes")
    assert list((job.cdp.folder / ".cdp" / "segments").iterdir()) == []
