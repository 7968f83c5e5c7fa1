"""Ledger and plans on an SFTP server: what differs from an object store."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cdp_snapchat.simulator import SnapchatSimulator
from main_job import Cdp, Job, cdp_in, customers, job_in, wanted
from sftp_server import Sftp, sftp  # noqa: F401 - a fixture

NAME = "Loyal to Snapchat"


@pytest.fixture
def job(cdp: Cdp, simulator: SnapchatSimulator, sftp: Sftp) -> Job:  # noqa: F811
    made = job_in(cdp, simulator)
    options = [word for name, value in sftp.options.items() for word in ("--option", f"{name}={value}")]
    cdp("ledger", "move", "--to", sftp.url, *options)
    return made


def files(sftp: Sftp, below: str) -> list[Path]:  # noqa: F811
    return [path for path in (sftp.folder / "ledgers/of the team" / below).rglob("*") if path.is_file()]


def test_the_main_job(job: Job, sftp: Sftp) -> None:  # noqa: F811
    job.cdp("export", "run", NAME)
    assert len(files(sftp, "ledger")) == 1
    workspace = job.cdp.folder / ".cdp"
    for name in ("ledger", "plans"):
        shutil.rmtree(workspace / name)
    job.write(customers(range(100, 1100)))
    counts = job.cdp.json("export", "run", NAME)["kinds"]["EMAIL"]
    assert (counts["added"], counts["removed"], counts["unchanged"]) == (100, 100, 900)
    assert job.members() == wanted(range(100, 1100))
    job.cdp("doctor")
    (base, *_) = files(sftp, "ledger")
    base.write_bytes(b"PAR1")
    assert "CDP-702" in job.cdp("export", "run", NAME, status=7).stderr
    assert job.cdp.json("ledger", "rebuild", NAME)["after"] == 1000
    assert files(sftp, "ledger-aside")
    assert job.cdp.json("export", "run", NAME)["kinds"]["EMAIL"]["unchanged"] == 1000


def test_a_server_that_is_not_the_known_one_is_not_talked_to(job: Job, sftp: Sftp) -> None:  # noqa: F811
    job.cdp("export", "run", NAME)
    sftp.known_hosts.write_text("")
    stopped = job.cdp("export", "run", NAME, status=3).stderr
    assert "CDP-340" in stopped
    assert "ssh-keyscan" in stopped
    other = sftp.key.with_suffix(".pub").read_text()
    sftp.known_hosts.write_text(f"[127.0.0.1]:{sftp.port} {other}")
    assert "host key is not the known one" in job.cdp("export", "run", NAME, status=3).stderr


def test_a_key_that_is_not_let_in_is_said(job: Job, sftp: Sftp) -> None:  # noqa: F811
    shutil.copy(sftp.known_hosts.with_name("host_key"), sftp.key)
    stopped = job.cdp("export", "run", NAME, status=3).stderr
    assert "CDP-340" in stopped
    assert "no credentials" in stopped


def test_a_server_that_went_away_is_a_fault_for_a_while(tmp_path: Path, simulator: SnapchatSimulator) -> None:
    from sftp_server import sftp_server

    cdp = cdp_in(tmp_path)
    made = job_in(cdp, simulator)
    with sftp_server(tmp_path / "away") as gone:
        options = [word for name, value in gone.options.items() for word in ("--option", f"{name}={value}")]
        cdp("ledger", "move", "--to", gone.url, *options)
    assert "CDP-910" in cdp("export", "run", NAME, status=9).stderr
    assert made.members() == set()
