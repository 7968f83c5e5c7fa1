"""A workspace that a group of users shares: each is who they are, and may what their roles say."""

from __future__ import annotations

import json
import os
import pwd
import stat
from pathlib import Path
from typing import Any

import pytest

from cdp_core.errors import Code, InvalidFault
from cdp_core.workspace import Workspace
from cdp_snapchat.simulator import SnapchatSimulator
from main_job import Cdp, Job, customers, wanted
from second_person import CAN_BE, OTHER, as_other, shared_job

NAME = "Loyal to Snapchat"
pytestmark = CAN_BE


@pytest.fixture
def shared(cdp: Cdp, simulator: SnapchatSimulator) -> Job:
    return shared_job(cdp, simulator, role="contributor")


def test_each_runs_exports_in_turn_under_their_own_name(shared: Job) -> None:
    who: dict[str, Any] = json.loads(as_other(shared, "whoami", "--json").stdout)
    assert (who["name"], who["roles"]) == (OTHER, ["contributor"])
    ran = as_other(shared, "export", "run", NAME, "--json")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["actor"] == OTHER
    assert shared.members() == wanted(range(300))
    shared.write(customers(range(100, 400)))
    shared.cdp("export", "run", NAME)
    shared.write(customers(range(150, 400)))
    again = as_other(shared, "export", "run", NAME)
    assert again.returncode == 0, again.stderr
    assert shared.members() == wanted(range(150, 400))
    actors = {entry["actor"] for entry in shared.cdp.json("audit", "list", "--action", "export.run")}
    assert actors == {OTHER, pwd.getpwuid(os.geteuid()).pw_name}


def test_roles_still_say_what_each_may(shared: Job) -> None:
    refused = as_other(shared, "connection", "add", "snapchat", "--name", "Mine", "--set", "client_id=x")
    assert refused.returncode == 4, refused.stderr
    assert "CDP-401" in refused.stderr


def test_everything_in_it_is_the_groups_and_nobody_elses(shared: Job) -> None:
    as_other(shared, "export", "run", NAME)
    shared.cdp("export", "run", NAME)
    workspace = shared.cdp.folder / ".cdp"
    gid = pwd.getpwnam(OTHER).pw_gid
    for path in (workspace, *workspace.rglob("*")):
        found = path.stat()
        assert found.st_gid == gid, path
        assert not found.st_mode & stat.S_IRWXO, path
        if path.is_dir():
            assert stat.S_IMODE(found.st_mode) == 0o2770, path
        else:
            assert stat.S_IMODE(found.st_mode) & 0o660 == 0o660, path


def test_without_a_group_a_workspace_is_its_owners(cdp: Cdp, simulator: SnapchatSimulator) -> None:
    made = Job(cdp=cdp, simulator=simulator, profiles=cdp.folder / "profiles.parquet")
    made.write(customers(range(3)))
    cdp("init", "--profiles", "profiles.parquet", "--key", "customer_id")
    workspace = cdp.folder / ".cdp"
    assert {stat.S_IMODE(path.stat().st_mode) for path in workspace.rglob("*") if path.is_dir()} == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in workspace.rglob("*") if path.is_file()} == {0o600}


def test_a_group_that_is_not_there_is_named_and_nothing_is_made(cdp: Cdp) -> None:
    (cdp.folder / "profiles.csv").write_text("customer_id,email\n1,ann@example.org\n")
    words = ("init", "--profiles", "profiles.csv", "--key", "customer_id", "--group")
    assert "no-such-group" in cdp(*words, "no-such-group", status=3).stderr
    assert not (cdp.folder / ".cdp").exists()
    assert "keyring" in cdp(*words, OTHER, "--vault", "keyring", status=2).stderr


def test_who_may_not_read_a_workspace_is_told_so(tmp_path: Path, cdp: Cdp) -> None:
    (cdp.folder / "profiles.csv").write_text("customer_id,email\n1,ann@example.org\n")
    cdp("init", "--profiles", "profiles.csv", "--key", "customer_id")
    for folder in (tmp_path, *tmp_path.parents[:2], cdp.folder):
        folder.chmod(folder.stat().st_mode | 0o011)
    os.seteuid(pwd.getpwnam(OTHER).pw_uid)
    try:
        with pytest.raises(InvalidFault, match="permission denied") as fault:
            Workspace.open(cdp.folder / ".cdp")
    finally:
        os.seteuid(0)
    assert fault.value.code is Code.WORKSPACE_BROKEN
    assert "--group" in fault.value.hint
