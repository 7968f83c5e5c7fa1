"""A run is canceled from another process: it ends after its batches in flight, and the next one goes on."""

from __future__ import annotations

import subprocess
import threading

import pytest

from by_hand import alter_document
from cdp_core.app.facade import CDP
from cdp_core.errors import Code, TemporaryFault
from cdp_core.model.run import RunEvent, Station
from cdp_core.store.tables import schedules
from main_job import Job, wanted
from scheduled import NAME, last, make_due, until

SLOW = "stall:route=add-users,seconds=5,count=1000"


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    with process:
        said, errors = process.communicate(timeout=60)
    return process.returncode, said + errors


def test_a_run_in_another_process_ends_and_says_who_canceled_it(job: Job) -> None:
    job.simulator.fault(SLOW)
    running = job.cdp.start("export", "run", NAME)
    until(job.members)
    told = job.cdp("export", "cancel", NAME).stdout
    status, said = ended(running)
    assert status == 9, said
    assert "error CDP-904: canceled by " in said
    sent = len(job.members())
    assert 0 < sent < 1000
    assert f"has ended: Canceled; {sent} digests were accepted, {1000 - sent} are left." in told
    (run,) = job.cdp.json("export", "history", NAME, "--status", "canceled")
    assert (run["status"], run["delivered"]["accepted"]) == ("canceled", sent)
    job.simulator.clear_faults()
    job.cdp("export", "run", NAME)
    assert job.members() == wanted(range(1000))


def test_a_run_that_is_still_planning_ends_before_anything_is_sent(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in job.cdp.environ.items():
        monkeypatch.setenv(name, value)
    stop = threading.Event()

    def cancel(event: RunEvent) -> None:
        if event.station is Station.PREPARE and event.state == "progress" and not stop.is_set():
            job.cdp("export", "cancel", NAME, "--wait", "0")
            assert stop.wait(10)

    with CDP.open(job.cdp.folder / ".cdp") as here, pytest.raises(TemporaryFault) as ended:
        here.exports.run(NAME, progress=cancel, stop=stop)
    assert ended.value.code is Code.CANCELED
    assert ended.value.message.endswith(" before anything was sent")
    (run,) = job.cdp.json("export", "history", NAME)
    assert (run["status"], run["error"]["code"]) == ("canceled", "CDP-904")
    assert job.uploads() == []
    job.cdp("export", "run", NAME)
    assert job.members() == wanted(range(1000))


def test_a_canceled_due_run_is_not_tried_again(job: Job) -> None:
    job.simulator.fault(SLOW)
    make_due(job, NAME)
    scheduler = job.cdp.start("scheduler", "start", "--once")
    until(job.members)
    assert job.cdp.json("export", "list")[0]["shown"] == "processing"
    job.cdp("export", "cancel", NAME)
    status, said = ended(scheduler)
    assert status == 0, said
    done = last(job)["last"]
    assert done["outcome"] == "skipped"
    assert "CDP-904: canceled by " in done["message"]


def test_one_that_waits_to_be_tried_again_is_queued_and_given_up(job: Job) -> None:
    job.simulator.fault("status:route=add-users,status=503,count=1000")
    make_due(job, NAME)
    job.cdp("scheduler", "start", "--once", status=9)
    assert last(job)["last"]["outcome"] == "waiting"
    assert job.cdp.json("export", "list")[0]["shown"] == "queued"
    # Only the one moment: the next minute would make it due again.
    leap_days = {"lines": ["0 0 29 2 *"]}
    alter_document(job.cdp, schedules.c.recurrence, lambda recurrence: recurrence.update(leap_days))
    given_up = job.cdp("export", "cancel", NAME).stdout
    assert "is not tried again until its next time" in given_up
    assert last(job)["last"]["outcome"] == "skipped"
    assert job.cdp.json("export", "list")[0]["shown"] == "failed"


def test_where_nothing_runs_it_says_so(job: Job) -> None:
    refused = job.cdp("export", "cancel", NAME, status=3)
    assert refused.stderr.startswith("error CDP-332: no run of 'Loyal to Snapchat' is under way")


def test_who_only_looks_cancels_nothing(job: Job) -> None:
    job.cdp("role", "grant", "nobody", "viewer")
    job.cdp("--as", "nobody", "export", "cancel", NAME, status=4)


@pytest.mark.parametrize("wait", ["0", "0.5"])
def test_one_does_not_have_to_wait(job: Job, wait: str) -> None:
    job.simulator.fault("stall:route=add-users,seconds=5,count=1000")
    running = job.cdp.start("export", "run", NAME)
    until(lambda: job.cdp.json("export", "list")[0]["status"] == "delivering")
    told = job.cdp("export", "cancel", NAME, "--wait", wait, status=0 if wait == "0" else 9)
    assert "is asked to end" in told.stdout
    assert ended(running)[0] == 9
