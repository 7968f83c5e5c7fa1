"""Every command of `cdp` that a page shows is one that `cdp` takes: options, choices and arguments, too."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from cdp_core.cli.root import NOUNS, cli
from typed_commands import Typed, fault_of, faults, in_page, in_script

ROOT = Path(__file__).parents[3]
PAGES = sorted(
    [
        *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")),
        *ROOT.glob("examples/**/*.md"),
        *(path for path in (ROOT / "docs").rglob("*.md") if "_build" not in path.parts),
    ]
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_on_a_page_is_one(page: Path) -> None:
    assert faults(in_page(page.read_text(encoding="utf-8"))) == []


def test_the_commands_of_the_pages_are_found() -> None:
    found = [typed for page in PAGES for typed in in_page(page.read_text(encoding="utf-8"))]
    assert len(found) > 500
    assert len([typed for typed in found if typed.whole]) > 200
    assert Typed(("export", "run", "Loyal to Snapchat"), whole=True) in found


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("cdp export runn x", "cdp export has no command 'runn'"),
        ("cdp exporting run x", "cdp has no command 'exporting'"),
        ("cdp export run x --dry", "No such option '--dry'"),
        ("cdp export edit x --mode mirrored", "cdp export edit: --mode is no 'mirrored'"),
        ("cdp scheduler run-due x", "cdp scheduler run-due: --due-at is missing"),
        ("cdp export show x y", "cdp export show: one word too many, 'y'"),
        ("cdp export", "cdp export: no command"),
        ("cdp simulate snapshat", "cdp simulate has no command 'snapshat'"),
        ("cdp segment add x --where", "Option '--where' requires an argument."),
    ],
)
def test_what_cdp_would_refuse_is_found(line: str, fault: str) -> None:
    (words,) = in_script(line)
    found = fault_of(Typed(words, whole=True))
    assert found is not None
    assert found.startswith(fault)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('A=1 cdp export run "a b" --json >> runs.json 2>> log', [("export", "run", "a b", "--json")]),
        ("cd x && .venv/bin/cdp status | head # as cdp does", [("status",)]),
        (
            'cdp segment add W --where "a > 5" || echo "status $?"',
            [("segment", "add", "W", "--where", "a > 5")],
        ),
        ("cdp whoami; cdp doctor", [("whoami",), ("doctor",)]),
        ("cat > t.csv <<'END'\ncdp nonsense\nEND\ncdp status", [("status",)]),
        ("cdp export list \\\n    --json", [("export", "list", "--json")]),
        ("make demo", []),
    ],
)
def test_a_shells_own_words_are_no_part_of_a_command(line: str, words: list[tuple[str, ...]]) -> None:
    assert list(in_script(line)) == words


def texts_of(source: str) -> Iterator[str]:
    """The strings of a module that a person may be shown; `X` stands for what is filled in."""
    tree = ast.parse(source)
    parts = {id(each) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for each in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(each.value) if isinstance(each, ast.Constant) else "X" for each in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:
            yield node.value


def begun_in(text: str) -> Iterator[tuple[str, ...]]:
    """Of each command that a sentence names, noun and verb: a sentence does not say where it ends."""
    for found in re.finditer(r"(?<![=\w])cdp ((?:[a-z-]+ ?){1,2})", text):
        noun, *verb = found[1].split()
        if noun in NOUNS:
            group = cli.get_command(click.Context(cli), noun)
            yield (noun, *verb) if isinstance(group, click.Group) and verb else (noun,)


MODULES = sorted(
    path
    for folder in (ROOT / "cdp_core", *(ROOT / "plugins").glob("*/cdp_*"), ROOT / "examples")
    for path in folder.rglob("*.py")
    # Its own command is there where it is installed; `test_mailer_from_outside` types it.
    if "cdp-mailer" not in path.parts
)


def test_every_command_that_an_error_or_a_help_text_names_is_one() -> None:
    named = {
        words
        for path in MODULES
        for text in texts_of(path.read_text(encoding="utf-8"))
        for words in begun_in(text)
    }
    assert len(named) > 60
    assert faults(Typed(words, whole=False) for words in sorted(named)) == []
