"""One refresh of an installation that a plugin from outside was added to: Snapchat, a webhook, files and a
mailing list are filled beside each other, each with an answer of its own."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from acme_service import AUDIENCE, SETTINGS, Acme, acme_service
from cdp_snapchat.simulator import SnapchatSimulator
from file_jobs import FilesJob, add_files
from main_job import Cdp, Job, customers, job_in, wanted
from outside import Outside, OutsideCdp, mailer, simulated
from scheduled import last, waited

NAMES = ("Loyal to Snapchat", "Loyal to Acme", "Loyal to files", "Loyal to Mailer")
EVERY = 50
EVERYBODY = wanted(range(1000))


def refused(digests: Iterable[bytes]) -> set[bytes]:
    """By the service's own rule: the digest, as a number, decides."""
    return {digest for digest in digests if int.from_bytes(digest, "big") % EVERY == 0}


REFUSED = refused(EVERYBODY)

__all__ = ["mailer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Four:
    """The four exports set up, all on the refresh, which was due a minute ago."""

    job: Job
    acme: Acme
    files: FilesJob
    mailer_url: str

    def held(self) -> dict[str, set[bytes]]:
        listed = self._asked("state")["newsletter"]["subscribers"]
        found = (self.job.members(), self.acme.held(), self.files.held(), set(map(bytes.fromhex, listed)))
        return dict(zip(NAMES, found, strict=True))

    def outcomes(self) -> dict[str, str]:
        return {name: last(self.job, name)["last"]["outcome"] for name in NAMES}

    def fault(self, **fault: Any) -> None:
        """What the mailing list's service meets from now on."""
        self._asked("faults", fault)

    def mend(self) -> None:
        self._asked("faults", method="DELETE")

    def _asked(self, path: str, content: Any = None, *, method: str | None = None) -> Any:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        request = urllib.request.Request(
            f"{self.mailer_url}/__simulator/{path}",
            data=None if content is None else json.dumps(content).encode(),
            headers={} if content is None else {"Content-Type": "application/json"},
            method=method,
        )
        with opener.open(request, timeout=20) as answer:
            return json.load(answer)


@pytest.fixture
def four(cdp: Cdp, mailer: Outside, simulator: SnapchatSimulator) -> Iterator[Four]:
    outside = OutsideCdp(folder=cdp.folder, environ=cdp.environ, program=mailer.bin / "cdp")
    simulate = ("mailer", "--refuse-every", str(EVERY), "--no-rate-limit")
    with acme_service() as acme, simulated(outside.program, *simulate) as url:
        # What the plugin has no part in is typed in the tests' own environment, which is quicker.
        job = job_in(cdp, simulator)
        folder = cdp.folder / "exports"
        folder.mkdir()
        add_acme(cdp, acme)
        add_files(cdp, folder.as_uri())
        for connection in ("Acme", "Files"):
            cdp("connection", "authenticate", connection)
        add_mailer(outside, url)
        cdp("schedule", "set", "--cron", "* * * * *", "--timezone", "UTC")
        waited(job)
        job.cdp = outside
        yield Four(job=job, acme=acme, files=FilesJob(cdp=cdp, folder=folder), mailer_url=url)


def add_acme(cdp: Cdp, acme: Acme) -> None:
    words = ["connection", "add", "webhook", "--name", "Acme", "--set", f"api_url={acme.url}", "--agree"]
    for name, value in SETTINGS.items():
        words += ["--set", f"{name}={value}"]
    cdp(*words)
    cdp(
        *("export", "add", "Loyal to Acme", "--connection", "Acme", "--set", f"audience_id={AUDIENCE}"),
        *("--set", "batch_size=100", "--match", "EMAIL=email", "--segment", "Loyal customers"),
    )


def add_mailer(cdp: Cdp, url: str) -> None:
    cdp.environ["MAILER_KEY"] = "demo-key"
    cdp(
        *("connection", "add", "mailer", "--name", "Mailer", "--set", f"api_url={url}", "--agree"),
        *("--secret", "api_key=env:MAILER_KEY"),
    )
    cdp(
        *("export", "add", "Loyal to Mailer", "--connection", "Mailer", "--set", "list_id=newsletter"),
        *("--set", "batch_size=200", "--match", "EMAIL=email", "--segment", "Loyal customers"),
    )
    cdp("connection", "authenticate", "Mailer")


def test_one_refresh_fills_all_four_and_names_whom_one_of_them_refused(four: Four, tmp_path: Path) -> None:
    assert len(REFUSED) > 5
    four.job.cdp("scheduler", "start", "--once", status=8)
    assert four.held() == {**dict.fromkeys(NAMES, EVERYBODY), "Loyal to Mailer": EVERYBODY - REFUSED}
    assert set(four.outcomes().values()) == {"done"}
    (run,) = four.job.cdp.json("export", "history", "Loyal to Mailer")
    shown = four.job.cdp.json("export", "show-run", run["run"])
    assert shown["delivered"]["accepted"] == 1000 - len(REFUSED)
    assert shown["delivered"]["dead_letters"] == len(REFUSED)
    four.job.cdp("export", "rejected", run["run"], "--output", str(tmp_path / "rejected.csv"))
    told = (tmp_path / "rejected.csv").read_text()
    assert {digest for digest in EVERYBODY if digest.hex() in told} == REFUSED
    assert told.count("hard bounce") == len(REFUSED)


def test_one_that_fails_stops_no_other_whichever_it_is(four: Four) -> None:
    four.acme.fault("status:route=add,status=403,count=all")
    four.job.cdp("scheduler", "start", "--once", status=6)
    assert four.held() == {
        "Loyal to Snapchat": EVERYBODY,
        "Loyal to Acme": set(),
        "Loyal to files": EVERYBODY,
        "Loyal to Mailer": EVERYBODY - REFUSED,
    }
    assert four.outcomes() == {**dict.fromkeys(NAMES, "done"), "Loyal to Acme": "failed"}
    four.acme.mend()
    four.fault(name="status", status=403, route="subscribers", count=None)
    four.job.write(customers(range(100, 1100)))
    later = wanted(range(100, 1100))
    told = four.job.cdp.json("export", "run", "--all", status=6)
    assert [each["export"] for each in told if each.get("error")] == ["Loyal to Mailer"]
    assert four.held() == {**dict.fromkeys(NAMES, later), "Loyal to Mailer": EVERYBODY - REFUSED}
    four.mend()
    four.job.cdp("export", "run", "--all", status=8)
    assert four.held() == {**dict.fromkeys(NAMES, later), "Loyal to Mailer": later - refused(later)}
