"""`cdp role`: who may do what."""

from __future__ import annotations

import click
import rich_click

from cdp_core.cli.ask import agreeing
from cdp_core.cli.command import json_option, noun, yes_option
from cdp_core.cli.page import give
from cdp_core.cli.render import things
from cdp_core.cli.render.console import remark
from cdp_core.cli.render.words import plain
from cdp_core.cli.session import Session

role = noun("role", help="Who may do what in this workspace.", example="cdp role grant anna contributor")


@role.verb("grant", example="cdp role grant anna contributor")
@rich_click.argument("person")
@rich_click.argument("role", metavar="ROLE")
@json_option
@click.pass_obj
def grant(session: Session, *, person: str, role: str, as_json: bool) -> None:
    """Give a person (their login on this machine) a role: viewer, contributor, administrator, …"""
    view = session.cdp().roles.grant(person, role=role)
    if not view.can_act:
        remark(f"This machine knows no login {plain(person)}: check the spelling.", style="yellow")
    give(view, lambda: (), as_json=as_json, said=_said(view.person, view.roles))


@role.verb("revoke", example="cdp role revoke anna contributor")
@rich_click.argument("person")
@rich_click.argument("role", metavar="ROLE")
@yes_option
@json_option
@click.pass_obj
def revoke(session: Session, *, person: str, role: str, yes: bool, as_json: bool) -> None:
    """Take a role from a person. The last Administrator stays; one's own such role is asked about."""
    roles = session.cdp().roles
    view = agreeing(lambda agreed: roles.revoke(person, role=role, agreed=agreed), yes=yes)
    give(view, lambda: (), as_json=as_json, said=_said(view.person, view.roles))


def _said(person: str, roles: tuple[str, ...]) -> str:
    return f"{plain(person)} is now: {', '.join(roles) or 'without a role'}."


@role.verb("explain", example='cdp role explain anna export.run "Loyal to Snapchat"')
@rich_click.argument("person")
@rich_click.argument("action", metavar="ACTION")
@rich_click.argument("about", metavar="[EXPORT|CONNECTION]", required=False, default="")
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
    "--known", is_flag=True, help="List the roles there are and what each may do, instead of people."
)
@json_option
@click.pass_obj
def list_(session: Session, *, known: bool, as_json: bool) -> None:
    """List people and their roles."""
    if known:
        roles = session.cdp().roles.known()
        give(roles, lambda: things.roles(roles), as_json=as_json)
    else:
        grants = session.cdp().roles.list()
        give(grants, lambda: things.grants(grants), as_json=as_json)
