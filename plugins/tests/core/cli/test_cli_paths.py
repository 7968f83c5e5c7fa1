"""Paths that cannot be: they are named, with what the system says, and are no fault of ours."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cdp_core.cli.failure import as_error
from cdp_core.cli.no_such_place import of_typed_path
from cdp_core.errors import Code

if TYPE_CHECKING:
    from plugins.tests.core.cli.conftest import Keyboard

LONG = "a" * 300
DEEP = "/".join(["b" * 200] * 25)
# What is written beside it first has a longer name.
NEARLY = "c" * 250

PROFILES = ("--profiles", "profiles.csv", "--key", "customer_id", "--vault", "file")


def refused(cdp: Keyboard, *words: str, code: str, path: Path, said: str) -> None:
    given = cdp(*words, status=int(code.removeprefix("CDP-")) // 100)
    what, where, mend = given.err.splitlines()
    assert what.startswith(f"error {code}: ")
    assert what.endswith(said)
    assert where == f"  where: {path}"
    assert mend.startswith("  mend: ")
    if "--json" in words:
        assert given.document["error"]["where"] == str(path)


@pytest.mark.parametrize("name", [LONG, DEEP])
@pytest.mark.parametrize(
    "words",
    [
        ("init", "{}", *PROFILES, "--json"),
        ("--workspace", "{}", "init", *PROFILES),
        ("--workspace={}", "init", *PROFILES),
        ("new-destination", "umbrella", "--output", "{}"),
        ("plugins", "record", "snapchat", "--to", "{}"),
    ],
)
def test_a_path_that_is_too_long_is_named(
    cdp: Keyboard, home: Path, words: tuple[str, ...], name: str
) -> None:
    typed = [word.format(name) for word in words]
    refused(cdp, *typed, code="CDP-203", path=home / name, said="file name too long")
    assert sorted(path.name for path in home.iterdir()) == ["profiles.csv"]


@pytest.mark.parametrize("name", [LONG, DEEP])
@pytest.mark.parametrize(
    "words",
    [
        ("workspace", "backup", "{}", "--json"),
        ("workspace", "restore", "{}"),
        ("workspace", "restore", "whole.backup", "{}"),
        ("audit", "export", "--output", "{}"),
    ],
)
def test_so_it_is_of_what_a_workspace_writes_and_reads(
    cdp: Keyboard, workspace: Path, home: Path, words: tuple[str, ...], name: str
) -> None:
    cdp("workspace", "backup", "whole.backup")
    typed = [word.format(name) for word in words]
    refused(cdp, *typed, code="CDP-203", path=home / name, said="file name too long")


def test_so_it_is_of_what_was_rejected(cdp: Keyboard, export: str, home: Path) -> None:
    run = cdp("export", "run", export, "--json").document["run"]
    name = f"{LONG}.csv"
    refused(
        cdp,
        *("export", "rejected", run, "--output", name),
        code="CDP-203",
        path=home / name,
        said="file name too long",
    )


def test_so_it_is_of_a_workspace_that_the_environment_names(
    cdp: Keyboard, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CDP_WORKSPACE", LONG)
    refused(cdp, "init", *PROFILES, code="CDP-203", path=home / LONG, said="file name too long")


@pytest.mark.parametrize("words", [("workspace", "backup"), ("audit", "export", "--output")])
def test_a_name_with_no_room_for_what_is_written_beside_it_is_too_long(
    cdp: Keyboard, workspace: Path, home: Path, words: tuple[str, ...]
) -> None:
    refused(cdp, *words, NEARLY, code="CDP-203", path=home / NEARLY, said="file name too long")
    assert not (home / NEARLY).exists()


def test_a_plugin_of_a_long_name_is_not_installed(cdp: Keyboard, home: Path) -> None:
    said = cdp("plugins", "check", LONG, status=3)
    assert "error CDP-317: no distribution and no plugin" in said.err


@pytest.mark.parametrize(
    ("typed", "code", "said"),
    [
        ("profiles.csv/whole.backup", "CDP-203", "not a directory"),
        ("round", "CDP-203", "too many levels of symbolic links"),
        ("round/whole.backup", "CDP-203", "too many levels of symbolic links"),
    ],
)
def test_a_backup_that_no_path_leads_to_is_named(
    cdp: Keyboard, home: Path, typed: str, code: str, said: str
) -> None:
    (home / "round").symlink_to("round")
    refused(cdp, "workspace", "restore", typed, code=code, path=home / typed, said=said)


def test_links_that_go_round_lead_to_no_workspace(cdp: Keyboard, home: Path) -> None:
    (home / "round").symlink_to("round")
    said = cdp("--workspace", "round", "status", status=3)
    assert "error CDP-303: cdp.toml cannot be read: too many levels of symbolic links" in said.err


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.EISDIR, Code.USAGE),
        (errno.ENOENT, Code.NOT_FOUND),
        (errno.EACCES, Code.DISK_FULL),
        (errno.EROFS, Code.DISK_FULL),
        (errno.EIO, Code.UNEXPECTED),
    ],
)
def test_what_the_system_says_of_a_typed_path_has_its_code(home: Path, number: int, code: Code) -> None:
    fault = OSError(number, os.strerror(number), str(home / "there" / "rows.csv"))
    for typed in ("there/rows.csv", f"--output={home}/there/rows.csv", "~/there/rows.csv"):
        assert as_error(fault, ["audit", "export", typed]).code is code


def test_a_folder_on_the_way_to_a_typed_path_is_named(home: Path) -> None:
    fault = OSError(errno.EACCES, os.strerror(errno.EACCES), str(home / "there"))
    error = as_error(fault, ["audit", "export", "--output", "there/rows.csv"])
    assert (error.code, error.where) == (Code.DISK_FULL, str(home / "there"))


@pytest.mark.parametrize(
    "fault",
    [
        FileNotFoundError(errno.ENOENT, "No such file or directory"),
        FileNotFoundError(errno.ENOENT, "No such file or directory", 3),
        FileNotFoundError(errno.ENOENT, "No such file or directory", "crm/state.db"),
        FileNotFoundError(errno.ENOENT, "No such file or directory", "crm/ledgers/.1.abc"),
        PermissionError(errno.EACCES, "Permission denied", "."),
        OSError("crm"),
    ],
)
def test_a_file_that_nobody_named_is_a_fault_of_ours(home: Path, fault: OSError) -> None:
    error = as_error(fault, ["--workspace", "crm", "status"])
    assert (error.code, error.where) == (Code.UNEXPECTED, "")


def test_where_the_folder_that_one_is_in_is_gone_the_fault_is_said_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert of_typed_path(FileNotFoundError(errno.ENOENT, "no such file", "nowhere"), ["nowhere"]) is None
