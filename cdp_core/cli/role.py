"""`cdp role`: who may do what."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import click
import rich_click

from cdp_core.cli.ask import agreeing
from cdp_core.cli.command import json_option, noun, yes_option
from cdp_core.cli.page import give
from cdp_core.cli.render import things
from cdp_core.cli.render.console import remark
from cdp_core.cli.render.words import plain, quoted
from cdp_core.cli.session import Session

if TYPE_CHECKING:
    from cdp_core.app.workspace_views import GrantView

F = TypeVar("F", bound=Callable[..., object])

role = noun("role", help="Who may do what in this workspace.", example="cdp role grant anna contributor")


def _scope_options(function: F) -> F:
    group = rich_click.option(
        "--group", is_flag=True, help="The name is that of a group of this machine, not of a person."
    )
    connection = rich_click.option(
        "--connection", metavar="NAME", help="For this connection alone, and what goes through it."
    )
    segment = rich_click.option(
        "--segment", metavar="NAME", help="For this segment alone, and exports of it and of no other."
    )
    return group(connection(segment(function)))


@role.verb(
    "grant",
    example="cdp role grant anna contributor\n"
    "cdp role grant --group marketing contributor\n"
    'cdp role grant bob contributor --connection "Snapchat EU"',
)
@rich_click.argument("person", metavar="PERSON|GROUP")
@rich_click.argument("role", metavar="ROLE")
@_scope_options
@json_option
@click.pass_obj
def grant(
    session: Session,
    *,
    person: str,
    role: str,
    group: bool,
    connection: str | None,
    segment: str | None,
    as_json: bool,
) -> None:
    """Give a person (their login on this machine), or a group, a role: viewer, contributor, administrator, …

    For the whole workspace, or for one connection or segment alone.
    """
    view = session.cdp().roles.grant(person, role=role, group=group, connection=connection, segment=segment)
    if not view.can_act:
        what = "group" if group else "login"
        remark(f"This machine knows no {what} {plain(person)}: check the spelling.", style="yellow")
    if not view.roles:
        flag = "--group " if group else ""
        command = f"cdp role grant {flag}{quoted(person)} viewer"
        remark(f"{plain(person)} sees nothing else here: {command}", style="yellow")
    give(view, lambda: (), as_json=as_json, said=_said(view))


@role.verb("revoke", example="cdp role revoke anna contributor")
@rich_click.argument("person", metavar="PERSON|GROUP")
@rich_click.argument("role", metavar="ROLE")
@_scope_options
@yes_option
@json_option
@click.pass_obj
def revoke(
    session: Session,
    *,
    person: str,
    role: str,
    group: bool,
    connection: str | None,
    segment: str | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Take a role from a person or a group. The last Administrator stays; one's own such role is asked about.

    Runs in the name of whoever may not do so any more end after their batches in flight.
    """
    roles = session.cdp().roles
    view = agreeing(
        lambda agreed: roles.revoke(
            person, role=role, group=group, connection=connection, segment=segment, agreed=agreed
        ),
        yes=yes,
    )
    give(view, lambda: (), as_json=as_json, said=_said(view))


def _said(view: GrantView) -> str:
    who = f"The group {plain(view.person)}" if view.kind == "group" else plain(view.person)
    return f"{who} is now: {things.granted(view.granted, within=view.person) or 'without a role'}."


@role.verb("explain", example='cdp role explain anna export.run "Loyal to Snapchat"')
@rich_click.argument("person")
@rich_click.argument("action", metavar="ACTION")
@rich_click.argument("about", metavar="[EXPORT|CONNECTION|SEGMENT]", required=False, default="")
@json_option
@click.pass_obj
def explain(session: Session, *, person: str, action: str, about: str, as_json: bool) -> None:
    """Say whether a person may do something, and why: every opinion with its reason.

    Any denial wins; where nobody allows it, it is denied. ACTION is a word of the audit log, as export.run.
    """
    view = session.cdp().roles.explain(person, action=action, about=about)
    give(view, lambda: things.access(view), as_json=as_json)


@role.verb("list", example="cdp role list\ncdp role list --known")
@rich_click.option(
    "--known", is_flag=True, help="List the roles there are and what each may do, instead of who has them."
)
@json_option
@click.pass_obj
def list_(session: Session, *, known: bool, as_json: bool) -> None:
    """List people and groups with their roles."""
    if known:
        roles = session.cdp().roles.known()
        give(roles, lambda: things.roles(roles), as_json=as_json)
    else:
        grants = session.cdp().roles.list()
        give(grants, lambda: things.grants(grants), as_json=as_json)
