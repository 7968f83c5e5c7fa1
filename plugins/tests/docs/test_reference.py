"""The reference is as complete as the code: every command, option, setting, code, hook and act is in it."""

from __future__ import annotations

import ast
import inspect
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import marshmallow
import pytest
from marshmallow import fields

from cdp_core.contract import hookspecs
from cdp_core.errors import Code, ExitStatus
from cdp_core.model.access import Action
from cdp_core.plugins.catalog import Catalog
from cdp_core.plugins.manager import create_plugin_manager
from cdp_core.workspace.tables import WorkspaceSchema

DOCS = Path(__file__).parents[3] / "docs"


def page(name: str) -> str:
    return (DOCS / "reference" / name).read_text(encoding="utf-8")


# In a process of its own: what plugins of other tests have added to the commands is not to be documented.
WALK = """
import json
import click
from cdp_core.cli.root import cli
from cdp_core.cli.session import Session

def walk(group, context):
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        inner = click.Context(command, info_name=name, parent=context)
        options = [o for p in command.params if isinstance(p, click.Option) for o in p.opts]
        yield inner.command_path, options, command.help or "", getattr(command, "example", "")
        if isinstance(command, click.Group):
            yield from walk(command, inner)

print(json.dumps(list(walk(cli, click.Context(cli, info_name="cdp", obj=Session())))))
"""


@pytest.fixture(scope="module")
def commands() -> list[tuple[str, list[str], str, str]]:
    """Of every command its path, its options' spellings, its help and its example."""
    shown = subprocess.run([sys.executable, "-c", WALK], capture_output=True, text=True, check=True).stdout
    return [(path, options, said, example) for path, options, said, example in json.loads(shown)]


def test_the_generated_parts_are_not_behind_the_code() -> None:
    done = subprocess.run(
        [sys.executable, DOCS / "generate.py", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_command_and_option_is_documented(commands: list[tuple[str, list[str], str, str]]) -> None:
    whole = page("cli.md")
    for path, options, _, _ in commands:
        _, heading, rest = whole.partition(f"# `{path}`\n")
        assert heading, path
        section = re.split(r"^###? ", rest, maxsplit=1, flags=re.MULTILINE)[0]
        rows = " ".join(re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)).replace(",", " ").split()
        assert [option for option in options if option not in {*rows, "--help"}] == [], path


def test_every_command_says_what_it_does_and_shows_an_example(
    commands: list[tuple[str, list[str], str, str]],
) -> None:
    for path, _, said, example in commands:
        assert said, path
        assert example or "Example:" in said, path


@pytest.mark.parametrize("code", Code, ids=str)
def test_every_code_is_documented_with_its_title(code: Code) -> None:
    assert f"| `{code}` | {code.title} |" in page("errors.md")


@pytest.mark.parametrize("status", ExitStatus)
def test_every_exit_status_is_documented(status: ExitStatus) -> None:
    assert f"| {int(status)} | {status.meaning} |" in page("errors.md")


@pytest.mark.parametrize("hook", [name for name in vars(hookspecs) if name.startswith("cdp_")])
def test_every_hook_is_documented_with_its_arguments_and_its_example(hook: str) -> None:
    section = page("hooks.md").partition(f"## `{hook}`\n")[2].partition("\n## ")[0]
    for argument in inspect.signature(getattr(hookspecs, hook)).parameters:
        assert f"{argument}: " in section
    assert "@cdp_core.hookimpl" in section


def schemas() -> Iterator[tuple[str, type[marshmallow.Schema]]]:
    catalog = Catalog(create_plugin_manager())
    for declared in WorkspaceSchema().fields.values():
        table = declared.value_field if isinstance(declared, fields.Dict) else declared
        assert isinstance(table, fields.Nested)
        yield "workspace.md", type(table.schema)
    for connection_type in catalog.connection_types.values():
        yield "settings.md", connection_type.settings_schema
    for destination in catalog.destinations.values():
        yield "settings.md", destination.settings_schema


def test_every_setting_is_documented_with_its_help() -> None:
    for where, schema in schemas():
        for name, declared in schema().fields.items():
            assert f"| `{name}` |" in page(where)
            assert declared.metadata.get("help"), (schema, name)
            assert declared.metadata["help"] in page(where)


@pytest.mark.parametrize("action", Action)
def test_every_act_stands_in_the_table_of_roles(action: Action) -> None:
    assert f"| `{action}` |" in page("workspace.md")


OURS = [DOCS.parent / "cdp_core", *(DOCS.parent / "plugins").glob("*/cdp_*")]


def variables() -> Iterator[tuple[str, Path]]:
    """The environment's variables that the code names or asks for, and where."""
    for path in (path for folder in OURS for path in folder.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            match node:
                case ast.Constant(value=str(name)) if re.fullmatch(r"CDP_[A-Z_]+", name):
                    yield name, path
                case ast.Call(
                    func=ast.Attribute(attr="get", value=of), args=[ast.Constant(value=str(name)), *_]
                ):
                    if ast.unparse(of).lower().lstrip("_").endswith(("environ", "environment")):
                        yield name, path
                case ast.Subscript(value=of, slice=ast.Constant(value=str(name))):
                    if ast.unparse(of).lower().endswith("environ"):
                        yield name, path


def test_every_variable_of_the_environment_is_documented() -> None:
    section = page("workspace.md").partition("\n## Environment\n")[2].partition("\n## ")[0]
    named = set(re.findall(r"`([A-Z_]+)`", section))
    found = dict(variables())
    assert {"CDP_WORKSPACE", "CDP_LEDGER_URL", "CDP_SIMULATOR_SECRET", "XDG_CONFIG_HOME"} <= found.keys()
    assert {name: str(path) for name, path in found.items() if name not in named | INNER} == {}


# The shell's completion, which click sets and nobody types.
INNER = {"CDP_COMPLETE"}


def found_missing(commands: list[tuple[str, list[str], str, str]]) -> dict[str, Callable[[], None]]:
    """What may go missing from a page, and the test that has to tell."""
    return {
        "# `cdp export cancel`": lambda: test_every_command_and_option_is_documented(commands),
        "--allow-shrink": lambda: test_every_command_and_option_is_documented(commands),
        "`CDP-706`": lambda: test_every_code_is_documented_with_its_title(Code.SHRINKS),
        "| 10 |": lambda: test_every_exit_status_is_documented(ExitStatus.HELD),
        "## `cdp_roles`": lambda: test_every_hook_is_documented_with_its_arguments_and_its_example(
            "cdp_roles"
        ),
        "| `unusual_share` |": test_every_setting_is_documented_with_its_help,
        "| `audience_id` |": test_every_setting_is_documented_with_its_help,
        "`CDP_LEDGER_URL`": test_every_variable_of_the_environment_is_documented,
        "| `export.run` |": lambda: test_every_act_stands_in_the_table_of_roles(Action.EXPORT_RUN),
    }


def test_what_goes_missing_from_a_page_is_told(
    commands: list[tuple[str, list[str], str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = page
    for words, check in found_missing(commands).items():
        with monkeypatch.context() as gone:
            gone.setitem(globals(), "page", lambda name, words=words: whole(name).replace(words, ""))
            with pytest.raises((AssertionError, KeyError)):
                check()


def test_what_the_code_gains_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting that no page has yet."""
    declared = WorkspaceSchema._declared_fields["alerts"]
    assert isinstance(declared, fields.Nested)
    more: dict[str, Any] = dict(type(declared.schema)._declared_fields)
    more["quiet_hours"] = fields.String(metadata={"help": "When nobody is told."})
    alerts = type("Alerts", (marshmallow.Schema,), more)
    monkeypatch.setitem(WorkspaceSchema._declared_fields, "alerts", fields.Nested(alerts))
    with pytest.raises(AssertionError):
        test_every_setting_is_documented_with_its_help()
