"""The floors of the house as import-linter holds them, and what each room says of itself: a table, a picture.

Both are made from `pyproject.toml` and from the first sentence of each room, so that neither can be behind.
"""

from __future__ import annotations

import ast
import textwrap
import tomllib
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
PICTURE = Path(__file__).with_name("_static") / "floors.svg"

WIDTH, LEFT, GAP, LINE, PAD = 980, 16, 6, 16, 12
# Characters of a description that 100 points hold.
_DENSITY = 13.6
_FONT = "system-ui, 'Helvetica Neue', Arial, sans-serif"
_FILLS = {"pure": "#e3efe4", "public": "#fdf0d5", "": "#e8eef9"}
_EDGES = {"pure": "#5d8a66", "public": "#b98a2f", "": "#6b86b8"}
LEGEND = {
    "": "a room of the core",
    "public": "what plugins may import; the contract as `cdp_core`",
    "pure": "reads and writes nothing",
}


class _Box(NamedTuple):
    left: float
    top: int
    width: float
    height: int


def contracts() -> dict[str, Any]:
    """import-linter's, by the beginning of their names."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return {each["name"].partition(":")[0]: each for each in project["tool"]["importlinter"]["contracts"]}


def floors() -> list[list[str]]:
    """The rooms of each floor, the highest floor first; neighbours do not know each other."""
    return [floor.split(" | ") for floor in contracts()["Floors"]["layers"]]


def said(room: str) -> str:
    """The first sentence of a room's own docstring."""
    place = ROOT / "cdp_core" / room
    source = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    text = ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or ""
    first = " ".join(text.partition("\n\n")[0].split())
    return first.partition(". ")[0].rstrip(".")


def sort(room: str) -> str:
    """Whether plugins may import it, or it reads and writes nothing, as the contracts have it. The floor
    `contract` is theirs under the name `cdp_core`, which hands on what of it is public."""
    if f"cdp_core.{room}" in contracts()["The pure floors import no I/O library"]["source_modules"]:
        return "pure"
    barred = contracts()["A plugin imports only what is public"]["forbidden_modules"]
    return "public" if room == "contract" or f"cdp_core.{room}" not in barred else ""


def rooms() -> Iterator[tuple[str, ...]]:
    yield "Floor", "Room", "What it is for"
    storeys = floors()
    for number, floor in enumerate(storeys):
        yield from ((str(len(storeys) - number), f"`{room}`", said(room)) for room in floor)


def picture() -> str:
    """The SVG, on white so that it can be read on a dark page too."""
    parts: list[str] = []
    top = 40
    for floor in floors():
        width = (WIDTH - 2 * LEFT - GAP * (len(floor) - 1)) / len(floor)
        texts = [textwrap.wrap(said(room), int(width / 100 * _DENSITY)) for room in floor]
        beside = len(floor) == 1
        height = LINE * (max(map(len, texts)) + (not beside)) + PAD
        for place, (room, lines) in enumerate(zip(floor, texts, strict=True)):
            box = _Box(LEFT + place * (width + GAP), top, width, height)
            parts += _room(room, lines, box, beside=beside)
        top += height + GAP
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top + 10}" role="img" '
        f'aria-label="The floors of cdp_core, the highest first" font-family="{_FONT}" font-size="12.5">'
    )
    return "\n".join(
        [head, '<rect width="100%" height="100%" fill="#fff"/>', *_legend(), *parts, "</svg>", ""]
    )


def _room(room: str, lines: list[str], box: _Box, *, beside: bool) -> Iterator[str]:
    """The name, and what it says of itself beside or below it."""
    look = f'fill="{_FILLS[sort(room)]}" stroke="{_EDGES[sort(room)]}"'
    size = f'width="{box.width:.1f}" height="{box.height}"'
    yield f'<rect x="{box.left:.1f}" y="{box.top}" {size} rx="3" {look}/>'
    line = box.top + LINE + 2
    yield _text(box.left + 10, line, room, 'font-weight="bold"')
    inner, first = (box.left + 110, line) if beside else (box.left + 10, line + LINE)
    for number, words in enumerate(lines):
        yield _text(inner, first + number * LINE, words)


def _legend() -> Iterator[str]:
    left = float(LEFT)
    for key, words in LEGEND.items():
        look = f'fill="{_FILLS[key]}" stroke="{_EDGES[key]}"'
        yield f'<rect x="{left:.1f}" y="12" width="14" height="14" rx="2" {look}/>'
        yield _text(left + 20, 24, words)
        left += 60 + len(words) * 6.2


def _text(left: float, top: float, words: str, look: str = "") -> str:
    shown = escape(words.replace("`", ""))
    return f'<text x="{left:.1f}" y="{top}" fill="#1f2430" {look}>{shown}</text>'.replace(" >", ">")
