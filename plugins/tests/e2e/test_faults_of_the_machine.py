"""A full disk, a state that another process keeps, files cut short, connections cut, clocks that jump: after
each, one plain run brings audience, ledger and segments together, or says how to mend what is broken."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from crashing import Forks, agrees, balanced, forks
from main_job import Job, customers, wanted

# The faults are those of the workspace's own disk.
pytestmark = pytest.mark.state_in_a_file

NAME = "Loyal to Snapchat"
DAY, YEAR = 24 * 3600.0, 365 * 24 * 3600.0
DISK = 4 << 20


@pytest.fixture
def typed(job: Job) -> Iterator[Forks]:
    job.write(customers(day(0)))
    with forks(job) as made:
        made.ended("export", "edit", NAME, "--set", "batch_size=25", "--max-shrink", "100%")
        yield made


def day(number: int) -> range:
    start = number * 17 % 40
    return range(start, start + 60)


def comes_together(job: Job, typed: Forks, number: int) -> None:
    """One plain run over that day's profiles."""
    job.write(customers(day(number)))
    balanced(typed.ended("export", "run", NAME, "--json").document)
    agrees(job, typed, wanted(day(number)), of=NAME)


@pytest.fixture
def small_disk(job: Job) -> Iterator[Path]:
    """The workspace on a disk of 4 MB."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    workspace, aside = job.cdp.folder / ".cdp", job.cdp.folder / "moved"
    workspace.rename(aside)
    workspace.mkdir(mode=0o700)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=0700", "tmpfs", str(workspace)]
    subprocess.run(mount, check=True, capture_output=True)
    try:
        shutil.copytree(aside, workspace, dirs_exist_ok=True)
        yield workspace
    finally:
        subprocess.run(["umount", "--lazy", str(workspace)], check=True, capture_output=True)


def test_a_full_disk_wherever_it_fills_up_is_said_and_costs_nothing(
    job: Job, typed: Forks, small_disk: Path
) -> None:
    ballast = small_disk / "ballast"
    seen = set()
    comes_together(job, typed, 0)
    for number, free in enumerate(range(0, 400_000, 8_192), 1):
        free_now = shutil.disk_usage(small_disk).free
        ballast.write_bytes(bytes(max(0, free_now - free)))
        job.write(customers(day(2 * number)))
        job.simulator.clear_requests()
        ended = typed("export", "run", NAME)
        ballast.unlink()
        seen.add((ended.status, bool(job.uploads())))
        assert ended.status in (0, 3), f"with {free} bytes free: {ended.status}\n{ended.err}"
        if ended.status == 3:
            assert "CDP-320" in ended.err
        comes_together(job, typed, 2 * number + 1)
        if ended.status == 0:
            break
    assert {(3, False), (0, True)} <= seen, seen


def test_a_state_that_another_process_keeps_is_a_failure_for_a_while(job: Job, typed: Forks) -> None:
    comes_together(job, typed, 0)
    job.write(customers(day(1)))
    with closing(sqlite3.connect(job.cdp.folder / ".cdp" / "state.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        kept = typed("export", "run", NAME, busy_seconds=0.3)
    assert kept.status == 9
    assert "CDP-902" in kept.err
    comes_together(job, typed, 2)


def test_a_plan_that_was_cut_short_is_not_run_and_a_new_one_is(job: Job, typed: Forks) -> None:
    plan = typed.ended("export", "plan", NAME, "--json").document
    file = next(Path(plan["plan_folder"]).rglob("*.parquet"))
    file.write_bytes(file.read_bytes()[:-100])
    stopped = typed("export", "run", NAME, "--plan", plan["plan"])
    assert (stopped.status, job.members()) == (7, set())
    assert "cdp export plan" in stopped.err
    again = typed.ended("export", "plan", NAME, "--json").document["plan"]
    typed.ended("export", "run", NAME, "--plan", again)
    agrees(job, typed, wanted(day(0)), of=NAME)


def test_a_lost_ledger_stops_runs_and_is_mended_as_they_say(job: Job, typed: Forks) -> None:
    comes_together(job, typed, 0)
    job.write(customers(day(1)))
    for file in (job.cdp.folder / ".cdp" / "ledger").rglob("*.parquet"):
        file.unlink()
    stopped = typed("export", "run", NAME)
    assert (stopped.status, job.members()) == (7, wanted(day(0)))
    assert "cdp ledger rebuild" in stopped.err
    typed.ended("ledger", "rebuild", NAME)
    comes_together(job, typed, 1)


@pytest.mark.parametrize("cut", ["cut-request", "cut-before", "cut-after", "cut-answer"])
def test_connections_that_are_cut_for_good_leave_nothing_that_the_next_run_does_not_settle(
    job: Job, typed: Forks, cut: str
) -> None:
    for number, route in enumerate(("add-users", "remove-users", "add-users", "remove-users"), 1):
        job.write(customers(day(2 * number)))
        job.simulator.fault(f"{cut}:route={route},count={number * 3}")
        ended = typed("export", "run", NAME)
        job.simulator.clear_faults()
        assert ended.status in (0, 9), ended.err
        comes_together(job, typed, 2 * number + 1)


@pytest.mark.parametrize("seconds", [-DAY, -3600.0, DAY, YEAR])
def test_clocks_that_jump_between_runs_and_within_them_hold_nobody_up(
    job: Job, typed: Forks, seconds: float
) -> None:
    comes_together(job, typed, 0)
    for number, step in enumerate((5, 15, 25, 35), 1):
        job.write(customers(day(3 * number)))
        typed.ended("export", "run", NAME)
        job.write(customers(day(3 * number + 1)))
        jumped = typed("export", "run", NAME, "--json", jump=(step, seconds))
        assert jumped.status == 0, jumped.err
        balanced(jumped.document)
        agrees(job, typed, wanted(day(3 * number + 1)), of=NAME)
        job.write(customers(day(3 * number + 2)))
        assert typed("export", "run", NAME, kill_at=step, clock=seconds).killed
        comes_together(job, typed, 3 * number + 3)
    moved = typed("export", "run", NAME, "--json", clock=seconds)
    assert moved.status == 0, moved.err
    assert typed.ended("audit", "verify", "--json").document["ok"]
