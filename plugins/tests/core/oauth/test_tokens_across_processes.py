"""Several processes whose token is rejected at the same time make one refresh between them."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from cdp_core.contract.connection import Token
from cdp_core.model.secret import Secret

SCRIPT = Path(__file__).with_name("one_keeper.py")


def _script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("one_keeper", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("kind", ["a folder", "a server"])
def test_many_processes_with_one_rejected_token_make_one_refresh(
    tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    script = _script()
    place = [request.getfixturevalue("postgres").state_place().url] if kind == "a server" else []
    with script.keeper_in(tmp_path, *place) as keeper:
        keeper.keep(Token(access=Secret("access-0"), refresh=Secret("refresh-0")))
    command = [sys.executable, str(SCRIPT), str(tmp_path), *place]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    processes = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(4)
    ]
    answers = {process.communicate(timeout=60)[0].strip() for process in processes}
    assert answers == {"access-1"}
    assert (tmp_path / "refreshes").read_text() == "refresh-0\n"
    with script.keeper_in(tmp_path, *place) as keeper:
        assert keeper.current().reveal() == "access-1"
    clear = [file for file in tmp_path.rglob("*") if file.is_file() and b"access-1" in file.read_bytes()]
    assert clear == []
