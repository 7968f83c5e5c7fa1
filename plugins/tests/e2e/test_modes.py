"""The modes beside mirror: who is added, who is taken out, and what the sums say of it."""

from __future__ import annotations

from typing import Any

import pytest

from main_job import Job, add_export, customers, put_there_by_others, wanted

NAME = "Loyal to Snapchat"


def in_mode(job: Job, mode: str, *more: str) -> None:
    job.cdp("export", "edit", NAME, "--mode", mode, *more)


def counts_of(report: dict[str, Any]) -> dict[str, int]:
    """The e-mails' counts that are not nothing, after a look at the sums."""
    counts: dict[str, int] = report["kinds"]["EMAIL"]
    sent = report["delivered"]
    assert sent["planned"] == sent["accepted"] + sent["refused"] + sent["unknown"] + sent["not_sent"]
    assert sent["planned"] == counts["added"] + counts["removed"] + counts["resent"]
    return {name: number for name, number in counts.items() if number}


def suppress(job: Job, number: int) -> None:
    job.cdp("suppress", "add", stdin=f"Person{number}@example.org\n")


def test_an_export_mirrors_unless_it_says_otherwise(job: Job) -> None:
    assert job.cdp.json("export", "show", NAME)["policy"]["mode"] == "mirror"
    in_mode(job, "add-only")
    (listed,) = job.cdp.json("export", "list")
    assert listed["policy"]["mode"] == "add-only"
    assert "add-only: adds who is new" in job.cdp("export", "show", NAME).stdout
    assert job.cdp.json("export", "plan", NAME)["mode"] == "add-only"
    assert "mode add-only" in job.cdp("export", "run", NAME).stdout


def test_another_mode_makes_a_plan_stale(job: Job) -> None:
    plan = job.cdp.json("export", "plan", NAME)["plan"]
    in_mode(job, "add-only")
    assert "mode" in job.cdp("export", "run", NAME, "--plan", plan, status=7).stderr
    assert job.members() == set()


def test_add_only_takes_out_nobody_who_has_only_left(job: Job) -> None:
    in_mode(job, "add-only")
    job.cdp("export", "run", NAME)
    job.write(customers(range(990, 1010)))
    report = job.cdp.json("export", "run", NAME)
    assert counts_of(report) == {"read": 20, "added": 10, "unchanged": 10, "kept": 990}
    assert report["gates"] == []
    assert "990 digests that are not wanted any more stay" in " ".join(report["notes"])
    assert job.members() == wanted(range(1010))
    assert job.cdp.json("export", "show", NAME)["claims"] == 1010


def test_add_only_takes_out_who_is_suppressed(job: Job) -> None:
    in_mode(job, "add-only")
    job.cdp("export", "run", NAME)
    job.write(customers(range(10)))
    suppress(job, 500)
    suppress(job, 5)
    report = job.cdp.json("export", "run", NAME)
    assert counts_of(report) == {
        "read": 10, "unchanged": 9, "suppressed": 1, "removed": 2, "owed": 2, "kept": 989,
    }  # fmt: skip
    assert job.members() == wanted(range(1000)) - wanted([5, 500])


def test_back_in_mirror_those_who_had_stayed_are_taken_out_past_the_gate_only(job: Job) -> None:
    in_mode(job, "add-only")
    job.cdp("export", "run", NAME)
    job.write(customers(range(100)))
    job.cdp("export", "run", NAME)
    in_mode(job, "mirror")
    assert "900 of the 1,000 members" in job.cdp("export", "run", NAME, status=7).stderr
    job.cdp("export", "run", NAME, "--allow-shrink")
    assert job.members() == wanted(range(100))


def test_remove_takes_these_members_out_whoever_put_them_in(job: Job) -> None:
    put_there_by_others(job.simulator, wanted(range(5, 2000)))
    rows = [*customers(range(10)), ("c", None, 900), ("d", "n/a", 900), ("e", "no address", 900)]
    job.write([*rows, ("again", "PERSON3@example.org", 900)])
    in_mode(job, "remove")
    suppress(job, 7)
    report = job.cdp.json("export", "run", NAME)
    assert counts_of(report) == {
        "read": 14, "named": 10, "duplicate": 1, "missing": 1, "placeholder": 1, "malformed": 1,
        "removed": 10, "unclaimed": 10,
    }  # fmt: skip
    assert job.members() == wanted(range(10, 2000))
    assert [request.method for request in job.uploads()] == ["DELETE"]
    assert job.cdp.json("export", "show", NAME)["claims"] == 0


def test_remove_sends_the_same_again_since_others_may_have_put_them_back(job: Job) -> None:
    job.write(customers(range(10)))
    in_mode(job, "remove")
    job.cdp("export", "run", NAME)
    put_there_by_others(job.simulator, wanted(range(3)))
    report = job.cdp.json("export", "run", NAME)
    assert counts_of(report) == {"read": 10, "named": 10, "removed": 10, "unclaimed": 10}
    assert job.members() == set()
    job.simulator.fault("cut-before:route=remove-users,count=99")
    assert job.cdp.json("export", "run", NAME, status=9)["delivered"]["unknown"] == 10
    assert job.cdp.json("export", "show", NAME)["claims"] == 0


def test_remove_ends_the_claims_of_every_export_and_the_shrink_counts_them(job: Job) -> None:
    job.cdp("export", "run", NAME)
    job.cdp("segment", "add", "Leaving", "--where", "lifetime_value = 901")
    add_export(job.cdp, "Out", "--mode", "remove", "--segment", "Leaving")
    job.cdp("export", "edit", "Out", "--segment", "Leaving")
    job.write([*customers(range(600), value=901), *customers(range(600, 1000))])
    said = job.cdp("export", "run", "Out", status=7).stderr
    assert "600 of the 1,000 members that exports here put into the audience" in said
    job.cdp("export", "run", "Out", "--allow-shrink")
    assert job.members() == wanted(range(600, 1000))
    assert job.cdp.json("export", "show", NAME)["claims"] == 400
    # Who is still wanted by the other export comes back: the two contradict each other.
    job.cdp("export", "run", NAME)
    assert job.members() == wanted(range(1000))


def test_in_the_mode_remove_a_gate_does_not_hold_back_what_is_owed(job: Job) -> None:
    job.cdp("export", "run", NAME)
    in_mode(job, "remove")
    suppress(job, 900)
    job.write(customers(range(800)))
    assert "taken out all the same" in job.cdp("export", "run", NAME, status=7).stderr
    assert job.members() == wanted(range(1000)) - wanted([900])


@pytest.mark.parametrize("mode", ["add-only", "remove", "replace"])
def test_in_every_mode_an_empty_source_stops(job: Job, mode: str) -> None:
    job.cdp("export", "run", NAME)
    in_mode(job, mode)
    job.write([])
    job.simulator.clear_requests()
    assert "CDP-701" in job.cdp("export", "run", NAME, "--yes", status=7).stderr
    assert job.members() == wanted(range(1000))


@pytest.mark.parametrize("mode", ["add-only", "replace"])
def test_in_every_mode_the_members_are_taken_out_when_the_export_goes(job: Job, mode: str) -> None:
    put_there_by_others(job.simulator, wanted([5000]))
    in_mode(job, mode)
    job.write(customers(range(1000)))
    job.cdp("export", "run", NAME, "--yes")
    put_there_by_others(job.simulator, wanted([6000]))
    before = job.members()
    job.cdp("export", "remove", NAME, "--take-members-out", "--yes")
    assert job.members() == before - wanted(range(1000))


def test_explain_says_what_each_mode_does(job: Job) -> None:
    job.cdp("export", "run", NAME)
    job.write(customers(range(500, 1000)))

    def explained(number: int) -> str:
        return job.cdp("explain", stdin=f"person{number}@example.org\n").stdout

    in_mode(job, "add-only")
    assert "in the audience, and stays" in explained(1)
    in_mode(job, "remove")
    assert "left alone, and in the audience" in explained(1)
    assert "taken out by each run" in explained(600)
    in_mode(job, "replace")
    job.cdp("export", "run", NAME, "--yes")
    assert "removed with everybody: the audience was emptied" in explained(1)
