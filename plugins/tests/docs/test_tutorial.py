"""The tutorial is typed as it stands: every `sh` block in one shell, and what it shows is what comes."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "docs/tutorial/first-export.md"
BLOCK = re.compile(
    r"^```sh\n(?P<typed>.*?)^```\n(?:\n```text\n(?P<shown>.*?)^```\n)?", re.DOTALL | re.MULTILINE
)
# A shell's script, since the first line of a script cannot name a Python whose path has a space.
BROWSER = """#!/bin/sh
exec "{python}" -c '
import sys, urllib.request
urllib.request.build_opener(urllib.request.ProxyHandler({{}})).open(sys.argv[1], timeout=30).close()
' "$1"
"""


@dataclass(frozen=True)
class Block:
    typed: str
    shown: str
    came: str


@pytest.fixture(scope="module")
def blocks(tmp_path_factory: pytest.TempPathFactory) -> list[Block]:
    folder = tmp_path_factory.mktemp("tutorial")
    browser = folder / "browser"
    browser.write_text(BROWSER.format(python=sys.executable))
    browser.chmod(0o700)
    found = [
        (block["typed"], block["shown"] or "") for block in BLOCK.finditer(PAGE.read_text(encoding="utf-8"))
    ]
    border = "--- the next block ---"
    script = f"\necho '{border}'\n".join(typed for typed, _ in found)
    (folder / "empty").mkdir()
    process = subprocess.Popen(
        ["bash", "-e", "-c", script],
        cwd=folder / "empty",
        env=os.environ
        | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "BROWSER": str(browser)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    with process:
        try:
            output, _ = process.communicate(timeout=240)
        finally:
            # The simulator runs on where the shell did not come to its end.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0, output
    came = output.split(f"{border}\n")
    return [Block(typed, shown, came) for (typed, shown), came in zip(found, came, strict=True)]


def test_every_block_runs_as_written(blocks: list[Block]) -> None:
    assert len(blocks) > 10


def test_what_the_page_shows_is_what_comes(blocks: list[Block]) -> None:
    """An ellipsis in the page stands for whatever differs from run to run."""
    for block in blocks:
        if block.shown:
            pattern = ".*".join(re.escape(part) for part in block.shown.rstrip().split("…"))
            assert re.search(pattern, block.came, re.DOTALL), f"{block.typed}\n{block.came}"
