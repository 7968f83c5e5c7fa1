"""The pages on Snapchat: three languages that say the same, and a reference whose codes are real."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from cdp_core.cli.root import cli
from cdp_core.errors import Code
from cdp_snapchat.answers import _CODE_FAULTS, _STATUS_FAULTS

DOCS = Path(__file__).parents[3] / "docs"
HOW_TO = {language: DOCS / "how-to" / f"snapchat{language}.md" for language in ("", ".nl", ".da")}
FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")
TYPED = re.compile(r"`([^`\n]+)`")
CODES = {str(code): code for code in Code}


def text(language: str) -> str:
    return HOW_TO[language].read_text(encoding="utf-8")


def prose(language: str) -> str:
    return FENCE.sub("", text(language))


def commands() -> Iterator[str]:
    for fence in FENCE.findall(text("")):
        lines = fence.replace("\\\n", " ").splitlines()[1:-1]
        yield from (line for line in lines if not line.startswith("export "))


@pytest.mark.parametrize("language", [".nl", ".da"])
def test_a_translated_page_has_the_same_structure(language: str) -> None:
    def structure(which: str) -> list[str]:
        lines = prose(which).splitlines()
        marks = (re.match(r"#+|\d+\.(?= )|- (?=\S)|\*\*(?=[^*]+\*\*)", line) for line in lines)
        return [mark[0] for mark in marks if mark]

    assert structure(language) == structure("")


@pytest.mark.parametrize("language", [".nl", ".da"])
def test_a_translated_page_has_the_same_commands(language: str) -> None:
    assert FENCE.findall(text(language)) == FENCE.findall(text(""))
    assert sorted(TYPED.findall(prose(language))) == sorted(TYPED.findall(prose("")))


@pytest.mark.parametrize("language", HOW_TO)
def test_each_page_leads_to_the_same_places_and_to_the_two_others(language: str) -> None:
    links = LINK.findall(prose(language))
    others = {page.name for which, page in HOW_TO.items() if which != language}
    assert set(links) & {page.name for page in HOW_TO.values()} == others
    english = LINK.findall(prose(""))
    assert [link for link in links if not link.startswith("snapchat")] == [
        link for link in english if not link.startswith("snapchat")
    ]


@pytest.mark.parametrize("line", list(commands()))
def test_a_command_of_the_page_is_one_with_these_options(line: str) -> None:
    words = shlex.split(line.partition("cdp ")[2].removeprefix("--language nl "))
    noun = cli.get_command(click.Context(cli), words[0])
    assert isinstance(noun, click.Group)
    verb = noun.commands[words[1]]
    known = {spelling for each in verb.params for spelling in each.opts} | {"--help"}
    assert {word for word in words if word.startswith("--")} <= known


def test_every_code_of_the_reference_is_one_and_has_its_exit_status() -> None:
    page = (DOCS / "reference" / "snapchat.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ") and "`CDP-" in line]
    assert len(rows) >= 24
    for row in rows:
        cells = [cell.strip() for cell in row.strip("|").split(" | ")]
        place = next(place for place, cell in enumerate(cells) if cell.startswith("`CDP-"))
        for code in re.findall(r"CDP-\d+", cells[place]):
            assert str(int(CODES[code].exit_status)) == cells[place + 1], row


def test_every_status_and_code_that_the_plugin_tells_apart_is_in_the_reference() -> None:
    page = (DOCS / "reference" / "snapchat.md").read_text(encoding="utf-8")
    part = page.partition("<!-- from the code: snapchat answers -->")[2].partition("<!-- end -->")[0]
    assert [status for status in _STATUS_FAULTS if str(status) not in part] == []
    assert [code for code in _CODE_FAULTS if code not in part] == []
