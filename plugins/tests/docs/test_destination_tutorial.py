"""The tutorial for authors is typed as it stands, in an environment of its own with the core's wheel."""

from __future__ import annotations

from pathlib import Path

import pytest

from fresh_environment import fresh_environment
from tutorials import is_as_shown, type_page

PAGE = Path(__file__).parents[3] / "docs/tutorial/first-destination.md"


@pytest.mark.timeout(600)
def test_every_block_runs_as_written_and_shows_what_comes(tmp_path: Path) -> None:
    author = fresh_environment(tmp_path)
    page = PAGE.read_text(encoding="utf-8")
    typed = type_page(page, tmp_path / "tutorial", seconds=540, variables=author.variables)
    assert len(typed) > 10
    assert typed[0].block.body.startswith("cdp new-destination acme\n")
    for each in typed:
        assert is_as_shown(each), f"{each.block.body}\n{each.came}"
