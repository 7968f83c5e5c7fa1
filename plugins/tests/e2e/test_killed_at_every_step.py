"""Killed with SIGKILL at every step in turn: just before and just after each transaction and each file that
is brought to the disk, over every kind of run. After each, one plain run brings all together.

The steps are counted as they come (see `forks`): each scenario goes on until a run survives its step.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crashing import Ended, Forks, agrees, balanced, forks
from main_job import Job, add_export, customers, digest, wanted
from put_aside import PutAside

NAME, OTHER = "Loyal to Snapchat", "Early too"
# Some of these are some hundred runs.
pytestmark = pytest.mark.timeout(900)

# Fewer members than usual, in three batches, so that there are not so many steps.
PEOPLE = 60


@pytest.fixture
def typed(job: Job) -> Iterator[Forks]:
    job.write(customers(range(PEOPLE)))
    with forks(job) as made:
        made.ended("export", "edit", NAME, "--set", "batch_size=25", "--max-shrink", "100%")
        yield made


def every_step(once: Callable[[int], Ended]) -> int:
    """Do it once for each step, until one survives; how many there were."""
    for number in itertools.count(1):
        ended = once(number)
        if not ended.killed:
            assert ended.status == 0, f"step {number}: exit {ended.status}\n{ended.err}"
            return number - 1
    raise AssertionError


def run(typed: Forks, *words: str, status: int = 0) -> Ended:
    ended = typed.ended("export", "run", NAME, "--json", *words, status=status)
    if status == 0:
        balanced(ended.document)
    return ended


def test_a_first_run(job: Job, typed: Forks, tmp_path: Path) -> None:
    begun = PutAside(job.cdp, tmp_path / "fresh")

    def once(number: int) -> Ended:
        begun.back()
        job.simulator.world.audiences["5677923948298240"].empty(0.0)
        ended = typed("export", "run", NAME, kill_at=number)
        job.write(customers(range(10, PEOPLE + 10)))
        run(typed)
        agrees(job, typed, wanted(range(10, PEOPLE + 10)), of=NAME)
        job.write(customers(range(PEOPLE)))
        return ended

    assert every_step(once) > 30


def day(number: int) -> range:
    """Who is loyal on a day: some leave and some come every day."""
    start = number * 17 % 40
    return range(start, start + PEOPLE)


def test_a_run_with_additions_removals_and_another_export_on_the_audience(job: Job, typed: Forks) -> None:
    add_export(job.cdp, OTHER)
    typed.ended("export", "edit", OTHER, "--set", "batch_size=25")
    job.write(customers(range(30)))
    typed.ended("export", "run", OTHER)
    typed.ended("segment", "add", "Nobody", "--where", "false")

    def once(number: int) -> Ended:
        job.write(customers(day(2 * number)))
        ended = typed("export", "run", NAME, kill_at=number)
        job.write(customers(day(2 * number + 1)))
        run(typed)
        agrees(job, typed, wanted({*day(2 * number + 1), *range(30)}), of=NAME, claims=PEOPLE)
        return ended

    assert every_step(once) > 30


def test_a_run_whose_batches_are_refused_for_some_digests(job: Job, typed: Forks) -> None:
    bad = [digest(f"person{n}@example.org") for n in range(7, 120, 60)]
    job.simulator.refuse_digests(*bad)

    def once(number: int) -> Ended:
        job.write(customers(day(2 * number)))
        ended = typed("export", "run", NAME, kill_at=number)
        job.write(customers(day(2 * number + 1)))
        run(typed, status=8)
        agrees(job, typed, wanted(day(2 * number + 1)) - set(bad), of=NAME, doubted=len(bad))
        return Ended(0, ended.out, ended.err, ended.steps) if ended.status == 8 else ended

    assert every_step(once) > 40


def test_a_run_that_settles_what_another_left(job: Job, typed: Forks) -> None:
    def once(number: int) -> Ended:
        job.write(customers(day(3 * number)))
        assert typed("export", "run", NAME, kill_at=25).killed
        job.write(customers(day(3 * number + 1)))
        ended = typed("export", "run", NAME, kill_at=number)
        job.write(customers(day(3 * number + 2)))
        run(typed)
        agrees(job, typed, wanted(day(3 * number + 2)), of=NAME)
        return ended

    assert every_step(once) > 30


def test_a_run_that_only_takes_out_who_was_suppressed_because_a_gate_stopped_it(
    job: Job, typed: Forks
) -> None:
    typed.ended("export", "edit", NAME, "--max-shrink", "10%")
    job.write(customers(range(200)))
    run(typed)
    held = set(range(200))

    def once(number: int) -> Ended:
        # All but five are gone from the profiles, which the gate does not let through; one was suppressed.
        leaver = min(held)
        (job.cdp.folder / "leaver.txt").write_text(f"person{leaver}@example.org\n")
        typed.ended("suppress", "import", "leaver.txt", "--kind", "EMAIL")
        held.remove(leaver)
        job.write(customers(range(195, 200)))
        ended = typed("export", "run", NAME, kill_at=number)
        run(typed, status=7)
        agrees(job, typed, wanted(held), of=NAME)
        return Ended(0, ended.out, ended.err, ended.steps) if ended.status == 7 else ended

    assert every_step(once) > 20


def test_a_ledger_that_is_rebuilt(job: Job, typed: Forks) -> None:
    run(typed)
    job.write(customers(range(20, PEOPLE + 20)))
    run(typed)

    def once(number: int) -> Ended:
        next((job.cdp.folder / ".cdp" / "ledger").rglob("*.parquet")).unlink()
        ended = typed("ledger", "rebuild", NAME, kill_at=number)
        typed.ended("ledger", "rebuild", NAME)
        job.simulator.clear_requests()
        assert run(typed).document["kinds"]["EMAIL"]["unchanged"] == PEOPLE
        assert job.uploads() == []
        agrees(job, typed, wanted(range(20, PEOPLE + 20)), of=NAME)
        return ended

    assert every_step(once) > 5
