"""`cdp config`: configuration as code."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click
import rich_click

from cdp_core.cli.ask import can_ask, settled
from cdp_core.cli.command import json_option, noun, yes_option
from cdp_core.cli.language import marked
from cdp_core.cli.page import give
from cdp_core.cli.render import config as pictures
from cdp_core.cli.render.console import err, remark, show
from cdp_core.cli.render.documents import plain_value, print_document
from cdp_core.cli.render.words import counted
from cdp_core.cli.session import Session
from cdp_core.errors import ExitStatus

if TYPE_CHECKING:
    from cdp_core.app.configuration.views import ConfigDiff

DEFAULT_FILE = "cdp.yaml"

config = noun(
    "config",
    help="Configuration as code: the workspace as a file, compared and applied.\n\n"
    "Segments, connections, exports with their rules and schedules, and roles. Names tell what is what: "
    "another name is another thing. Consent and sign-in stay with people, and secrets where they are.",
    example="cdp config export > cdp.yaml\ncdp config diff\ncdp config apply cdp.yaml --dry-run",
)


@config.verb("export", example="cdp config export > cdp.yaml")
@json_option
@click.pass_obj
def export(session: Session, *, as_json: bool) -> None:
    """Write the workspace's configuration to standard output, as YAML (or JSON, which is the same).

    Of a secret only the reference is in it. What one may not see is left out, and said to be.
    """
    found = session.cdp().configuration.export()
    for sentence in found.left_out:
        remark(sentence, style="yellow")
    if as_json:
        print_document(found.document)
    else:
        # A file is UTF-8, whatever the terminal is.
        sys.stdout.flush()
        sys.stdout.buffer.write(found.text.encode())
        sys.stdout.buffer.flush()


@config.verb("schema", example="cdp config schema > cdp.schema.json")
@click.pass_obj
def schema(session: Session) -> None:
    """Write the JSON Schema of the file, by which an editor knows its fields.

    The settings of each connection type and destination are in it, as the plugins here have them.
    """
    print_document(session.cdp().configuration.schema())


@config.verb("diff", example="cdp config diff\ncdp config diff cdp.yaml --json")
@rich_click.argument("file", default=DEFAULT_FILE)
@json_option
@click.pass_context
def diff(context: click.Context, *, file: str, as_json: bool) -> None:
    """Show what applying FILE (cdp.yaml) would change, and what the workspace has that is not in it.

    The exit status is 0 where nothing differs, and 7 where something does. A section that the file leaves out
    is left alone.
    """
    session: Session = context.obj
    found = session.cdp().configuration.diff(file=file, content=_piped(file))
    give(_document(found), lambda: pictures.diff(found), as_json=as_json)
    if found.differs:
        context.exit(int(ExitStatus.GATE))


@config.verb(
    "apply",
    example="cdp config apply cdp.yaml --dry-run\ncdp config apply cdp.yaml --prune --yes",
)
@rich_click.argument("file")
@rich_click.option("--dry-run", is_flag=True, help="Check everything, say what would be done, do nothing.")
@rich_click.option(
    "--prune",
    is_flag=True,
    help="Also remove what the file's sections do not name, as far as that can be.",
)
@yes_option
@json_option
@click.pass_obj
def apply(session: Session, *, file: str, dry_run: bool, prune: bool, yes: bool, as_json: bool) -> None:
    """Make the workspace as FILE says; - reads standard input.

    All of it is checked first, in a copy: a file with one wrong thing changes nothing. Each change is what
    the command typed by hand would do, with the same rights, and in the audit log. Applied twice, the second
    time changes nothing; interrupted, the next time goes on with the rest.

    Consents and sign-ins are nobody's to give by a file: the commands for them are shown at the end.
    """

    def agree(found: ConfigDiff) -> bool:
        if not yes and can_ask():
            show(*pictures.diff(found), to=err())
        number = counted(len(found.changes), "change", "changes")
        settled(marked("Make {changes}?"), yes=yes, changes=number)
        return True

    done = session.cdp().configuration.apply(
        file=file,
        content=_piped(file),
        prune=prune,
        dry_run=dry_run,
        agree=agree,
        progress=lambda change: remark(pictures.done(change)),
    )
    give(done, lambda: pictures.applied(done, pruned=prune), as_json=as_json)


def _piped(file: str) -> bytes | None:
    if file != "-":
        return None
    from cdp_core.app.configuration.reading import MOST_BYTES

    return sys.stdin.buffer.read(MOST_BYTES + 1)


def _document(found: ConfigDiff) -> dict[str, object]:
    return {"differs": found.differs, **plain_value(found)}
