"""The demo on a small sample: it ends well, says what it promised, and leaves nothing running behind it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

DEMO = Path(__file__).parents[3] / "examples/demo/demo.py"


def command(folder: Path) -> list[str]:
    return [sys.executable, str(DEMO), "--profiles", "3000", "--folder", str(folder)]


def port_of(output: str) -> int:
    found = re.search(r"It listens on http://127\.0\.0\.1:(\d+)", output)
    assert found, output
    return int(found[1])


def listens(port: int) -> bool:
    with socket.socket() as trying:
        return trying.connect_ex(("127.0.0.1", port)) == 0


POOR = {
    "http_proxy": "http://127.0.0.1:9",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "NO_PROXY": "",
    "no_proxy": "",
    "LC_ALL": "C",
    "PYTHONIOENCODING": "ascii",
    "TERM": "dumb",
    "HOME": "/nonexistent",
    "CDP_WORKSPACE": "/nonexistent",
}


@pytest.mark.parametrize("surroundings", [{}, POOR], ids=["at a desk", "in poor surroundings"])
def test_the_demo_ends_well(tmp_path: Path, surroundings: dict[str, str]) -> None:
    folder = tmp_path / "a folder with a space"
    done = subprocess.run(
        command(folder),
        env=os.environ | surroundings,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=240,
        check=False,
    )
    output = done.stdout.decode(errors="replace")
    assert done.returncode == 0, output
    assert "They are the same, digest by digest." in output
    assert re.search(r"seconds in all; the two runs took .* MB of memory at most", output)
    assert "\x1b" not in output
    assert "Traceback" not in output
    assert not listens(port_of(output))


def test_ctrl_c_stops_the_demo_and_the_simulator(tmp_path: Path) -> None:
    process = subprocess.Popen(
        command(tmp_path / "demo"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    with process, process.stdout:
        seen = ""
        for line in process.stdout:
            seen += line
            if "$ cdp segment add" in line:
                os.killpg(process.pid, signal.SIGINT)
                break
        seen += process.stdout.read()
    assert process.returncode == 130, seen
    assert seen.rstrip().endswith("Stopped. The simulator is stopped too.")
    assert not listens(port_of(seen))
