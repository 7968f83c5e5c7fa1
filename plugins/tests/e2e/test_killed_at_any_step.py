"""Killed with SIGKILL, stopped, or one of two at once: what the next run says it has settled, and who holds
what meanwhile. Every step in turn is killed next door, in `test_killed_at_every_step`."""

from __future__ import annotations

import os
import signal
import time

import pytest

from main_job import AUDIENCE, Job, customers, wanted

NAME = "Loyal to Snapchat"

JOURNAL = "cdp_core.store.journal:Journal"
LEDGERS = "cdp_core.store.ledgers:Ledgers"
STEPS = [
    ("cdp_core.store.runs:Runs.start:after:1", False),
    ("cdp_core.store.plans:Plans.record:after:1", False),
    (f"{JOURNAL}.attempt:after:5", True),
    (f"{JOURNAL}.close:after:10", True),
    (f"{LEDGERS}.commit:before:1", True),
    (f"{LEDGERS}.commit:after:1", False),
]


def kill_at(job: Job, step: str) -> None:
    job.killed(step, "export", "run", NAME)


def agree(job: Job, numbers: range) -> None:
    """Audience, ledger and today's segment are the same, and a further run has nothing to do."""
    assert job.members() == wanted(numbers)
    assert job.cdp.json("export", "show", NAME)["claims"] == len(numbers)
    job.simulator.clear_requests()
    again = job.cdp.json("export", "run", NAME)
    assert again["kinds"]["EMAIL"]["unchanged"] == len(numbers)
    assert job.uploads() == []


@pytest.mark.parametrize(("step", "delivering"), STEPS)
def test_a_killed_first_run_is_settled_by_the_next(job: Job, step: str, delivering: bool) -> None:
    kill_at(job, step)
    job.write(customers(range(100, 1100)))
    report = job.cdp.json("export", "run", NAME)
    assert (report["resumed_from"] is not None) == delivering
    agree(job, range(100, 1100))


@pytest.mark.parametrize(
    "step",
    [
        f"{JOURNAL}.attempt:after:2",
        f"{JOURNAL}.close:before:3",
        f"{JOURNAL}.close:before:4",
        "cdp_core.pipeline.ledger:apply:after:1",
        f"{LEDGERS}.commit:before:1",
    ],
)
def test_a_killed_second_run_with_removals_is_settled_by_the_next(job: Job, step: str) -> None:
    job.cdp("export", "run", NAME)
    job.write(customers(range(200, 1200)))
    kill_at(job, step)
    job.write(customers(range(150, 1250)))
    job.cdp("export", "run", NAME)
    agree(job, range(150, 1250))


def test_a_run_that_settles_can_be_killed_too(job: Job) -> None:
    kill_at(job, f"{JOURNAL}.close:after:3")
    kill_at(job, "cdp_core.pipeline.ledger:apply:after:1")
    kill_at(job, f"{LEDGERS}.commit:after:1")
    job.cdp("export", "run", NAME)
    agree(job, range(1000))


def test_an_answer_that_never_came_is_sent_again(job: Job) -> None:
    job.simulator.fault("cut-after:route=add-users,count=2")
    report = job.cdp.json("export", "run", NAME)
    assert report["delivered"]["retries"] == 2
    agree(job, range(1000))


def test_two_runs_at_once_and_the_second_is_told_who_holds_the_audience(job: Job) -> None:
    job.simulator.fault("stall:route=add-users,seconds=10,count=1")
    first = job.cdp.start("export", "run", NAME)
    try:
        until = time.monotonic() + 30
        while not job.uploads() and time.monotonic() < until:
            time.sleep(0.05)
        second = job.cdp("export", "run", NAME, status=10)
        assert "CDP-1001" in second.stderr
        assert str(first.pid) in second.stderr
    finally:
        said, errors = first.communicate(timeout=60)
    assert first.returncode == 0, said + errors
    agree(job, range(1000))


def test_a_holder_that_died_does_not_hold_for_ever(job: Job) -> None:
    kill_at(job, f"{JOURNAL}.close:after:2")
    began = time.monotonic()
    job.cdp("export", "run", NAME)
    assert time.monotonic() - began < 30
    agree(job, range(1000))


def interrupted_at_its_first_batch(job: Job, *, status: int) -> str:
    """What a run says that gets Ctrl-C once the service has a batch; its exit status is looked at."""
    job.simulator.fault("stall:route=add-users,seconds=2,count=1000")
    running = job.cdp.start("export", "run", NAME)
    until = time.monotonic() + 30
    while len(job.uploads()) < 1 and time.monotonic() < until:
        time.sleep(0.05)
    os.kill(running.pid, signal.SIGINT)
    said, errors = running.communicate(timeout=60)
    assert running.returncode == status, said + errors
    return said + errors


def test_control_c_while_the_last_batch_is_in_flight_leaves_nothing_to_be_done(job: Job) -> None:
    job.write(customers(range(20)))
    assert "Successful" in interrupted_at_its_first_batch(job, status=0)
    agree(job, range(20))


def test_control_c_ends_after_the_batches_in_flight_and_says_what_is_left(job: Job) -> None:
    assert "not sent" in interrupted_at_its_first_batch(job, status=9)
    assert 0 < len(job.simulator.members(AUDIENCE, "EMAIL_SHA256")) < 1000
    job.simulator.clear_faults()
    job.cdp("export", "run", NAME)
    agree(job, range(1000))
