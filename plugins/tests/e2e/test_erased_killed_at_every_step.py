"""An erasure killed with SIGKILL at every step in turn: the same command again, or the next run, ends it with
one receipt, and nothing of the person stays anywhere."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from crashing import Forks, forks
from erasures import NAME, OTHER, SEVEN, everybody, kept, phone
from main_job import AUDIENCE, Job, add_export, digest, put_there_by_others, wanted
from put_aside import PutAside

PEOPLE = range(20)
pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def typed(job: Job) -> Iterator[Forks]:
    """Two exports on one audience, and a static segment."""
    everybody(job, PEOPLE)
    with forks(job) as made:
        made.ended("segment", "add", "As it was", "--where", "true", "--static")
        add_export(job.cdp, OTHER, "--match", "PHONE=phone", "--segment", "As it was")
        made.ended("export", "run", NAME)
        made.ended("export", "run", OTHER)
        yield made


@pytest.mark.parametrize("first", [1, 2, 3])
def test_at_every_third_step_from_each(job: Job, typed: Forks, tmp_path: Path, first: int) -> None:
    workspace = job.cdp.folder / ".cdp"
    begun = PutAside(job.cdp, tmp_path / "fresh")
    rest = wanted(set(PEOPLE) - {7})
    for number in itertools.count(first, 3):
        begun.back()
        put_there_by_others(job.simulator, [digest(SEVEN)])
        ended = typed("erase", "--yes", "--json", kill_at=number, typing=f"{SEVEN}\n")
        asked = typed.ended("erase", "list", "--json").document["receipts"]
        if number % 2 or not asked:
            typed.ended("erase", "--yes", typing=f"{SEVEN}\n")
        else:
            typed.ended("export", "run", NAME)
        (receipt,) = typed.ended("erase", "list", "--json").document["receipts"]
        assert receipt["done_at"], f"step {number}"
        assert {each["result"] for each in receipt["removals"]} == {"confirmed"}, f"step {number}"
        assert {(each["export"], each["kind"]) for each in receipt["removals"]} == {
            (NAME, "EMAIL"),
            (OTHER, "EMAIL"),
            (OTHER, "PHONE"),
        }, f"step {number}"
        assert job.members() == rest, f"step {number}"
        assert phone(7) not in job.simulator.members(AUDIENCE, "PHONE_SHA256"), f"step {number}"
        assert kept(workspace, digest(SEVEN), phone(7)) == [], f"step {number}"
        if not ended.killed:
            assert ended.status == 0, ended.err
            break
    assert number > 30
    # What is kept is still what a ledger can be rebuilt from.
    assert typed.ended("ledger", "rebuild", NAME, "--json").document["lost"] == []
