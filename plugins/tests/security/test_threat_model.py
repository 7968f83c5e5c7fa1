"""The page on threats names a test for each row, and each of them exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
TESTS = ROOT / "plugins" / "tests"
PAGE = (ROOT / "docs/explanation/threat-model.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in PAGE.splitlines()
    if re.match(r"\| \d", line)
]
NAMED = re.compile(r"`([\w/]+\.py)::(\w+)`")


def functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_row_says_what_stops_it_and_names_tests_that_exist() -> None:
    assert ROWS
    for row in ROWS:
        assert len(row) == 5, row
        assert all(row), row
        found = NAMED.findall(row[-1])
        assert found, row
        assert NAMED.sub("", row[-1]).strip(", ") == "", row
        for path, name in found:
            assert name in functions(TESTS / path), (path, name)


def test_every_attack_has_its_row_and_what_is_left_of_it() -> None:
    numbers = {int(row[0].strip("| ")) for row in ROWS}
    assert numbers == set(range(1, 12))
    left = PAGE.partition("## What is left")[2]
    assert [int(number) for number in re.findall(r"^(\d+)\. ", left, re.MULTILINE)] == sorted(numbers)
