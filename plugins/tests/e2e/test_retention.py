"""What runs leave is kept as long as the settings say, and never given up while something needs it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from by_hand import alter, put_back, rows
from cdp_core.store.tables import dead_letters, erasures, purges, runs, withdrawals
from cdp_core.store.tables import plans as plan_rows
from erasures import NAME, OTHER, SEVEN, erase, everybody
from main_job import Job, add_export, customers, wanted


def keep(job: Job, **days: int) -> None:
    """Say how long what is kept; all else forever."""
    said = {"plans": 0, "dead_letters": 0, "history": 0, "receipts": 0} | days
    settings = job.cdp.folder / ".cdp" / "cdp.toml"
    before = settings.read_text().partition("\n[retention]")[0]
    lines = "".join(f"{name} = {number}\n" for name, number in said.items())
    settings.write_text(f"{before}\n[retention]\n{lines}")


def age(job: Job, days: int, *ids: str) -> None:
    """As if runs, or all there are, had been so long ago."""
    by = timedelta(days=days)
    these, of_these = ({"id": ids}, {"run_id": ids}) if ids else (None, None)
    put_back(job.cdp, runs.c.started_at, runs.c.ended_at, by=by, among=these)
    put_back(job.cdp, plan_rows.c.created_at, dead_letters.c.at, withdrawals.c.at, by=by, among=of_these)
    put_back(job.cdp, erasures.c.ended_at, by=by)


def plans(job: Job) -> set[str]:
    return {path.name.partition(".")[0] for path in (job.cdp.folder / ".cdp" / "plans").iterdir()}


def purge(job: Job, *words: str) -> Any:
    return job.cdp.json("workspace", "purge", *words)


@pytest.fixture
def three(job: Job) -> tuple[Job, list[str]]:
    """Three days of changes, a hundred days ago."""
    runs = []
    for day in range(3):
        job.write(customers(range(day * 10, day * 10 + 50)))
        runs.append(job.cdp.json("export", "run", NAME)["run"])
    age(job, 100)
    return job, runs


def test_plans_go_when_they_are_old_and_the_next_run_converges(three: tuple[Job, list[str]]) -> None:
    job, runs = three
    keep(job, plans=101)
    assert purge(job, "--yes")["plans"] == 0
    keep(job, plans=99)
    would = purge(job, "--dry-run")
    assert (would["plans"], would["dry_run"]) == (3, True)
    assert plans(job) == set(runs)
    assert purge(job, "--yes")["plans"] == 3
    assert plans(job) == set()
    assert purge(job, "--yes")["plans"] == 0
    job.write(customers(range(30, 80)))
    job.cdp("export", "run", NAME)
    assert job.members() == wanted(range(30, 80))
    assert "gone" in job.cdp("ledger", "rebuild", NAME, status=2).stderr
    assert "3 plans gone from the disk" in job.cdp("explain", stdin="person0@example.org").stdout


def test_history_goes_but_for_the_newest_and_what_a_ledger_stands_on_is_told(
    three: tuple[Job, list[str]],
) -> None:
    job, runs = three
    keep(job, plans=99, history=99)
    done = purge(job, "--yes")
    assert (done["plans"], done["runs"]) == (3, 2)
    assert [run["run"] for run in job.cdp.json("export", "history", NAME)] == runs[2:]
    refused = job.cdp("ledger", "rebuild", NAME, status=2).stderr
    assert "runs were purged (2 until" in refused
    assert "added 60 and removed 10" in refused
    job.cdp("export", "run", NAME)
    assert job.members() == wanted(range(20, 70))
    job.cdp("audit", "verify")
    entries = job.cdp.json("audit", "list", "--limit", "20")
    (entry,) = [each for each in entries if (each["action"], each["outcome"]) == ("workspace.purge", "done")]
    assert (entry["details"]["plans"], entry["details"]["runs"]) == (3, 2)


def test_nothing_goes_that_an_unfinished_run_or_a_waiting_plan_needs(job: Job) -> None:
    job.write(customers(range(300)))
    job.killed("cdp_core.store.journal:Journal.close:after:2", "export", "run", NAME)
    add_export(job.cdp, OTHER)
    job.cdp("export", "edit", OTHER, "--require-approval", "1")
    keep(job, plans=1, history=1)
    ((dead,),) = rows(job.cdp, "SELECT id FROM runs")
    age(job, 100)
    assert purge(job, "--yes") | {"skipped": {}} == {
        "plans": 0,
        "dead_letters": 0,
        "runs": 0,
        "erasures": 0,
        "withdrawals": 0,
        "skipped": {},
        "dry_run": False,
    }
    assert dead in plans(job)
    waiting = job.cdp.json("export", "run", OTHER, status=7)["plan"]
    age(job, 2, waiting)
    purge(job, "--yes")
    assert waiting in plans(job)
    job.cdp("export", "run", NAME)
    assert job.members() == wanted(range(300))


def test_of_an_audience_whose_ledger_is_not_whole_nothing_goes(three: tuple[Job, list[str]]) -> None:
    job, runs = three
    keep(job, plans=1, history=1)
    for path in (job.cdp.folder / ".cdp" / "ledger").rglob("*.parquet"):
        path.unlink()
    done = purge(job, "--yes")
    assert (done["plans"], done["runs"]) == (0, 0)
    assert "CDP-702" in next(iter(done["skipped"].values()))
    assert "CDP-702" in job.cdp("workspace", "purge", "--yes").stdout
    assert plans(job) == set(runs)


def test_receipts_and_dead_letters_go_in_their_time(job: Job) -> None:
    everybody(job)
    job.simulator.refuse_digests(b"\0" * 32)
    job.cdp("export", "run", NAME)
    erase(job, SEVEN)
    age(job, 100)
    keep(job, receipts=99)
    assert purge(job, "--yes")["erasures"] == 1
    assert job.cdp.json("erase", "list")["receipts"] == []
    # They stay suppressed.
    assert job.cdp.json("suppress", "list")["kinds"] == {"EMAIL": 1}


def test_a_dry_run_counts_the_runs_that_go_once_their_receipts_are_gone(
    three: tuple[Job, list[str]],
) -> None:
    job, _ = three
    receipts = (
        "INSERT INTO withdrawals (run_id, at, kinds, batches) SELECT id, started_at, '{}', '{}' FROM runs"
    )
    alter(job.cdp, receipts)
    keep(job, plans=99, history=99, receipts=101)
    assert purge(job, "--dry-run")["runs"] == 0
    keep(job, plans=99, history=99, receipts=99)
    would = purge(job, "--dry-run")
    assert (would["runs"], would["withdrawals"]) == (2, 3)
    assert purge(job, "--yes") == would | {"dry_run": False}


def test_the_scheduler_purges_once_a_day(three: tuple[Job, list[str]]) -> None:
    job, _ = three
    keep(job, plans=99)
    job.cdp("scheduler", "start", "--once")
    assert plans(job) == set()
    again = job.cdp.json("export", "run", NAME)["run"]
    age(job, 100, again)
    job.cdp("scheduler", "start", "--once")
    assert plans(job) == {again}
    put_back(job.cdp, purges.c.at, by=timedelta(hours=25))
    job.cdp("scheduler", "start", "--once")
    assert plans(job) == set()


def test_it_is_asked_and_an_administrators(job: Job) -> None:
    assert "--yes" in job.cdp("workspace", "purge", status=2).stderr
    job.cdp("role", "grant", "anna", "contributor")
    assert "CDP-401" in job.cdp("--as", "anna", "workspace", "purge", "--yes", status=4).stderr
