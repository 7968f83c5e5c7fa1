"""`cdp plugins`: what is installed, and what became of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import rich_click

from cdp_core.cli.command import json_option, noun
from cdp_core.cli.logs import write_logs
from cdp_core.cli.page import give
from cdp_core.cli.render import fitness, things
from cdp_core.cli.render.console import remark
from cdp_core.cli.render.words import plain, quoted
from cdp_core.cli.session import Session
from cdp_core.errors import Code, ExitStatus, InvalidFault

if TYPE_CHECKING:
    from cdp_core.plugins.manager import PluginReport

plugins = noun(
    "plugins", help="Plugins: what is installed, loaded, disabled or broken.", example="cdp plugins list"
)


@plugins.verb("list", example="cdp plugins list")
@json_option
@click.pass_obj
def list_(session: Session, *, as_json: bool) -> None:
    """List the installed plugins, in a workspace or before there is one: hooks, and why one was skipped."""
    session.names_skipped = False
    reports = _reports(session)
    give(reports, lambda: things.plugins(reports), as_json=as_json)


def _reports(session: Session) -> tuple[PluginReport, ...]:
    """Before `cdp init`, too, one sees whether what was just installed is there."""
    try:
        return session.cdp().plugins.list()
    except InvalidFault as fault:
        if fault.code is not Code.WORKSPACE_MISSING or session.workspace is not None:
            raise
    from cdp_core.plugins.manager import create_plugin_manager

    remark("There is no workspace here, which could disable some of them.")
    return tuple(create_plugin_manager().reports)


@plugins.verb("check", example="cdp plugins check cdp-acme\ncdp plugins check acme --json")
@rich_click.argument("package")
@json_option
@click.pass_context
def check(context: click.Context, *, package: str, as_json: bool) -> None:
    """Say whether an installed plugin fits this version, for its author and for who is about to upgrade.

    PACKAGE is a distribution (cdp-acme), all of whose plugins are looked at, or one plugin's name. It is
    imported, its declarations are read, and its source is searched for names of cdp_core that are not public.
    No workspace is needed, and no service is asked. Exits 3 where it does not fit.
    """
    from cdp_core.plugins.fitness.check import check as look_over

    write_logs(debug=context.obj.debug)
    found = look_over(package)
    give(found, lambda: fitness.picture(found), as_json=as_json)
    if found.verdict is fitness.UNFIT:
        context.exit(int(ExitStatus.INVALID))


@plugins.verb(
    "record", example="cdp plugins record acme\ncdp plugins record acme --to settings_snapshot.json"
)
@rich_click.argument("name")
@rich_click.option(
    "--to",
    "into",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where to. Default: settings_snapshot.json in the plugin's own package.",
)
@json_option
@click.pass_obj
def record(session: Session, *, name: str, into: Path | None, as_json: bool) -> None:
    """Record a plugin's settings as they are released, so that `check` tells what a later version breaks.

    For its author: the file belongs into the package. Where there is one already, nothing is recorded that
    would break who has set the settings that it holds.
    """
    from cdp_core.plugins.fitness.check import record as write_down

    write_logs(debug=session.debug)
    found = write_down(name, into)
    said = f"The settings of plugin {quoted(found.plugin)} are recorded in {plain(found.file)}."
    give(found, lambda: fitness.changes(found), as_json=as_json, said=said)


@plugins.verb("disable", example="cdp plugins disable acme")
@rich_click.argument("name")
@json_option
@click.pass_obj
def disable(session: Session, *, name: str, as_json: bool) -> None:
    """Leave a plugin out of this workspace, from the next command on."""
    session.cdp().plugins.disable(name)
    give({"disabled": name}, lambda: (), as_json=as_json, said=f"Plugin {quoted(name)} is disabled.")


@plugins.verb("enable", example="cdp plugins enable acme")
@rich_click.argument("name")
@json_option
@click.pass_obj
def enable(session: Session, *, name: str, as_json: bool) -> None:
    """Let a disabled plugin take part again, from the next command on."""
    session.cdp().plugins.enable(name)
    give({"enabled": name}, lambda: (), as_json=as_json, said=f"Plugin {quoted(name)} is enabled.")
