"""`cdp plugins`: what is installed, and what became of it."""

from __future__ import annotations

import click
import rich_click

from cdp_core.cli.command import json_option, noun
from cdp_core.cli.page import give
from cdp_core.cli.render import things
from cdp_core.cli.render.words import quoted
from cdp_core.cli.session import Session

plugins = noun(
    "plugins", help="Plugins: what is installed, loaded, disabled or broken.", example="cdp plugins list"
)


@plugins.verb("list", example="cdp plugins list")
@json_option
@click.pass_obj
def list_(session: Session, *, as_json: bool) -> None:
    """List the installed plugins with the hooks they implement, and why one was skipped."""
    session.names_skipped = False
    reports = session.cdp().plugins.list()
    give(reports, lambda: things.plugins(reports), as_json=as_json)


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
