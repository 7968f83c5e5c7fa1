"""The tests' own rule: under CI a skip is a failure, unless it is the platform's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SKIPS = """
import pytest

def test_server(): pytest.skip("initdb is not on this machine")

@pytest.mark.platform_specific
def test_platform(): pytest.skip("only on another system")

@pytest.mark.xfail
def test_known(): assert False
"""


@pytest.mark.parametrize(
    ("ci", "status", "summary"),
    [("true", 1, "1 failed, 1 skipped, 1 xfailed"), ("", 0, "2 skipped, 1 xfailed")],
)
def test_a_skip_fails_in_ci_only(tmp_path: Path, ci: str, status: int, summary: str) -> None:
    shutil.copy(Path(__file__).parents[1] / "conftest.py", tmp_path)
    (tmp_path / "test_skips.py").write_text(SKIPS)
    command = [sys.executable, "-m", "pytest", "-q", "-ra", "-p", "no:cacheprovider", str(tmp_path)]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("COV")} | {"CI": ci}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == status
    assert summary in done.stdout
    assert "initdb is not on this machine" in done.stdout
