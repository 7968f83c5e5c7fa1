"""`cdp whoami` and `cdp doctor`: the person at the keyboard, and the workspace's health."""

from __future__ import annotations

import click

from cdp_core.cli.command import command, json_option
from cdp_core.cli.page import give
from cdp_core.cli.render import things
from cdp_core.cli.session import Session
from cdp_core.errors import ExitStatus


@command("whoami", example="cdp whoami\ncdp --as anna whoami")
@json_option
@click.pass_obj
def whoami(session: Session, *, as_json: bool) -> None:
    """Show who acts, in which roles, and what they may do."""
    person = session.cdp().whoami()
    give(person, lambda: things.person(person), as_json=as_json)


@command("doctor", example="cdp doctor")
@json_option
@click.pass_context
def doctor(context: click.Context, *, as_json: bool) -> None:
    """Look over the whole workspace; nothing is changed or sent. Exits 3 where something is wrong."""
    session: Session = context.obj
    checks = session.cdp().doctor()
    give(checks, lambda: things.checks(checks), as_json=as_json)
    if any(check.state == "error" for check in checks):
        context.exit(int(ExitStatus.INVALID))
