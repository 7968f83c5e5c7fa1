"""`docs/explanation/dependencies.md` accounts for every dependency, and for no other."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[3]


def declared() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lists = [project["project"]["dependencies"], project["build-system"]["requires"]]
    lists += project["project"]["optional-dependencies"].values()
    return {re.split(r"[^\w.-]", line)[0] for requirements in lists for line in requirements}


def rows() -> dict[str, list[str]]:
    page = (ROOT / "docs/explanation/dependencies.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\| `([\w.-]+)` \|(.*)\|$", page, re.MULTILINE)
    return {name: [cell.strip() for cell in rest.split("|")] for name, rest in lines}


def test_every_dependency_has_its_line_and_no_other_has() -> None:
    assert set(rows()) == declared()


def test_every_line_says_why_under_which_licence_and_what_was_rejected() -> None:
    for name, cells in rows().items():
        assert len(cells) == 3, name
        assert all(cells), name
