"""The reference is as complete as the code: every command, option, setting, code, hook and act is in it."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import marshmallow
import pytest
from marshmallow import fields

from cdp_core.cli.root import cli
from cdp_core.cli.session import Session
from cdp_core.contract import hookspecs
from cdp_core.errors import Code, ExitStatus
from cdp_core.model.access import Action
from cdp_core.plugins.catalog import Catalog
from cdp_core.plugins.manager import create_plugin_manager
from cdp_core.workspace.settings import WorkspaceSchema

DOCS = Path(__file__).parents[3] / "docs"


def page(name: str) -> str:
    return (DOCS / "reference" / name).read_text(encoding="utf-8")


def commands(group: click.Group, context: click.Context) -> Iterator[tuple[str, click.Command]]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        inner = click.Context(command, info_name=name, parent=context)
        yield inner.command_path, command
        if isinstance(command, click.Group):
            yield from commands(command, inner)


def all_commands() -> dict[str, click.Command]:
    return dict(commands(cli, click.Context(cli, info_name="cdp", obj=Session())))


def test_the_generated_parts_are_not_behind_the_code() -> None:
    done = subprocess.run(
        [sys.executable, DOCS / "generate.py", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_command_and_option_is_documented() -> None:
    sections = page("cli.md").split("\n## `")
    whole = "\n## `".join(sections)
    for path, command in all_commands().items():
        heading = f"# `{path}`\n"
        assert heading in whole
        section = whole.partition(heading)[2].partition("\n## ")[0].partition("\n### ")[0]
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert all(spelling in section for spelling in parameter.opts), (path, parameter.opts)


def test_every_command_says_what_it_does_and_shows_an_example() -> None:
    for path, command in all_commands().items():
        assert command.help, path
        assert getattr(command, "example", "") or "Example:" in command.help, path


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
        assert isinstance(declared, fields.Nested)
        yield "workspace.md", type(declared.schema)
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
