"""`docs/reference/stability.md`: every promise has tests that are there, and the page speaks as the code."""

from __future__ import annotations

import re
from pathlib import Path

import marshmallow
import pytest
from marshmallow import fields

import cdp_core
from cdp_core.contract import settings_snapshot
from cdp_core.contract.deprecation import DeprecatedUse, Deprecation
from cdp_core.contract.schemas import load_settings, settings_of
from cdp_core.errors import Code
from cdp_core.plugins.fitness.findings import Verdict
from cdp_core.plugins.fitness.imports import PUBLIC_MODULES
from cdp_core.plugins.manager import ACCESS_GROUP, GROUP

TESTS = Path(__file__).parents[1]
PAGE = (TESTS.parents[1] / "docs/reference/stability.md").read_text(encoding="utf-8")
PROMISES = PAGE.partition("## What you may stand on")[2].partition("\n## ")[0]


def rows(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_every_promise_says_what_stays_and_names_tests_that_exist() -> None:
    sources = "\n".join(
        path.read_text(encoding="utf-8")
        for folder in (TESTS, TESTS.parents[1] / "cdp_core" / "testing")
        for path in folder.rglob("test_*.py" if folder == TESTS else "*.py")
    )
    found = rows(PROMISES)
    assert len(found) >= 10
    for cells in found:
        assert len(cells) == 5, cells
        assert all(cells), cells
        assert "`test_" in cells[4] or cells[4].startswith("the same"), cells[0]
    for test in re.findall(r"`(test_\w+)`", PAGE):
        assert f"def {test}(" in sources, test


def test_the_page_names_what_is_public() -> None:
    for module in PUBLIC_MODULES:
        assert f"`{module}.__all__`" in PROMISES
    for group in (GROUP, ACCESS_GROUP):
        assert f"`{group}`" in PROMISES
    assert f"`{Code.STATE_NEWER}`" in PROMISES
    assert f"`{settings_snapshot.FILE_NAME}`" in PAGE


@pytest.mark.parametrize("verdict", Verdict)
def test_every_verdict_is_explained(verdict: Verdict) -> None:
    assert f"| {verdict} | " in PAGE


def test_the_example_of_a_deprecated_setting_says_what_the_page_says() -> None:
    example = PAGE.partition("```python\n")[2].partition("```")[0]
    names: dict[str, object] = {"fields": fields, "cdp_core": cdp_core}
    exec(f"class Settings(cdp_core.SettingsSchema):\n    {example.replace(chr(10), chr(10) + '    ')}", names)  # noqa: S102 - the page's own example
    schema = names["Settings"]
    assert isinstance(schema, type)
    assert issubclass(schema, marshmallow.Schema)
    (info,) = settings_of(schema)
    assert isinstance(info.deprecated, Deprecation)
    with pytest.warns(DeprecatedUse) as warned:
        load_settings(schema, {"list": "7"}, what="connection 'Acme EU'")
    assert f"```\n{warned[0].message}\n```" in PAGE
