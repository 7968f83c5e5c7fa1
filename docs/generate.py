"""Writes the parts of the pages that the code itself knows: commands, settings, codes, hooks, events, rooms.

    python docs/generate.py            write them anew
    python docs/generate.py --check    say which page is behind the code, and exit 1 if one is

A part stands between `<!-- from the code: NAME -->` and `<!-- end -->`; what is around it is written by
hand. The pages are kept in the repository, so that they can be read there and a change shows in a diff.
"""

from __future__ import annotations

import argparse
import functools
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import click
import floors
import marshmallow
import snapchat_answers
import told
from marshmallow import fields

from cdp_core import errors
from cdp_core.cli import main as process
from cdp_core.cli.root import cli
from cdp_core.cli.session import Session
from cdp_core.contract import hookspecs
from cdp_core.contract.schemas import settings_of
from cdp_core.model.access import Action
from cdp_core.plugins.catalog import Catalog
from cdp_core.plugins.manager import create_plugin_manager
from cdp_core.rules.access import BUILT_IN_ROLES, actions_of
from cdp_core.workspace.tables import WorkspaceSchema

DOCS = Path(__file__).parent
_PART = re.compile(r"(<!-- from the code: ([a-z ]+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def exit_statuses() -> Iterator[str]:
    rows = [(str(int(status)), status.meaning) for status in errors.ExitStatus]
    rows += [
        (
            f"{process.INTERRUPTED}, 143",
            "stopped at once by Ctrl-C or SIGTERM (during a run: by the second one)",
        ),
        (str(process.BROKEN_PIPE), "who read the output has gone (as in `cdp … | head`)"),
    ]
    yield from _table(("Exit", "Meaning"), rows)


def codes() -> Iterator[str]:
    for fault in errors.CdpError.__subclasses__():
        for status in fault.group:
            yield f"## Exit {int(status)}: {status.meaning}\n"
            yield f"{inspect.getdoc(fault)}\n"
            found = sorted((code for code in errors.Code if code.exit_status == status), key=_number)
            yield from _table(("Code", "What happened"), [(f"`{code}`", code.title) for code in found])


def _number(code: errors.Code) -> int:
    return int(str(code).rpartition("-")[2])


def hooks() -> Iterator[str]:
    for name, hook in vars(hookspecs).items():
        if name.startswith("cdp_"):
            said, _, example = (inspect.getdoc(hook) or "").partition("Example:")
            yield f"## `{name}`\n"
            yield f"```python\ndef {name}{_signature(hook)}: ...\n```\n"
            yield f"{said.strip()}\n"
            yield f"{example.strip()}\n"


def _signature(hook: Callable[..., Any]) -> str:
    return str(inspect.signature(hook)).replace("'", "")


def workspace_settings() -> Iterator[str]:
    for table, declared in WorkspaceSchema().fields.items():
        if isinstance(declared, fields.Dict) and isinstance(declared.value_field, fields.Nested):
            yield f"### `[{table}.NAME]`\n"
            yield from _settings(type(declared.value_field.schema))
        elif isinstance(declared, fields.Nested):
            yield f"### `[{table}]`\n"
            yield from _settings(type(declared.schema))


def connection_types() -> Iterator[str]:
    for key, found in sorted(Catalog(create_plugin_manager()).connection_types.items()):
        yield f"### Connection `{key}`: {found.label}\n"
        yield from _settings(found.settings_schema)


def destinations() -> Iterator[str]:
    for key, found in sorted(Catalog(create_plugin_manager()).destinations.items()):
        yield f"### Export to `{key}`: {found.label}\n"
        yield from _settings(found.settings_schema)
        needs = [(f"`{rule.kind}`", rule.need) for rule in found.matching]
        yield "Data matching:\n"
        yield from _table(("Identifier", "Need"), needs)


def snapchat_connection() -> Iterator[str]:
    yield from _settings(Catalog(create_plugin_manager()).connection_type("snapchat").settings_schema)


def snapchat_export() -> Iterator[str]:
    yield from _settings(Catalog(create_plugin_manager()).destination("snapchat").settings_schema)


def what_answers_lead_to() -> Iterator[str]:
    head = ("Snapchat answers", "What `cdp` does", "Code", "Exit", "What to do")
    yield from _table(head, snapchat_answers.rows())


def _settings(schema: type[marshmallow.Schema]) -> Iterator[str]:
    rows = []
    for info in settings_of(schema):
        default = "" if info.default is None or callable(info.default) else f"`{info.default}`"
        need = "required" if info.required else default
        given = " Given by reference only: `--secret`." if info.secret else ""
        asked = " Not asked for at a terminal." if info.advanced and not info.required else ""
        asked += f" {info.deprecated.of('It')}." if info.deprecated else ""
        example = f"`{info.example}`" if info.example else ""
        rows.append((f"`{info.name}`", info.label, need, example, f"{info.help}{given}{asked}"))
    yield from _table(("Setting", "Label", "Default", "Example", "What it is"), rows)


def roles() -> Iterator[str]:
    actions = sorted({action for role in BUILT_IN_ROLES for action in actions_of({role}, BUILT_IN_ROLES)})
    labels = [role.label for role in BUILT_IN_ROLES.values()]
    words = {action: Action(action).in_words for action in actions}
    rows = [
        (
            f"`{action}`",
            words[action],
            *("yes" if action in actions_of({role}, BUILT_IN_ROLES) else "" for role in BUILT_IN_ROLES),
        )
        for action in actions
    ]
    yield from _table(("Act", "May", *labels), rows)


def commands() -> Iterator[str]:
    root = click.Context(cli, info_name="cdp", obj=Session())
    yield "## `cdp`\n"
    yield from _command(cli, root)
    yield from _below(cli, root)


def _below(group: click.Group, context: click.Context) -> Iterator[str]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        inner = click.Context(command, info_name=name, parent=context)
        yield f"{'##' if group is cli else '###'} `{inner.command_path}`\n"
        yield from _command(command, inner)
        if isinstance(command, click.Group):
            yield from _below(command, inner)


def _command(command: click.Command, context: click.Context) -> Iterator[str]:
    yield f"{inspect.cleandoc(command.help or '')}\n"
    if not isinstance(command, click.Group) or command is cli:
        usage = " ".join(command.collect_usage_pieces(context))
        yield f"```\n{context.command_path} {usage}\n```\n"
    rows = [
        (f"`{record[0]}`", record[1])
        for parameter in command.get_params(context)
        if isinstance(parameter, click.Option) and parameter.name != "help"
        if (record := parameter.get_help_record(context))
    ]
    if rows:
        yield from _table(("Option", "What it does"), rows)
    example = getattr(command, "example", "").strip()
    if example:
        yield f"Example:\n\n```sh\n{example}\n```\n"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    lines = [head, ("---",) * len(head), *rows]
    cells = ([cell.replace("|", "\\|").replace("\n", " ").strip() for cell in line] for line in lines)
    yield "\n".join(f"| {' | '.join(line)} |" for line in cells) + "\n"


def _whole_table(made: Callable[[], Iterator[tuple[str, ...]]]) -> Iterator[str]:
    head, *rows = made()
    yield from _table(head, rows)


PARTS: dict[str, Callable[[], Iterator[str]]] = {
    "exit statuses": exit_statuses,
    "codes": codes,
    "hooks": hooks,
    "workspace settings": workspace_settings,
    "connection types": connection_types,
    "destinations": destinations,
    "snapchat connection": snapchat_connection,
    "snapchat export": snapchat_export,
    "snapchat answers": what_answers_lead_to,
    "roles": roles,
    "commands": commands,
    "rooms": functools.partial(_whole_table, floors.rooms),
    **{name: functools.partial(_whole_table, made) for name, made in told.PARTS.items()},
}


def renewed(page: str) -> str:
    """The page with each of its parts made anew."""
    return _PART.sub(lambda found: "\n".join((found[1], *PARTS[found[2]](), found[4])), page)


def wanted() -> Iterator[tuple[Path, str]]:
    """Each page that has such parts, and the picture of the floors, as they are to be."""
    for path in sorted(DOCS.rglob("*.md")):
        page = path.read_text(encoding="utf-8")
        if _PART.search(page) and "_build" not in path.parts:
            yield path, renewed(page)
    yield floors.PICTURE, floors.picture()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args().check
    behind = 0
    for path, now in wanted():
        if not path.exists() or path.read_text(encoding="utf-8") != now:
            behind += 1
            print(f"{path.name} {'is behind the code: make reference' if check else 'is written anew'}")
            if not check:
                path.write_text(now, encoding="utf-8")
    return 1 if check and behind else 0


if __name__ == "__main__":
    sys.exit(main())
