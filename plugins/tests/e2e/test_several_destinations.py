"""One refresh runs exports to Snapchat, to a webhook and to files beside each other; one that fails stops no
other, and the history says which."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from acme_service import AUDIENCE, SETTINGS, Acme, acme_service
from file_jobs import FilesJob, add_files
from main_job import Job, wanted
from scheduled import last, until, waited

NAMES = ("Loyal to Snapchat", "Loyal to Acme", "Loyal to files")


@pytest.fixture
def acme() -> Iterator[Acme]:
    with acme_service() as running:
        yield running


@pytest.fixture
def three(job: Job, acme: Acme) -> FilesJob:
    """All three on the refresh, which was due a minute ago."""
    words = ["connection", "add", "webhook", "--name", "Acme", "--set", f"api_url={acme.url}", "--agree"]
    for name, value in SETTINGS.items():
        words += ["--set", f"{name}={value}"]
    job.cdp(*words)
    job.cdp(
        *("export", "add", "Loyal to Acme", "--connection", "Acme", "--set", f"audience_id={AUDIENCE}"),
        *("--set", "batch_size=100", "--match", "EMAIL=email", "--segment", "Loyal customers"),
    )
    folder = job.cdp.folder / "exports"
    folder.mkdir()
    add_files(job.cdp, folder.as_uri())
    for connection in ("Acme", "Files"):
        job.cdp("connection", "authenticate", connection)
    job.cdp("schedule", "set", "--cron", "* * * * *", "--timezone", "UTC")
    waited(job)
    return FilesJob(cdp=job.cdp, folder=folder)


def outcomes(job: Job) -> dict[str, str]:
    return {name: last(job, name)["last"]["outcome"] for name in NAMES}


def test_one_refresh_fills_all_three(job: Job, acme: Acme, three: FilesJob) -> None:
    job.cdp("scheduler", "start", "--once")
    everybody = wanted(range(1000))
    assert (job.members(), acme.held(), three.held()) == (everybody, everybody, everybody)
    assert set(outcomes(job).values()) == {"done"}


@pytest.mark.parametrize("failing", NAMES)
def test_one_that_fails_stops_no_other(job: Job, acme: Acme, three: FilesJob, failing: str) -> None:
    if failing == "Loyal to Snapchat":
        job.simulator.fault("status:route=get-segment,status=403,count=1000")
    elif failing == "Loyal to Acme":
        acme.members.clear()
    else:
        three.folder.rmdir()
    status = 6 if failing == "Loyal to Snapchat" else 3
    job.cdp("scheduler", "start", "--once", status=status)
    everybody = wanted(range(1000))
    held = {
        "Loyal to Snapchat": job.members(),
        "Loyal to Acme": {bytes.fromhex(each) for each in acme.members.get(AUDIENCE, set())},
        "Loyal to files": three.held(),
    }
    assert held == {name: set() if name == failing else everybody for name in NAMES}
    assert outcomes(job) == {name: "failed" if name == failing else "done" for name in NAMES}
    (run,) = job.cdp.json("export", "history", failing)
    assert run["status"] == "failed"
    assert last(job, failing)["paused"]
    # By hand the worst of all is the command's status, too.
    told = job.cdp.json("export", "run", "--all", status=status)
    assert [each["export"] for each in told if each.get("error")] == [failing]


def test_they_are_under_way_at_the_same_time(job: Job, acme: Acme, three: FilesJob) -> None:
    acme.fault("stall:route=show,seconds=4,count=1")
    with job.cdp.start("scheduler", "start", "--once") as scheduler:
        until(lambda: job.members() and three.held())
        assert acme.held() == set()
        said, errors = scheduler.communicate(timeout=60)
    assert scheduler.returncode == 0, said + errors
    assert acme.held() == wanted(range(1000))
