"""The ledger and plans encrypted at rest: every kind of act works, nothing readable lies about, and a vault
that was lost is told."""

from __future__ import annotations

import itertools
import shutil

import pytest

from crashing import agrees, balanced, forks
from main_job import Job, customers, digest, wanted

NAME = "Loyal to Snapchat"


def readable(job: Job, numbers: range) -> list[str]:
    """Files among ledger and plans in which some person's digest can be read, as bytes or as text."""
    sought = [digest(f"person{n}@example.org") for n in numbers]
    found = []
    for folder in ("ledger", "plans", "scratch"):
        for path in (job.cdp.folder / ".cdp" / folder).rglob("*"):
            content = path.read_bytes() if path.is_file() else b""
            if any(each in content or each.hex().encode() in content for each in sought):
                found.append(str(path))
    return found


def test_the_main_job_leaves_nothing_readable_and_works_as_ever(job: Job) -> None:
    job.cdp("ledger", "encrypt")
    job.cdp("export", "run", NAME)
    job.write(customers(range(100, 1100)))
    plan = job.cdp.json("export", "plan", NAME)["plan"]
    report = job.cdp.json("export", "run", NAME, "--plan", plan)
    counts = report["kinds"]["EMAIL"]
    assert (counts["added"], counts["removed"], counts["unchanged"]) == (100, 100, 900)
    assert job.members() == wanted(range(100, 1100))
    assert readable(job, range(1100)) == []
    shown = job.cdp.json("ledger", "show", NAME)
    assert shown["encrypted"] == shown["files"] > 0
    told = job.cdp("explain", "--json", stdin="person50@example.org\n").stdout
    assert NAME in told
    job.cdp("ledger", "rebuild", NAME)
    assert readable(job, range(1100)) == []
    assert "are encrypted" in job.cdp("doctor").stdout
    assert job.cdp.json("export", "run", NAME)["kinds"]["EMAIL"]["unchanged"] == 1000


def test_what_there_is_is_encrypted_and_decrypted_again(job: Job) -> None:
    job.cdp("export", "run", NAME)
    assert readable(job, range(10)) != []
    done = job.cdp.json("ledger", "encrypt")
    assert (done["files"], done["plans"]) == (1, 1)
    assert readable(job, range(1000)) == []
    assert job.cdp.json("ledger", "encrypt")["files"] == 0
    assert job.cdp.json("export", "run", NAME)["kinds"]["EMAIL"]["unchanged"] == 1000
    job.cdp("ledger", "decrypt", status=2)
    job.cdp("ledger", "decrypt", "--yes")
    assert readable(job, range(10)) != []
    assert job.cdp.json("export", "run", NAME)["kinds"]["EMAIL"]["unchanged"] == 1000


def test_a_new_workspace_is_encrypted_from_the_beginning(job: Job) -> None:
    job.cdp("init", "other", "--profiles", "profiles.parquet", "--key", "customer_id", "--encrypt-ledger")
    assert "encrypted = true" in (job.cdp.folder / "other" / "cdp.toml").read_text()


@pytest.mark.state_in_a_file  # and the vault with it
def test_a_vault_that_lost_the_key_stops_runs_and_says_so(job: Job) -> None:
    vault, aside = job.cdp.folder / ".cdp" / "vault", job.cdp.folder / "aside"
    before = set(vault.iterdir())
    job.cdp("ledger", "encrypt")
    (key,) = set(vault.iterdir()) - before
    job.cdp("export", "run", NAME)
    shutil.copytree(vault, aside)
    key.unlink()
    job.write(customers(range(100, 1100)))
    stopped = job.cdp("export", "run", NAME, status=7)
    assert "CDP-714" in stopped.stderr
    assert job.members() == wanted(range(1000))
    assert "no key for them" in job.cdp("doctor", status=3).stdout
    shutil.copytree(aside, vault, dirs_exist_ok=True)
    job.cdp("export", "run", NAME)
    assert job.members() == wanted(range(100, 1100))


def test_encrypting_can_be_killed_at_every_step(job: Job) -> None:
    job.write(customers(range(60)))
    with forks(job) as typed:
        typed.ended("export", "run", NAME)
        job.write(customers(range(20, 80)))
        typed.ended("export", "edit", NAME, "--max-shrink", "100%")
        typed.ended("export", "run", NAME)
        for number in itertools.count(1):
            verb, undo = ("encrypt", ("decrypt", "--yes"))
            ended = typed("ledger", verb, kill_at=number)
            balanced(typed.ended("export", "run", NAME, "--json").document)
            agrees(job, typed, wanted(range(20, 80)), of=NAME)
            typed.ended("ledger", verb)
            assert readable(job, range(80)) == []
            if not ended.killed:
                break
            typed.ended("ledger", *undo)
        assert number > 10
