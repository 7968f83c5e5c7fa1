"""Code on the pages is what its language takes: settings are those of `cdp.toml`, shells and Python parse."""

from __future__ import annotations

import re
import subprocess
import textwrap
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from cdp_core.errors import InvalidFault
from cdp_core.workspace.settings import parse, validated

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
LEAST = '[profiles]\nurl = "customers.csv"\nkey = "id"\n[vault]\nkind = "file"\n'
TOML = Path("cdp.toml")


def blocks(language: str) -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for _, written, body in BLOCK.findall(page.read_text(encoding="utf-8")):
            if written == language and "_build" not in page.parts:
                yield str(page.relative_to(ROOT)), textwrap.dedent(body)


def test_settings_on_a_page_are_settings_of_cdp_toml() -> None:
    seen: set[str] = set()
    for _, body in blocks("toml"):
        tables = tomllib.loads(body)
        if "project" not in tables:
            seen |= tables.keys()
            validated(parse(LEAST + body, TOML), TOML)
    assert {"alerts", "consent", "ledger", "retention", "roles", "telemetry"} <= seen


@pytest.mark.parametrize(
    "wrong", ["[alarms]\nurls = []\n", "[alerts]\nurl = []\n", "[retention]\nplans = -1\n"]
)
def test_a_setting_that_there_is_not_would_be_found(wrong: str) -> None:
    with pytest.raises(InvalidFault):
        validated(parse(LEAST + wrong, TOML), TOML)


def test_every_block_for_a_shell_parses() -> None:
    found = list(blocks("sh"))
    assert len(found) > 100
    for page, body in found:
        done = subprocess.run(["bash", "-n", "-c", body], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{page}\n{body}\n{done.stderr}"


def test_every_block_of_python_parses() -> None:
    found = list(blocks("python"))
    assert len(found) > 10
    for page, body in found:
        compile(body, page, "exec")


def test_every_language_of_a_block_is_one_that_a_test_looks_at() -> None:
    written = {
        language
        for page in PAGES
        for _, language, _ in BLOCK.findall(page.read_text(encoding="utf-8"))
        if "_build" not in page.parts
    }
    assert written <= {"sh", "python", "toml", "text", "yaml"}
