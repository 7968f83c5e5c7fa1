"""Finding, making and opening a workspace, with real folders."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cdp_core.errors import Code, InvalidFault
from cdp_core.model.configuration import ProfileSource
from cdp_core.model.delivery import Patience
from cdp_core.workspace.settings import WorkspaceSettings
from cdp_core.workspace.workspace import Workspace

SETTINGS = WorkspaceSettings(
    profiles=ProfileSource(url="/data/my profiles.parquet", key="customer_id"), vault="file"
)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(params=[0o000, 0o022, 0o777])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def test_a_new_workspace_is_its_owners_alone_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    workspace = Workspace.create(tmp_path / "here", SETTINGS)
    assert mode(workspace.folder) == 0o700
    assert mode(workspace.settings_path) == 0o600
    for folder in (
        workspace.ledger_folder,
        workspace.plans_folder,
        workspace.vault_folder,
        workspace.scratch_folder,
    ):
        assert mode(folder) == 0o700


def test_what_was_created_is_what_is_opened(tmp_path: Path) -> None:
    settings = WorkspaceSettings(
        profiles=ProfileSource(url="/data/p.csv", key='odd "key"', options={"delimiter": ";"}),
        vault="keyring",
        memory_limit=400_000_000,
        local_normalising=False,
        disabled_plugins=("acme", "broken"),
        patience=Patience(attempts=3, first_wait=0.5),
    )
    Workspace.create(tmp_path / "w", settings)
    assert Workspace.open(tmp_path / "w").settings == settings
    assert 'memory_limit = "400MB"' in (tmp_path / "w" / "cdp.toml").read_text()


def test_a_second_workspace_in_the_same_place_is_refused_and_the_first_is_untouched(tmp_path: Path) -> None:
    first = Workspace.create(tmp_path / "w", SETTINGS)
    before = first.settings_path.read_bytes()
    with pytest.raises(InvalidFault) as caught:
        Workspace.create(tmp_path / "w", SETTINGS)
    assert caught.value.code is Code.WORKSPACE_EXISTS
    assert first.settings_path.read_bytes() == before


def test_a_folder_with_other_things_in_it_is_refused_and_an_empty_one_taken(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "holiday.jpg").touch()
    with pytest.raises(InvalidFault) as caught:
        Workspace.create(tmp_path / "full", SETTINGS)
    assert caught.value.code is Code.WORKSPACE_EXISTS
    assert names(tmp_path / "full") == ["holiday.jpg"]
    (tmp_path / "empty").mkdir(mode=0o755)
    assert mode(Workspace.create(tmp_path / "empty", SETTINGS).folder) == 0o700


@pytest.mark.parametrize(
    "where", ["{tmp}/file/new", "{tmp}/file/deep/new", "/proc/new", "{tmp}/" + 250 * "n"]
)
def test_where_no_folder_can_be_made_is_said(tmp_path: Path, where: str) -> None:
    (tmp_path / "file").touch()
    folder = Path(where.format(tmp=tmp_path))
    with pytest.raises(InvalidFault) as caught:
        Workspace.create(folder, SETTINGS)
    assert caught.value.message.startswith(f"no folder can be made in {folder.parent}: ")
    assert caught.value.where == str(folder)
    assert names(tmp_path) == ["file"]


def test_a_creation_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail(workspace: Workspace) -> None:
        workspace.state_path.write_text("half")
        raise RuntimeError("no state")

    with pytest.raises(RuntimeError):
        Workspace.create(tmp_path / "w", SETTINGS, fail)
    assert names(tmp_path) == []


def test_a_creation_that_fails_names_the_place_that_was_meant(tmp_path: Path) -> None:
    def fail(workspace: Workspace) -> None:
        path = workspace.settings_path
        raise InvalidFault(
            Code.DISK_FULL, f"{workspace.folder.name} is full", where=str(path), hint=f"rm {path}"
        )

    with pytest.raises(InvalidFault) as caught:
        Workspace.create(tmp_path / "w", SETTINGS, fail)
    fault, path = caught.value, tmp_path / "w" / "cdp.toml"
    assert (fault.code, fault.message) == (Code.DISK_FULL, "w is full")
    assert (fault.where, fault.hint) == (str(path), f"rm {path}")


RACER = """
import sys, time
from pathlib import Path
from cdp_core.errors import InvalidFault
from cdp_core.model.configuration import ProfileSource
from cdp_core.workspace import Workspace, WorkspaceSettings
settings = WorkspaceSettings(profiles=ProfileSource(url="/p", key="id"), vault="file")
while time.time() < float(sys.argv[2]):
    pass
try:
    Workspace.create(Path(sys.argv[1]), settings)
    print("made")
except InvalidFault as fault:
    print(fault.code.name)
"""


def test_of_processes_that_create_at_once_one_wins_and_the_others_are_told(tmp_path: Path) -> None:
    command = [sys.executable, "-c", RACER, str(tmp_path / "w"), str(time.time() + 3)]
    racers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    found = sorted(racer.communicate(timeout=60)[0].strip() for racer in racers)
    assert found == ["WORKSPACE_EXISTS", "WORKSPACE_EXISTS", "made"]
    assert names(tmp_path) == ["w"]


def test_a_place_without_a_workspace_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(InvalidFault) as caught:
        Workspace.open(tmp_path / "a b")
    assert caught.value.code is Code.WORKSPACE_MISSING
    assert caught.value.hint.startswith(f"cdp init '{tmp_path}/a b' --profiles")


def test_a_place_that_cannot_be_is_not_called_somebody_elses(tmp_path: Path) -> None:
    with pytest.raises(InvalidFault, match="file name too long") as caught:
        Workspace.open(tmp_path / ("x" * 300))
    assert caught.value.code is Code.WORKSPACE_BROKEN
    assert "the path is the one that you meant" in caught.value.hint


def test_where_nobody_named_a_workspace_the_places_that_were_looked_in_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "campaigns" / "today"
    here.mkdir(parents=True)
    monkeypatch.chdir(here)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    with pytest.raises(InvalidFault) as caught:
        Workspace.open(Workspace.locate(None, {}))
    fault = caught.value
    assert fault.code is Code.WORKSPACE_MISSING
    assert "no .cdp in this folder or above it" in fault.message
    assert str(tmp_path / "data" / "cdp") in fault.message
    assert fault.where == str(here)
    assert fault.hint.startswith("cdp init --profiles FILE --key COLUMN makes ./.cdp")


def test_a_workspace_open_to_others_is_refused_with_the_command_that_closes_it(tmp_path: Path) -> None:
    folder = Workspace.create(tmp_path / "w", SETTINGS).folder
    folder.chmod(0o750)
    with pytest.raises(InvalidFault) as caught:
        Workspace.open(folder)
    assert caught.value.code is Code.WORKSPACE_BROKEN
    assert caught.value.hint == f"chmod 700 {folder}"


@pytest.mark.parametrize("piece", ["cdp.toml", "state.db", "ledger", "vault"])
def test_a_piece_that_is_a_symbolic_link_is_refused(tmp_path: Path, piece: str) -> None:
    workspace = Workspace.create(tmp_path / "w", SETTINGS)
    elsewhere = tmp_path / "elsewhere"
    if (workspace.folder / piece).exists():
        (workspace.folder / piece).rename(elsewhere)
    (workspace.folder / piece).symlink_to(elsewhere)
    with pytest.raises(InvalidFault) as caught:
        Workspace.open(workspace.folder)
    assert caught.value.code is Code.WORKSPACE_BROKEN
    assert piece in caught.value.message


def test_a_lost_scratch_is_made_anew(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "w", SETTINGS)
    workspace.scratch_folder.rmdir()
    assert mode(Workspace.open(workspace.folder).scratch_folder) == 0o700


def test_the_folder_named_wins_then_the_variable_then_the_nearest_then_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    project = tmp_path / "project"
    deep = project / "a" / "b"
    deep.mkdir(parents=True)
    assert Workspace.locate(None, {}, start=deep).is_relative_to(
        Path.home() if os.name == "nt" else tmp_path / "data"
    )
    near = Workspace.create(project / ".cdp", SETTINGS).folder
    (deep / ".cdp").mkdir()  # holds no cdp.toml: not one of ours
    assert Workspace.locate(None, {}, start=deep) == near
    assert Workspace.locate(None, {"CDP_WORKSPACE": ""}, start=deep) == near
    assert Workspace.locate(None, {"CDP_WORKSPACE": "/other"}, start=deep) == Path("/other")
    assert Workspace.locate(Path("/named"), {"CDP_WORKSPACE": "/other"}, start=deep) == Path("/named")
    monkeypatch.chdir(deep)
    assert Workspace.locate(None, {}) == near
    assert Workspace.locate(Path("new"), {}) == deep / "new"
