"""What is sent again on purpose: everything after the service has lost it, or one batch to be seen alive."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from by_hand import by_hand
from cdp_core.store.tables import batches
from main_job import Job, add_export, customers, put_there_by_others, wanted, wipe

NAME = "Loyal to Snapchat"
RESYNC = ("export", "resync", NAME, "--yes")
JOURNAL = "cdp_core.store.journal:Journal"


def backdate(job: Job, days: float) -> None:
    """All that the service has taken so far was so long ago."""
    then = datetime.now(UTC) - timedelta(days=days)
    with by_hand(job.cdp) as state:
        state.execute(batches.update().values(answered_at=then))


def test_a_plain_run_does_not_notice_what_the_service_has_lost_and_resync_does(job: Job) -> None:
    job.cdp("export", "run", NAME)
    wipe(job.simulator)
    job.cdp("export", "run", NAME)
    assert job.members() == set()
    report = job.cdp.json(*RESYNC)
    assert job.members() == wanted(range(1000))
    counts = report["kinds"]["EMAIL"]
    assert (counts["added"], counts["unchanged"], counts["resent"]) == (0, 1000, 1000)
    assert (report["delivered"]["planned"], report["delivered"]["accepted"]) == (1000, 1000)
    assert "1,000 digests were in the audience already" in " ".join(report["notes"])
    assert job.cdp.json("export", "show", NAME)["claims"] == 1000
    assert "export.resync" in {entry["action"] for entry in job.cdp.json("audit", "list")}
    # It was a run, and so the next one has nothing to do.
    assert job.cdp.json("export", "run", NAME)["delivered"]["planned"] == 0


def test_resync_sends_nobody_who_may_not_be_there_today(job: Job) -> None:
    job.cdp("export", "run", NAME)
    wipe(job.simulator)
    job.write(customers(range(10, 1010)))
    job.cdp("suppress", "add", stdin="Person500@example.org\n")
    report = job.cdp.json(*RESYNC)
    assert job.members() == wanted(range(10, 1010)) - wanted([500])
    counts = {name: number for name, number in report["kinds"]["EMAIL"].items() if number}
    assert counts == {
        "read": 1000, "added": 10, "unchanged": 989, "suppressed": 1, "removed": 11, "owed": 1, "resent": 989,
    }  # fmt: skip


def test_resync_of_an_export_that_only_adds_sends_who_has_left_too(job: Job) -> None:
    job.cdp("export", "edit", NAME, "--mode", "add-only")
    job.cdp("export", "run", NAME)
    job.write(customers(range(100)))
    wipe(job.simulator)
    report = job.cdp.json(*RESYNC)
    assert report["kinds"]["EMAIL"]["resent"] == 1000
    assert job.members() == wanted(range(1000))


def test_resync_asks_first_empties_nothing_and_has_nothing_to_send_in_remove(job: Job) -> None:
    assert "CDP-204" in job.cdp("export", "resync", NAME, status=2).stderr
    assert job.uploads() == []
    job.cdp("export", "edit", NAME, "--mode", "replace")
    put_there_by_others(job.simulator, wanted([5000]))
    job.cdp(*RESYNC)
    assert job.members() == wanted([*range(1000), 5000])
    job.cdp("export", "edit", NAME, "--mode", "remove")
    assert "CDP-331" in job.cdp(*RESYNC, status=3).stderr


def test_resync_is_stopped_by_gates_and_names_its_own_flag(job: Job) -> None:
    job.cdp("export", "run", NAME)
    job.write(customers(range(100)))
    said = job.cdp(*RESYNC, status=7).stderr
    assert f'cdp export resync "{NAME}" --allow-shrink' in said
    job.cdp(*RESYNC, "--allow-shrink")
    assert job.members() == wanted(range(100))


def test_of_a_shared_audience_each_export_sends_what_it_claims(job: Job) -> None:
    add_export(job.cdp, "Second")
    job.cdp("export", "run", NAME)
    job.cdp("export", "run", "Second")
    wipe(job.simulator)
    assert job.cdp.json("export", "resync", "Second", "--yes")["kinds"]["EMAIL"]["resent"] == 1000
    assert job.members() == wanted(range(1000))


@pytest.mark.parametrize(
    "step",
    [f"{JOURNAL}.attempt:after:2", f"{JOURNAL}.close:after:4", "cdp_core.pipeline.ledger:apply:after:1"],
)
def test_a_killed_resync_is_brought_to_its_end_by_a_plain_run(job: Job, step: str) -> None:
    job.cdp("export", "run", NAME)
    wipe(job.simulator)
    job.killed(step, *RESYNC)
    job.cdp("export", "run", NAME)
    assert job.members() == wanted(range(1000))
    assert job.cdp.json("export", "show", NAME)["claims"] == 1000
    assert job.cdp.json("export", "run", NAME)["delivered"]["planned"] == 0


def test_a_quiet_audience_is_sent_one_batch_before_it_expires(job: Job) -> None:
    job.cdp("export", "edit", NAME, "--keep-alive-days", "300")
    assert job.cdp.json("export", "show", NAME)["policy"]["keep_alive_days"] == 300
    job.cdp("export", "run", NAME)
    backdate(job, 299.9)
    assert job.cdp.json("export", "run", NAME)["delivered"]["planned"] == 0
    backdate(job, 300.1)
    job.simulator.clear_requests()
    report = job.cdp.json("export", "run", NAME)
    assert report["kinds"]["EMAIL"]["resent"] == report["delivered"]["accepted"] == 100
    assert [request.method for request in job.uploads()] == ["POST"]
    assert job.cdp.json("export", "show", NAME)["claims"] == 1000
    # The service has seen a change now.
    assert job.cdp.json("export", "run", NAME)["delivered"]["planned"] == 0


def test_a_change_is_activity_enough_and_off_means_never(job: Job) -> None:
    job.cdp("export", "edit", NAME, "--keep-alive-days", "10")
    job.cdp("export", "run", NAME)
    backdate(job, 11)
    job.write(customers(range(1001)))
    assert job.cdp.json("export", "run", NAME)["delivered"]["planned"] == 1
    backdate(job, 11)
    job.cdp("export", "edit", NAME, "--no-keep-alive")
    assert job.cdp.json("export", "run", NAME)["delivered"]["planned"] == 0


@pytest.mark.parametrize("mode", ["remove", "replace"])
def test_there_is_nothing_to_keep_alive_where_every_run_sends_everything(job: Job, mode: str) -> None:
    words = ("export", "edit", NAME, "--mode", mode, "--keep-alive-days", "300")
    assert "CDP-331" in job.cdp(*words, status=3).stderr
