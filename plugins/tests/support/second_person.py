"""A workspace that two users of this machine share, and what the other one types. Only root can be two."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from cdp_snapchat.simulator import SnapchatSimulator
from fork_server import CDP
from main_job import QUICK, Cdp, Job, add_connection, add_export, customers

OTHER = "daemon"

CAN_BE = [
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else"),
    pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv is not installed"),
]


def shared_job(cdp: Cdp, simulator: SnapchatSimulator, *, role: str) -> Job:
    """300 customers, an export, and the other person with a role."""
    made = Job(cdp=cdp, simulator=simulator, profiles=cdp.folder / "profiles.parquet")
    made.write(customers(range(300)))
    cdp("init", "--profiles", "profiles.parquet", "--key", "customer_id", "--group", OTHER)
    settings = cdp.folder / ".cdp" / "cdp.toml"
    settings.write_text(settings.read_text() + QUICK)
    cdp("segment", "add", "Loyal customers", "--where", "lifetime_value > 500")
    add_connection(cdp, simulator, "--share-with", "contributor")
    cdp.sign_in("Snapchat EU")
    add_export(cdp)
    cdp("role", "grant", OTHER, role)
    return made


def as_other(job: Job, *words: str) -> subprocess.CompletedProcess[str]:
    """Type a command as the other user, who may read whatever this interpreter's files are made of, and write
    only where the group may."""
    capability = "-all,+dac_read_search"
    return subprocess.run(
        [
            *("setpriv", f"--reuid={OTHER}", f"--regid={OTHER}", "--clear-groups"),
            *(f"--inh-caps={capability}", f"--ambient-caps={capability}", f"--bounding-set={capability}"),
            *(str(CDP), *words),
        ],
        cwd=job.cdp.folder,
        env=job.cdp.environ | {"HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
