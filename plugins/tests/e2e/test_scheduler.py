"""The scheduler end to end: real processes over one workspace, the simulator, and the clock that there is."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from by_hand import alter, alter_document
from cdp_core.store.tables import exports
from fork_server import CDP
from main_job import KILLER, Job, add_export, customers, wanted
from scheduled import NAME, last, make_due, until


def add_broken(job: Job) -> None:
    """An export whose audience has gone since it was added."""
    add_export(job.cdp, "Broken")
    gone = {"audience_id": "1111111111"}
    alter_document(job.cdp, exports.c.settings, lambda settings: settings.update(gone), name="Broken")


def test_what_is_due_runs_in_the_export_users_name_and_the_log_is_json(job: Job) -> None:
    make_due(job, NAME)
    done = job.cdp("scheduler", "start", "--once", "--log-format", "json")
    assert job.members() == wanted(range(1000))
    told = [json.loads(line) for line in done.stderr.splitlines()]
    assert {"due", "station", "done", "ended"} <= {line.get("event") for line in told}
    (run,) = job.cdp.json("export", "history", NAME)
    assert (run["status"], run["actor"]) == ("committed", last_actor(job))
    assert last(job)["last"]["outcome"] == "done"
    assert job.cdp.json("audit", "verify")["ok"]


def last_actor(job: Job) -> str:
    return str(job.cdp.json("connection", "show", "Snapchat EU")["export_user"])


def test_one_failing_export_stops_no_other_and_what_must_be_mended_pauses_it(job: Job) -> None:
    add_broken(job)
    make_due(job, NAME, "Broken")
    job.cdp("scheduler", "start", "--once", status=3)
    assert job.members() == wanted(range(1000))
    broken = last(job, "Broken")
    assert (broken["last"]["outcome"], broken["last"]["exit_status"]) == ("failed", 3)
    assert "CDP-315" in broken["paused"]
    assert last(job)["last"]["outcome"] == "done"


def test_the_log_says_what_pauses_an_export(job: Job) -> None:
    make_due(job, NAME)
    job.simulator.expire_tokens()
    wrong = {"SNAP_SECRET": "not-the-secret-of-the-app"}
    asked = ("scheduler", "start", "--once", "--log-format", "json")
    said = job.cdp(*asked, status=6, environ=wrong).stderr
    (ended,) = (line for line in map(json.loads, said.splitlines()) if line["event"] == "ended")
    assert ended["message"].startswith(f"{NAME}: CDP-608: the service does not accept the client")
    assert ended["message"].endswith("; it runs by itself again once that is mended and somebody has run it")
    assert "not-the-secret" not in said


def test_sigterm_lets_the_batches_in_flight_end_and_the_next_scheduler_sends_the_rest(job: Job) -> None:
    job.simulator.fault("stall:route=add-users,seconds=2,count=1000")
    make_due(job, NAME)
    with job.cdp.start("scheduler", "start", "--poll", "0.2", "--log-format", "json") as scheduler:
        until(job.members)
        scheduler.send_signal(signal.SIGTERM)
        said, errors = scheduler.communicate(timeout=60)
    assert scheduler.returncode == 0, said + errors
    told = [json.loads(line) for line in errors.splitlines()]
    assert any("Ending the runs" in line["message"] and line["event"] == "stopping" for line in told)
    assert 0 < len(job.members()) < 1000
    assert last(job)["last"]["outcome"] == "waiting"
    job.simulator.clear_faults()
    job.cdp("scheduler", "start", "--once")
    assert job.members() == wanted(range(1000))


def test_what_ends_the_scheduler_is_a_line_of_its_log(job: Job) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        asked = ("scheduler", "start", "--health-port", port)
        done = job.cdp(*asked, "--log-format", "json", status=2)
        assert "error CDP-203" in job.cdp(*asked, status=2).stderr
    (line,) = [json.loads(line) for line in done.stderr.splitlines()]
    assert (line["event"], line["level"], line["code"]) == ("broke-off", "error", "CDP-203")
    assert f"port {port} cannot be listened on" in line["message"]
    assert "another --health-port" in line["hint"]


@pytest.mark.parametrize("place", ["missing/health", "a-file/health", "a-link"])
def test_a_health_file_that_cannot_be_written_is_refused_at_the_start(job: Job, place: str) -> None:
    (job.cdp.folder / "a-file").touch()
    (job.cdp.folder / "a-link").symlink_to("a-file")
    refused = job.cdp("scheduler", "start", "--health-file", place, status=2).stderr
    assert "error CDP-203" in refused
    assert f"the health file '{place}' cannot be written: " in refused
    assert f"where: {job.cdp.folder / place}" in refused
    assert "another --health-file" in refused
    assert "the scheduler runs" not in refused


def test_a_health_file_whose_folder_goes_ends_neither_the_scheduler_nor_a_run(job: Job) -> None:
    job.simulator.fault("stall:route=add-users,seconds=1,count=1000")
    make_due(job, NAME)
    folder: Path = job.cdp.folder / "hf"
    folder.mkdir()
    asked = ("scheduler", "start", "--poll", "0.2", "--health-file", "hf/h", "--log-format", "json")
    with job.cdp.start(*asked) as scheduler:
        until(job.members)
        shutil.rmtree(folder)
        job.cdp("export", "schedule", NAME, "off")
        until(lambda: last(job)["last"]["outcome"] == "done")
        scheduler.send_signal(signal.SIGTERM)
        said, errors = scheduler.communicate(timeout=60)
    assert scheduler.returncode == 0, said + errors
    told = [json.loads(line) for line in errors.splitlines()]
    warned = [line for line in told if line["event"] == "health-not-written"]
    assert [(line["level"], line["file"]) for line in warned] == [("warning", "hf/h")]
    assert job.members() == wanted(range(1000))


def test_of_several_schedulers_one_runs_what_is_due(job: Job) -> None:
    make_due(job, NAME)
    several = [job.cdp.start("scheduler", "start", "--once") for _ in range(4)]
    for each in several:
        with each:
            said, errors = each.communicate(timeout=60)
        # Who came too late finds it done (0), or being done (10).
        assert each.returncode in (0, 10), said + errors
    runs = job.cdp.json("export", "history", NAME)
    due = {run["started_at"] for run in runs}
    assert len(due) == len(runs) <= 2, "a minute may have begun meanwhile"
    assert job.members() == wanted(range(1000))
    assert len(job.uploads()) == 10


@pytest.mark.parametrize(
    "step",
    [
        "cdp_core.store.journal:Journal.attempt:after:3",
        "cdp_core.pipeline.ledger:apply:before:1",
        "cdp_core.store.ledgers:Ledgers.commit:after:1",
    ],
)
def test_a_killed_run_is_finished_by_another_scheduler(job: Job, step: str) -> None:
    make_due(job, NAME)
    killing = {"CDP_TEST_KILL": step, "PYTHONPATH": str(KILLER)}
    job.cdp("scheduler", "start", "--once", status=70, environ=killing)
    assert last(job)["last"]["outcome"] == "running"
    job.write(customers(range(100, 1100)))
    job.cdp("scheduler", "start", "--once")
    assert job.members() == wanted(range(100, 1100))
    assert last(job)["last"]["outcome"] == "done"


def test_run_all_runs_every_export_that_is_on_and_exits_with_the_worst(job: Job) -> None:
    add_broken(job)
    add_export(job.cdp, "Off")
    job.cdp("export", "schedule", "Off", "off")
    told = job.cdp.json("export", "run", "--all", status=3)
    assert [(each["export"], each.get("status"), bool(each.get("error"))) for each in told] == [
        ("Broken", None, True),
        (NAME, "committed", False),
    ]
    assert job.members() == wanted(range(1000))


def test_run_all_names_the_export_of_a_fault_once(job: Job) -> None:
    add_broken(job)
    said = job.cdp("export", "run", "--all", status=3).stderr
    (place,) = (line for line in said.splitlines() if line.strip().startswith("where:"))
    assert place.count("export") == place.count("Broken") == 1, said


@pytest.mark.parametrize(("where", "status"), [("| head -c0", 141), (">/dev/full", 3)])
def test_run_all_goes_on_when_its_results_cannot_be_written(job: Job, where: str, status: int) -> None:
    add_export(job.cdp, "Another")
    typed = f"PYTHONUNBUFFERED=1 {CDP} export run --all {where}; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", typed],
        cwd=job.cdp.folder,
        env=job.cdp.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stderr
    for name in (NAME, "Another"):
        (run,) = job.cdp.json("export", "history", name)
        assert run["status"] == "committed", done.stderr


@pytest.mark.parametrize(("outlived", "status"), [(False, 9), (True, 0)], ids=["alone", "under nohup"])
def test_a_terminal_that_is_closed_ends_a_run_as_ctrl_c_does(
    job: Job, *, outlived: bool, status: int
) -> None:
    job.simulator.fault("stall:route=add-users,seconds=2,count=1000")
    # The tests themselves may have been started under `nohup`.
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN if outlived else signal.SIG_DFL)
    try:
        running = job.cdp.start("export", "run", NAME)
    finally:
        signal.signal(signal.SIGHUP, before)
    with running:
        until(job.members)
        running.send_signal(signal.SIGHUP)
        said, errors = running.communicate(timeout=60)
    assert running.returncode == status, said + errors
    job.cdp("export", "run", NAME)
    assert job.members() == wanted(range(1000))


def test_an_export_user_who_lost_the_right_stops_the_run_and_it_says_so(job: Job) -> None:
    make_due(job, NAME)
    alter(job.cdp, "UPDATE connections SET export_user = 'somebody-who-left'")
    job.cdp("scheduler", "start", "--once", status=4)
    assert job.members() == set()
    assert "somebody-who-left" in last(job)["paused"]
