"""A workspace is backed up while it is at work, and brought back elsewhere; the next runs converge."""

from __future__ import annotations

import io
import json
import shutil
import sqlite3
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from cdp_core.runner.backup import MANIFEST
from cdp_snapchat.simulator import SnapchatSimulator
from main_job import Cdp, Job, customers, job_in, wanted
from postgres_server import Postgres
from scheduled import until
from shared_state import PHRASE, elsewhere, sharing

# It is the state in a file that is backed up here; one in PostgreSQL has a test of its own.
pytestmark = pytest.mark.state_in_a_file

NAME = "Loyal to Snapchat"
RAW = b"person5@example.org"


def backed_up(job: Job, *words: str) -> Path:
    file = job.cdp.folder / "crm.backup"
    job.cdp("workspace", "backup", str(file), *words)
    return file


def restore(job: Job, file: Path) -> Path:
    """The workspace brought back, with the key of the old one's vault."""
    folder = job.cdp.folder / "restored"
    job.cdp("workspace", "restore", str(file), str(folder), "--vault-key", ".cdp/vault/key")
    return folder


def test_a_workspace_comes_back_and_its_next_run_converges(job: Job) -> None:
    job.cdp("segment", "add", "Christmas", "--where", "lifetime_value > 500", "--static")
    job.cdp("export", "run", NAME)
    file = backed_up(job)
    assert file.stat().st_mode & 0o777 == 0o600
    assert RAW not in file.read_bytes().lower()
    # After the backup c0 to c99 leave and are taken out.
    job.write(customers(range(100, 1000)))
    job.cdp("export", "run", NAME)
    assert job.members() == wanted(range(100, 1000))
    folder = restore(job, file)
    there = ("--workspace", str(folder))
    assert job.cdp.json(*there, "audit", "verify")["ok"] is True
    assert any(each["action"] == "workspace.restore" for each in job.cdp.json(*there, "audit", "list"))
    # c100 to c199 leave, and c1000 to c1099 come.
    job.write(customers(range(200, 1100)))
    counts = job.cdp.json(*there, "export", "run", NAME)["kinds"]["EMAIL"]
    # What was in the backup's ledger is perhaps there: sent again, or taken out.
    assert (counts["added"], counts["removed"]) == (900, 200)
    assert job.members() == wanted(range(200, 1100))
    assert job.cdp.json(*there, "export", "run", NAME)["kinds"]["EMAIL"]["unchanged"] == 900
    assert job.cdp.json(*there, "segment", "show", "Christmas")["members"] == 800
    assert job.cdp.json(*there, "doctor")


def test_receipts_of_erasures_come_along_and_later_ones_are_asked_for_again(job: Job) -> None:
    job.cdp("export", "run", NAME)
    job.cdp("erase", "--yes", stdin="person7@example.org\n")
    file = backed_up(job)
    said = job.cdp("workspace", "restore", str(file), "restored").stdout
    assert "erasures are those of then: repeat what has changed, before any run" in said
    there = ("--workspace", "restored")
    assert job.cdp.json(*there, "erase", "list") == job.cdp.json("erase", "list")
    assert job.cdp.json(*there, "suppress", "list") == job.cdp.json("suppress", "list")


def test_one_is_made_while_a_run_delivers(job: Job) -> None:
    job.simulator.fault("stall:route=add-users,seconds=2,count=1000")
    running = job.cdp.start("export", "run", NAME)
    until(job.members)
    file = backed_up(job)
    job.simulator.clear_faults()
    said = running.communicate(timeout=120)
    assert running.returncode == 0, said
    assert job.members() == wanted(range(1000))
    folder = restore(job, file)
    job.write(customers(range(500, 1100)))
    run = job.cdp.json("--workspace", str(folder), "export", "run", NAME, "--allow-shrink")
    assert run["resumed_from"] is not None
    # Whom the run had journaled by then is settled; whom it sent afterwards the backup knows nothing of.
    left = job.members() - wanted(range(500, 1100))
    assert left <= wanted(range(500))
    assert wanted(range(500, 1100)) <= job.members()
    job.cdp("--workspace", str(folder), "export", "edit", NAME, "--mode", "replace")
    job.cdp("--workspace", str(folder), "export", "run", NAME, "--yes")
    assert job.members() == wanted(range(500, 1100))


def test_a_file_is_looked_at_without_restoring(job: Job) -> None:
    file = backed_up(job)
    said = job.cdp("workspace", "restore", str(file), "--dry-run")
    assert "The file is whole" in said.stdout
    again = job.cdp("workspace", "backup", str(file), status=2).stderr
    assert "CDP-204" in again
    job.cdp("workspace", "backup", str(file), "--yes")
    refused = job.cdp("workspace", "restore", str(file), ".cdp", status=3).stderr
    assert "there is a workspace here already" in refused


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def flipped(content: bytes) -> bytes:
    """One bit of what is in its middle."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def with_entries(change: Callable[[list[tuple[tarfile.TarInfo, bytes]]], None]) -> Callable[[bytes], bytes]:
    def changed(content: bytes) -> bytes:
        with tarfile.open(fileobj=io.BytesIO(content)) as tar:
            entries = [(each, tar.extractfile(each).read()) for each in tar]  # type: ignore[union-attr]
        change(entries)
        into = io.BytesIO()
        with tarfile.open(fileobj=into, mode="w") as tar:
            for entry, inner in entries:
                entry.size = len(inner)
                tar.addfile(entry, io.BytesIO(inner))
        return into.getvalue()

    return changed


def rename(entries: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    """A part that would lie outside, in the list of parts too."""
    info, inner = entries[-1]
    manifest = json.loads(entries[0][1])
    for part in manifest["parts"]:
        if part["name"] == info.name:
            part["name"] = "ledger/../../escaped"
    info.name = "ledger/../../escaped"
    entries[0] = entries[0][0], json.dumps(manifest).encode()
    entries[-1] = info, inner


def link(entries: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    info, _ = entries[-1]
    info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
    entries[-1] = info, b""


def lose(entries: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    entries.pop()


@pytest.mark.parametrize(
    "spoil",
    [cut, flipped, lambda _: b"no backup", with_entries(rename), with_entries(link), with_entries(lose)],
    ids=["cut", "flipped", "nothing", "outside", "link", "lost"],
)
def test_what_is_no_whole_backup_restores_nothing(job: Job, spoil: Callable[[bytes], bytes]) -> None:
    job.cdp("export", "run", NAME)
    file = backed_up(job)
    file.write_bytes(spoil(file.read_bytes()))
    told = job.cdp("workspace", "restore", str(file), "restored", status=3).stderr
    assert "error CDP-303: the file is no whole backup: " in told
    assert not (job.cdp.folder / "restored").exists()
    assert not list(job.cdp.folder.rglob("escaped"))
    assert not [path for path in job.cdp.folder.iterdir() if path.name.startswith(".restored")]


def test_the_list_of_parts_comes_first(job: Job) -> None:
    with tarfile.open(backed_up(job)) as tar:
        names = tar.getnames()
    assert names[0] == MANIFEST
    assert {"cdp.toml", "state.db"} <= set(names)
    assert "vault/key" not in names


def test_without_the_vaults_key_one_signs_in_again(job: Job) -> None:
    file = backed_up(job)
    said = job.cdp("workspace", "restore", str(file), "restored").stdout
    assert "cdp connection authenticate NAME signs in again" in said


def test_a_key_that_opens_nothing_is_refused(job: Job) -> None:
    file = backed_up(job)
    wrong = job.cdp.folder / "wrong"
    wrong.write_bytes(b"x" * 44)
    words = ("workspace", "restore", str(file), "restored", "--vault-key")
    told = job.cdp(*words, str(wrong), status=3).stderr
    assert "error CDP-318: the secrets in the backup do not open" in told
    assert f"where: {wrong}" in told
    assert not (job.cdp.folder / "restored").exists()
    assert "signs in again" not in job.cdp(*words, ".cdp/vault/key").stdout


def test_secrets_that_only_the_environment_opens_are_said_to_be_missing_without_it(
    cdp: Cdp, simulator: SnapchatSimulator
) -> None:
    cdp.environ["CDP_VAULT_KEY"] = PHRASE
    job = job_in(cdp, simulator)
    file = backed_up(job)
    assert "signs in again" not in cdp("workspace", "restore", str(file), "with").stdout
    del cdp.environ["CDP_VAULT_KEY"]
    assert "signs in again" in cdp("workspace", "restore", str(file), "without").stdout


@pytest.mark.parametrize("place", ["state.db", "cdp.toml", "vault/key", "new.backup"])
def test_it_is_never_written_over_the_workspace_itself(job: Job, place: str) -> None:
    inside = job.cdp.folder / ".cdp" / place
    before = inside.read_bytes() if inside.exists() else None
    told = job.cdp("workspace", "backup", str(inside), "--yes", status=2).stderr
    assert "a backup lies outside of the workspace" in told
    if place != "state.db":
        assert (inside.read_bytes() if inside.exists() else None) == before
    assert job.cdp.json("export", "list")


@pytest.mark.parametrize("variable", ["CDP_STATE_URL", "CDP_LEDGER_URL"])
def test_nothing_is_brought_back_to_where_the_environment_leads(job: Job, variable: str) -> None:
    file = backed_up(job)
    there = {variable: "postgresql://nobody@127.0.0.1:1/crm"}
    told = job.cdp("workspace", "restore", str(file), "restored", status=2, environ=there).stderr
    assert f"{variable} is set" in told
    assert not (job.cdp.folder / "restored").exists()


def test_a_lost_result_of_a_static_segment_is_said(job: Job) -> None:
    job.cdp("segment", "add", "Christmas", "--where", "lifetime_value > 500", "--static")
    shutil.rmtree(job.cdp.folder / ".cdp" / "segments")
    said = job.cdp("workspace", "backup", "crm.backup").stdout
    assert "Results of static segments that were gone before, and are not in it: 1;" in said
    assert job.cdp.json("workspace", "restore", "crm.backup", "--dry-run")["lost_results"] == 1


def test_a_lost_ledger_file_is_said_and_nothing_is_written(job: Job) -> None:
    job.cdp("export", "run", NAME)
    shutil.rmtree(job.cdp.folder / ".cdp" / "ledger")
    job.cdp("workspace", "backup", "crm.backup", status=7)
    assert not [path for path in job.cdp.folder.iterdir() if "crm.backup" in path.name]


def test_it_is_an_administrators(job: Job) -> None:
    job.cdp("role", "grant", "con", "contributor")
    job.cdp("--as", "con", "workspace", "backup", "crm.backup", status=4)
    file = backed_up(job)
    job.cdp("--as", "con", "workspace", "restore", str(file), "restored", status=2)


def test_a_state_in_postgresql_comes_back_in_a_file(
    cdp: Cdp, simulator: SnapchatSimulator, postgres: Postgres
) -> None:
    job = job_in(sharing(cdp, postgres), simulator)
    job.cdp("suppress", "add", stdin="person7@example.org\n")
    job.cdp("export", "run", NAME)
    file = job.cdp.folder / "crm.backup"
    said = job.cdp("workspace", "backup", str(file)).stdout
    assert "CDP_VAULT_KEY, which opens them, is not" in said
    alone = elsewhere(job.cdp)
    alone("workspace", "restore", str(file), "restored")
    there = ("--workspace", "restored")
    assert alone.json(*there, "audit", "verify")["ok"] is True
    assert len(alone.json(*there, "suppress", "list")["newest"]) == 1
    job.write(customers(range(100, 1100)))
    counts = alone.json(*there, "export", "plan", NAME)["kinds"]["EMAIL"]
    # c7 was suppressed from the beginning, and so is not among those who are perhaps there.
    assert (counts["added"], counts["removed"]) == (1000, 99)


def test_what_is_sealed_in_a_shared_state_comes_along_and_opens_an_encrypted_ledger(
    cdp: Cdp, simulator: SnapchatSimulator, postgres: Postgres
) -> None:
    job = job_in(sharing(cdp, postgres), simulator)
    job.cdp("ledger", "encrypt")
    job.cdp("export", "run", NAME)
    file = job.cdp.folder / "crm.backup"
    job.cdp("workspace", "backup", str(file))
    alone = elsewhere(job.cdp)
    words = ("workspace", "restore", str(file), "restored")
    for key in ("", "another"):
        told = alone(*words, status=3, environ={"CDP_VAULT_KEY": key}).stderr
        assert "CDP-318" in told
        assert ("set CDP_VAULT_KEY to what it was" in told) is (not key)
        assert not (job.cdp.folder / "restored").exists()
    assert "signs in again" not in alone(*words).stdout
    job.write(customers(range(100, 1100)))
    counts = alone.json("--workspace", "restored", "export", "run", NAME)["kinds"]["EMAIL"]
    assert (counts["added"], counts["removed"]) == (1000, 100)
    assert job.members() == wanted(range(100, 1100))
    # Nothing is left of the key that another server's state need not have.
    with sqlite3.connect(job.cdp.folder / "restored" / "state.db") as state:
        assert state.execute("SELECT count(*) FROM secrets").fetchone() == (0,)
        assert state.execute("SELECT count(*) FROM vault_key").fetchone() == (0,)
