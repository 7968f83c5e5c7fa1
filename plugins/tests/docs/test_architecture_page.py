"""Picture and table of the floors are what import-linter holds, which bars plugins from the rest."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/explanation/architecture.md").read_text(encoding="utf-8")
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
LAYERS = next(each["layers"] for each in CONTRACTS if each["type"] == "layers")
BARRED = next(each for each in CONTRACTS if each["name"].startswith("A plugin imports"))["forbidden_modules"]
ROOMS = {
    path.stem
    for path in (ROOT / "cdp_core").iterdir()
    if path.suffix == ".py" or (path / "__init__.py").exists()
} - {"__init__"}
# What `cdp_core` does not hand on, and authors import by its name.
PUBLIC = {"simulate", "testing"}


def test_the_table_has_each_floor_with_its_rooms() -> None:
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \| .{10,} \|$", PAGE, re.MULTILINE)
    highest = len(LAYERS)
    wanted = [(str(highest - at), room) for at, floor in enumerate(LAYERS) for room in floor.split(" | ")]
    assert rows == wanted
    assert {room for _, room in rows} == ROOMS


def test_the_picture_has_each_room_on_its_floor() -> None:
    picture = (ROOT / "docs/_static/floors.svg").read_text(encoding="utf-8")
    bold = [
        (float(y), name)
        for y, name in re.findall(r'<text [^>]*y="([\d.]+)"[^>]*font-weight="bold">(\w+)</text>', picture)
    ]
    heights = sorted({y for y, _ in bold})
    assert [[text for at, text in bold if at == y] for y in heights] == [each.split(" | ") for each in LAYERS]


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_a_plugin_may_import_no_room_but_the_public_ones(room: str) -> None:
    assert (f"cdp_core.{room}" in BARRED) == (room not in PUBLIC)


def test_a_page_that_is_behind_is_told(tmp_path: Path) -> None:
    """The check that `make test` goes by fails where the contract has a floor that the page has not."""
    (tmp_path / "cdp_core").symlink_to(ROOT / "cdp_core")
    for path in [
        *(ROOT / "docs").glob("*.py"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "docs").rglob("*.svg"),
    ]:
        if "_build" not in path.parts:
            copy = tmp_path / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    toml = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    command = [sys.executable, str(tmp_path / "docs/generate.py"), "--check"]
    for change, behind in ((toml, ""), (toml.replace('  "oauth",\n', ""), "architecture.md")):
        (tmp_path / "pyproject.toml").write_text(change, encoding="utf-8")
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout.partition(" ")[0]) == (1 if behind else 0, behind), done.stderr
