"""The first tutorial is typed as it stands: each `sh` block in one shell, and what it shows is what comes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from typed_pages import Block, typed

PAGE = Path(__file__).parents[3] / "docs/tutorial/first-export.md"
# A shell's script, since the first line of a script cannot name a Python whose path has a space.
BROWSER = """#!/bin/sh
exec "{python}" -c '
import sys, urllib.request
urllib.request.build_opener(urllib.request.ProxyHandler({{}})).open(sys.argv[1], timeout=30).close()
' "$1"
"""


@pytest.fixture(scope="module")
def blocks(tmp_path_factory: pytest.TempPathFactory) -> list[Block]:
    folder = tmp_path_factory.mktemp("tutorial")
    browser = folder / "browser"
    browser.write_text(BROWSER.format(python=sys.executable))
    browser.chmod(0o700)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "BROWSER": str(browser)}
    return typed(PAGE, folder=folder, environment=environment, seconds=240)


def test_every_block_runs_as_written(blocks: list[Block]) -> None:
    assert len(blocks) > 10


def test_what_the_page_shows_is_what_comes(blocks: list[Block]) -> None:
    for block in blocks:
        block.require_shown()
