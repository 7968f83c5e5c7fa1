"""The tutorial for authors is typed as it stands, in an environment of its own with the core's wheel."""

from __future__ import annotations

from pathlib import Path

import pytest

from fresh_environment import fresh_environment
from typed_pages import Block, typed

PAGE = Path(__file__).parents[3] / "docs/tutorial/first-destination.md"


@pytest.fixture(scope="module")
def blocks(tmp_path_factory: pytest.TempPathFactory) -> list[Block]:
    folder = tmp_path_factory.mktemp("author")
    author = fresh_environment(folder)
    return typed(PAGE, folder=folder, environment=author.variables, seconds=540)


@pytest.mark.timeout(600)
def test_every_block_runs_as_written(blocks: list[Block]) -> None:
    assert len(blocks) > 10
    assert blocks[0].typed.startswith("cdp new-destination acme\n")


def test_what_the_page_shows_is_what_comes(blocks: list[Block]) -> None:
    for block in blocks:
        block.require_shown()
