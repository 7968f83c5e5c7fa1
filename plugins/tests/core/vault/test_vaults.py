"""The two vaults: what they keep, what opens them, and which one a workspace gets."""

from __future__ import annotations

import base64
import os
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail
from keyring.errors import KeyringLocked, PasswordDeleteError

from cdp_core.errors import Code, InvalidFault
from cdp_core.model.configuration import ProfileSource
from cdp_core.model.secret import Secret
from cdp_core.vault import keyring_vault
from cdp_core.vault.file_vault import FileVault
from cdp_core.vault.keyring_vault import KeyringVault, usable_keyring
from cdp_core.vault.vault import open_vault, preferred_vault
from cdp_core.workspace import Workspace, WorkspaceSettings

TOKEN = Secret("tok-Ünïcode-1234567890")


def locked(vault: FileVault, name: str) -> InvalidFault:
    with pytest.raises(InvalidFault) as caught:
        vault.get(name)
    assert caught.value.code is Code.VAULT_LOCKED
    return caught.value


@pytest.fixture(params=[{}, {"CDP_VAULT_KEY": "correct horse"}], ids=["key file", "key variable"])
def environ(request: pytest.FixtureRequest) -> dict[str, str]:
    return dict(request.param)


def test_what_is_put_is_got_by_any_later_process_and_never_lies_in_the_clear(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    FileVault(tmp_path / "v", environ).put("token/1", TOKEN)
    assert FileVault(tmp_path / "v", environ).get("token/1") == TOKEN
    assert FileVault(tmp_path / "v", environ).get("token/2") is None
    for path in (tmp_path / "v").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert b"tok-" not in path.read_bytes()
        assert "token" not in path.name


def test_the_newest_value_counts_and_a_deleted_one_is_gone(tmp_path: Path, environ: dict[str, str]) -> None:
    vault = FileVault(tmp_path / "v", environ)
    vault.put("token/1", Secret("old"))
    vault.put("token/1", TOKEN)
    assert vault.get("token/1") == TOKEN
    vault.delete("token/1")
    vault.delete("token/1")
    assert vault.get("token/1") is None


def test_a_wrong_passphrase_locks_the_vault_and_says_so(tmp_path: Path) -> None:
    FileVault(tmp_path / "v", {"CDP_VAULT_KEY": "right"}).put("t", TOKEN)
    assert (
        "CDP_VAULT_KEY is not the one"
        in locked(FileVault(tmp_path / "v", {"CDP_VAULT_KEY": "x"}), "t").message
    )
    assert "CDP_VAULT_KEY, which is not set" in locked(FileVault(tmp_path / "v", {}), "t").message


def test_a_lost_key_file_locks_the_vault_and_is_not_made_anew_over_what_it_opens(tmp_path: Path) -> None:
    vault = FileVault(tmp_path / "v", {})
    vault.put("t", TOKEN)
    key = (tmp_path / "v" / "key").read_bytes()
    (tmp_path / "v" / "key").unlink()
    assert "key file is gone" in locked(vault, "t").message
    with pytest.raises(InvalidFault, match="key file is gone"):
        vault.put("other", TOKEN)
    (tmp_path / "v" / "key").write_bytes(key)
    (tmp_path / "v" / "key").chmod(0o600)
    assert vault.get("t") == TOKEN


@pytest.mark.parametrize("key", [base64.b64encode(bytes(32)), b"short", b""])
def test_another_key_file_does_not_open_it(tmp_path: Path, key: bytes) -> None:
    vault = FileVault(tmp_path / "v", {})
    vault.put("t", TOKEN)
    (tmp_path / "v" / "key").write_bytes(key)
    assert "key file" in locked(vault, "t").message


def test_a_passphrase_can_be_introduced_later_and_both_kinds_are_read(tmp_path: Path) -> None:
    FileVault(tmp_path / "v", {}).put("old", TOKEN)
    vault = FileVault(tmp_path / "v", {"CDP_VAULT_KEY": "new"})
    vault.put("new", Secret("other"))
    assert (vault.get("old"), vault.get("new")) == (TOKEN, Secret("other"))


@pytest.mark.parametrize("damage", [b"", b"garbage", b"cdp-vault-1 Kshort"])
def test_a_damaged_file_locks_only_itself(tmp_path: Path, damage: bytes) -> None:
    vault = FileVault(tmp_path / "v", {})
    vault.put("a", TOKEN)
    only = next((tmp_path / "v").glob("*.secret"))
    vault.put("b", TOKEN)
    only.write_bytes(damage)
    assert "damaged" in locked(vault, "a").message
    assert vault.get("b") == TOKEN


def test_a_file_put_in_anothers_place_does_not_open(tmp_path: Path) -> None:
    vault = FileVault(tmp_path / "v", {})
    vault.put("mine", TOKEN)
    mine = next((tmp_path / "v").glob("*.secret"))
    content = mine.read_bytes()
    vault.put("theirs", Secret("other"))
    theirs = next(path for path in (tmp_path / "v").glob("*.secret") if path != mine)
    theirs.write_bytes(content)
    locked(vault, "theirs")


@pytest.mark.parametrize("name", ["key", "*.secret", "."])
def test_what_others_could_read_is_refused_with_the_command_that_mends_it(tmp_path: Path, name: str) -> None:
    FileVault(tmp_path / "v", {}).put("t", TOKEN)
    path = next((tmp_path / "v").glob(name)) if name != "." else tmp_path / "v"
    path.chmod(0o755 if name == "." else 0o644)
    with pytest.raises(InvalidFault) as caught:
        FileVault(tmp_path / "v", {}).get("t")
    assert caught.value.hint == f"chmod {'700' if name == '.' else '600'} {path}"


WRITER = """
import sys, time
from pathlib import Path
from cdp_core.model.secret import Secret
from cdp_core.vault.file_vault import FileVault
while time.time() < float(sys.argv[3]):
    pass
vault = FileVault(Path(sys.argv[1]), {})
for _ in range(20):
    vault.put(sys.argv[2], Secret("of " + sys.argv[2]))
    assert vault.get("shared") in (None, Secret("of shared"))
    vault.put("shared", Secret("of shared"))
"""


def test_processes_that_make_the_vault_at_once_agree_on_one_key(tmp_path: Path) -> None:
    names = ["a", "b", "c"]
    start = str(time.time() + 3)
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path / "v"), name, start]) for name in names
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    vault = FileVault(tmp_path / "v", {})
    assert [vault.get(name) for name in names] == [Secret(f"of {name}") for name in names]


class MemoryKeyring(KeyringBackend):
    """A keyring that remembers for the time of a test; `locked` makes it refuse."""

    priority = 5

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.entries: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise KeyringLocked("dismissed")
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.entries.pop((service, username), None) is None:
            raise PasswordDeleteError("not there")


def no_keyring() -> KeyringBackend:
    return fail.Keyring()  # type: ignore[no-untyped-call]


@pytest.fixture
def memory() -> Iterator[MemoryKeyring]:
    before = keyring.get_keyring()
    backend = MemoryKeyring()
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)


def test_a_keyring_keeps_each_workspaces_secrets_apart(memory: MemoryKeyring) -> None:
    mine, theirs = KeyringVault("cdp /a"), KeyringVault("cdp /b")
    mine.put("t", TOKEN)
    assert mine.get("t") == TOKEN
    assert theirs.get("t") is None
    theirs.delete("t")
    mine.delete("t")
    assert memory.entries == {}


def test_a_locked_keyring_is_a_fault_with_a_way_out(memory: MemoryKeyring) -> None:
    memory.locked = True
    with pytest.raises(InvalidFault) as caught:
        KeyringVault("cdp /a").get("t")
    assert caught.value.code is Code.VAULT_LOCKED
    assert "unlock it" in caught.value.hint


def test_only_a_recommended_keyring_that_answers_is_usable(
    memory: MemoryKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert usable_keyring()
    monkeypatch.setattr(MemoryKeyring, "priority", 0.5)
    assert not usable_keyring()
    keyring.set_keyring(no_keyring())
    assert not usable_keyring()


def test_a_keyring_that_cannot_be_loaded_is_not_usable(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> KeyringBackend:
        raise ImportError("no such backend")

    monkeypatch.setattr(keyring, "get_keyring", broken)
    assert not usable_keyring()


def test_a_session_bus_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = threading.Event()

    def hang() -> KeyringBackend:
        answer.wait(30)
        return no_keyring()

    monkeypatch.setattr(keyring, "get_keyring", hang)
    monkeypatch.setattr(keyring_vault, "_PATIENCE", 0.05)
    began = time.monotonic()
    assert not usable_keyring()
    assert time.monotonic() - began < 5
    answer.set()


def test_the_environment_decides_the_vault_of_a_new_workspace(memory: MemoryKeyring) -> None:
    assert preferred_vault({}) == "keyring"
    assert preferred_vault({"CDP_VAULT": "file"}) == "file"
    keyring.set_keyring(no_keyring())
    assert preferred_vault({}) == "file"
    assert preferred_vault({"CDP_VAULT": "keyring"}) == "keyring"
    with pytest.raises(InvalidFault, match="'shoebox'"):
        preferred_vault({"CDP_VAULT": "shoebox"})


def test_a_workspace_opens_the_vault_that_its_settings_name(tmp_path: Path, memory: MemoryKeyring) -> None:
    source = ProfileSource(url="/p.parquet", key="id")
    for kind in ("file", "keyring"):
        settings = WorkspaceSettings(profiles=source, vault=kind)
        workspace = Workspace.create(tmp_path / kind, settings)
        vault = open_vault(workspace, os.environ)
        vault.put("t", TOKEN)
        assert vault.get("t") == TOKEN
        assert bool(list(workspace.vault_folder.iterdir())) == (kind == "file")
    assert list(memory.entries) == [(f"cdp {tmp_path}/keyring", "t")]
