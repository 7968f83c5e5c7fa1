"""A workspace of somebody else's, met as a real second user of the machine."""

from __future__ import annotations

import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from plugins.tests.core.cli.conftest import Keyboard


@pytest.fixture
def place() -> Iterator[Path]:
    """In a folder that everybody reaches; pytest's own ones are for one user alone."""
    folder = Path(tempfile.mkdtemp(prefix="cdp-shared-"))
    folder.chmod(0o755)
    yield folder / "work"
    shutil.rmtree(folder)


@contextmanager
def as_a_stranger() -> Iterator[None]:
    """Everything within is done as a user without rights; only root can become one."""
    if os.geteuid() != 0:
        pytest.skip("only root can act as a second user of this machine")
    stranger = pwd.getpwnam("nobody")
    os.setegid(stranger.pw_gid)
    os.seteuid(stranger.pw_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


@pytest.mark.parametrize("named", ["option", "variable"])
def test_a_workspace_that_cannot_be_read_says_whose_it_is(
    cdp: Keyboard, place: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    words: tuple[str, ...] = ("--workspace", str(place))
    cdp(*words, "init", "--profiles", "profiles.csv", "--key", "customer_id", "--vault", "file")
    # Whatever is imported late is so by now: the stranger may not reach it.
    cdp(*words, "segment", "list", "--json")
    cdp("--workspace", str(place.parent / "none"), "segment", "list", "--json", status=3)
    if named == "variable":
        monkeypatch.setenv("CDP_WORKSPACE", str(place))
        words = ()
    with as_a_stranger():
        error = cdp(*words, "segment", "list", "--json", status=3).document["error"]
    assert (error["code"], error["where"]) == ("CDP-303", str(place / "cdp.toml"))
    assert f"the workspace is {place.owner()}'s" in error["hint"]
