"""Several processes whose token is rejected at the same time make one refresh between them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

KEEPER = Path(__file__).with_name("one_keeper.py")


def test_many_processes_with_one_rejected_token_make_one_refresh(tmp_path: Path) -> None:
    document = {
        "access": "access-0",
        "refresh": "refresh-0",
        "expires_at": None,
        "scope": "",
        "obtained_at": 1.0,
    }
    (tmp_path / "token-c1").write_text(json.dumps(document))
    command = [sys.executable, str(KEEPER), str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    processes = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(4)
    ]
    answers = {process.communicate(timeout=60)[0].strip() for process in processes}
    assert answers == {"access-1"}
    assert (tmp_path / "refreshes").read_text() == "refresh-0\n"
    assert json.loads((tmp_path / "token-c1").read_text())["refresh"] == "refresh-1"
