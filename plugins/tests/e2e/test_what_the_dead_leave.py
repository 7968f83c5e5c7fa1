"""A run or a dry run that was killed is told as dead before anybody settles it, and leaves no scratch."""

from __future__ import annotations

import time
from typing import Any

from main_job import Job, add_export

NAME = "Loyal to Snapchat"
OTHER = "Loyal elsewhere"
SENT_THREE = "cdp_core.store.journal:Journal.close:after:3"
PREPARED = "cdp_core.runner.planning:compare:before:1"


def newest(job: Job) -> Any:
    return job.cdp.json("export", "history", NAME)[0]


def scratch(job: Job) -> list[str]:
    """What lies in the scratch folder: a dead run's, its engine's within it."""
    return [path.name for path in (job.cdp.folder / ".cdp" / "scratch").iterdir()]


def test_a_killed_run_has_failed_and_the_next_settles_it(job: Job) -> None:
    job.killed(SENT_THREE, "export", "run", NAME)
    run = newest(job)
    assert run["status"] == "failed"
    assert run["error"]["message"] == (
        "the process ended before the run did; the next run settles what it left"
    )
    sent = run["delivered"]
    assert sent["planned"] == sent["accepted"] + sent["unknown"] + sent["not_sent"] == 1000
    assert 100 <= sent["accepted"] < 1000
    assert job.cdp.json("export", "show", NAME)["status"] == "failed"
    for words in (("export", "history", NAME), ("export", "list"), ("export", "show", NAME)):
        said = job.cdp(*words).stdout
        assert "Failed" in said
        assert "Processing" not in said
    assert f"run {run['run']} of {NAME} died before it ended" in job.cdp("doctor").stdout
    job.cdp("export", "run", NAME)
    settled = job.cdp.json("export", "history", NAME)[1]
    assert (settled["run"], settled["status"]) == (run["run"], "failed")
    assert settled["error"]["message"] == "the process ended before the run did"
    assert "every run has ended" in job.cdp("doctor").stdout


def test_a_run_is_under_way_for_as_long_as_its_process_lives(job: Job) -> None:
    job.simulator.fault("stall:route=add-users,seconds=12,count=4")
    with job.cdp.start("export", "run", NAME) as running:
        until = time.monotonic() + 30
        while "delivering" not in [run["status"] for run in job.cdp.json("export", "history", NAME)]:
            assert time.monotonic() < until
        said = [job.cdp(*words).stdout for words in (("export", "history", NAME), ("doctor",))]
        assert "Processing" in said[0]
        assert "is under way" in said[1]
        running.kill()
        running.communicate(timeout=60)
    assert newest(job)["status"] == "failed"


def test_a_killed_dry_run_has_failed_for_ever(job: Job) -> None:
    job.killed(PREPARED, "export", "plan", NAME)
    run = newest(job)
    assert (run["status"], run["dry_run"]) == ("failed", True)
    assert run["error"]["message"] == "the process ended before the run did"
    job.cdp("export", "run", NAME)
    assert job.cdp.json("export", "history", NAME)[1] == run


def test_the_next_run_of_any_export_sweeps_what_dead_ones_left(job: Job) -> None:
    second = job.simulator.world.add_audience("Elsewhere").id
    add_export(job.cdp, OTHER)
    job.cdp("export", "edit", OTHER, "--set", f"audience_id={second}")
    job.killed(PREPARED, "export", "plan", NAME)
    (dry_run,) = scratch(job)
    job.killed(PREPARED, "export", "run", NAME)
    (run,) = scratch(job)
    assert run != dry_run
    job.cdp("export", "run", OTHER)
    assert scratch(job) == []
