"""Pictures of the terminal are what commands say today, and show nothing of the machine behind them."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[3] / "docs"
KEPT = DOCS / "_static/terminal"
REAL_PERSON = re.compile(r"[\w.+-]+@(?!test\.com)[\w-]+\.(com|org|net|nl|de|dk)\b")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drawn")
    done = subprocess.run(
        [sys.executable, str(DOCS / "pictures.py"), str(folder)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


def said(picture: Path) -> list[str]:
    """Its words, line by line as far down as they stand."""
    found = re.findall(r'<text [^>]*y="([\d.]+)"[^>]*>([^<]*)</text>', picture.read_text(encoding="utf-8"))
    lines: dict[float, str] = {}
    for height, words in found:
        lines[float(height)] = lines.get(float(height), "") + html.unescape(words).replace("\xa0", " ")
    return [lines[height].rstrip() for height in sorted(lines) if lines[height].strip()]


def test_the_kept_pictures_are_those_that_are_drawn(drawn: Path) -> None:
    """Words alone: what is around them is rich's, and may change with it."""
    assert {path.name for path in KEPT.glob("*")} == {path.name for path in drawn.glob("*")}
    for path in sorted(drawn.glob("*.svg")):
        assert said(KEPT / path.name) == said(path), f"{path.name} is behind the code: make pictures"


def test_every_picture_is_on_a_page_and_fetches_nothing() -> None:
    pages = "".join(page.read_text(encoding="utf-8") for page in DOCS.rglob("*.md"))
    for path in KEPT.glob("*.svg"):
        assert f"_static/terminal/{path.name})" in pages
        around = re.sub(r">[^<]*<", "><", path.read_text(encoding="utf-8"))
        assert not re.search(r"@font-face|@import|href=|src=|url\((?!#)", around)


def test_no_picture_shows_a_machine_or_a_person() -> None:
    for path in KEPT.glob("*.svg"):
        words = "\n".join(said(path))
        assert set(re.findall(r"127\.0\.0\.1:(\d+)", words)) <= {"8181"}
        assert set(re.findall(r"(?<![\w/])/\w+/\w+", words)) <= {"/home/ann"}
        assert REAL_PERSON.search(words) is None, path.name


def test_a_picture_begins_with_the_command_that_was_typed() -> None:
    assert said(KEPT / "gate.svg")[0] == '$ cdp export run "Loyal to Snapchat"'
    assert said(KEPT / "gate.svg")[1].startswith("error CDP-706: ")
