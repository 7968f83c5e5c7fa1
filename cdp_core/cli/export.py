"""`cdp export`: what goes where. Set up, planned, run, looked back on."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import click
import rich_click

from cdp_core.cli.ask import settled
from cdp_core.cli.command import json_option, noun, yes_option
from cdp_core.cli.export_add import add
from cdp_core.cli.export_approval import approvals, approve, reject
from cdp_core.cli.export_cancel import cancel
from cdp_core.cli.export_options import (
    field_option,
    match_option,
    name_argument,
    named,
    over,
    segment_option,
    set_option,
)
from cdp_core.cli.export_runs import history, plan, run
from cdp_core.cli.export_status import status
from cdp_core.cli.forms import pairs, typed_fields, typed_matching
from cdp_core.cli.language import _, marked, said
from cdp_core.cli.leaving import deciding, leaving_options, members_left
from cdp_core.cli.page import give
from cdp_core.cli.policy import policy_options, typed_policy
from cdp_core.cli.render import exports
from cdp_core.cli.render.console import remark
from cdp_core.cli.render.words import plain, quoted
from cdp_core.cli.resync import resync
from cdp_core.cli.schedule_export import schedule_export
from cdp_core.cli.session import Session
from cdp_core.cli.show_run import rejected, show_run
from cdp_core.errors import Code, UsageFault

if TYPE_CHECKING:
    from cdp_core.app.views import ExportView

export = noun(
    "export",
    help="Segments to audiences: set up, plan, run, look back.",
    example='cdp export plan "Loyal to Snapchat"\ncdp export run "Loyal to Snapchat"',
)
export.add_command(add)


@export.verb("list", example="cdp export list")
@json_option
@click.pass_obj
def list_(session: Session, *, as_json: bool) -> None:
    """List the exports with their latest status."""
    views = session.cdp().exports.list()
    give(views, lambda: exports.exports(views), as_json=as_json)


@export.verb("show", example='cdp export show "Loyal to Snapchat"')
@name_argument
@json_option
@click.pass_obj
def show(session: Session, *, name: str | None, as_json: bool) -> None:
    """Show an export: connection, segments, data matching, settings and status."""
    view = session.cdp().exports.show(named(session, name))
    give(view, lambda: exports.export(view), as_json=as_json)


@export.verb(
    "edit",
    example='cdp export edit "Loyal to Snapchat" --segment "Loyal customers" --segment "New customers"',
)
@name_argument
@rich_click.option("--name", "new_name", metavar="NEW", help="Another name.")
@set_option
@match_option
@field_option
@segment_option
@policy_options
@leaving_options
@yes_option
@json_option
@click.pass_obj
def edit(
    session: Session,
    /,
    *,
    name: str | None,
    new_name: str | None,
    settings: tuple[str, ...],
    matching: tuple[str, ...],
    fields: tuple[str, ...],
    segments: tuple[str, ...],
    take_members_out: bool,
    leave_members: bool,
    yes: bool,
    as_json: bool,
    **rules: Any,
) -> None:
    """Change an export. --match, --field and --segment replace what was there; settings that are not
    given stay.

    Another audience raises the question what becomes of the members in the old one: --take-members-out
    or --leave-members; --yes leaves them.
    """
    name = named(session, name)
    typed = set(rules.values()) - {None, False}
    if new_name is None and not (settings or matching or fields or segments or typed):
        raise UsageFault(
            Code.USAGE,
            "nothing to change was given",
            hint="--name, --set, --match, --field, --segment or a rule",
        )
    rooms = session.cdp().exports
    before = rooms.show(name)
    policy = typed_policy(before.policy, **rules)
    if chosen := typed_fields(fields):
        policy = dataclasses.replace(policy, fields=chosen)
    view = deciding(
        lambda leaving: rooms.edit(
            name,
            new_name=new_name,
            settings=pairs(settings, "--set"),
            matching=typed_matching(matching) or None,
            segments=segments or None,
            policy=policy,
            leaving=leaving,
        ),
        name=name,
        claims=before.claims,
        take_members_out=take_members_out,
        leave_members=leave_members,
        yes=yes,
    )
    _tell_unchecked(view)
    moved = before.claims if before.audience != view.audience else 0
    told = members_left(moved, take_members_out=take_members_out).strip() if yes or take_members_out else ""
    give(view, lambda: exports.export(view), as_json=as_json, said=told)


@export.verb(
    "duplicate", example='cdp export duplicate "Loyal to Snapchat" "Loyal to Snapchat, second audience"'
)
@rich_click.argument("name")
@rich_click.argument("new_name", metavar="NEW")
@json_option
@click.pass_obj
def duplicate(session: Session, *, name: str, new_name: str, as_json: bool) -> None:
    """Add an export with the configuration of another."""
    view = session.cdp().exports.duplicate(name, new_name=new_name)
    give(view, lambda: exports.export(view), as_json=as_json)


@export.verb("detach", example='cdp export detach "Loyal to Snapchat" --leave-members')
@name_argument
@leaving_options
@yes_option
@json_option
@click.pass_obj
def detach(
    session: Session,
    *,
    name: str | None,
    take_members_out: bool,
    leave_members: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Take an export off its connection. It keeps its configuration and does not run until it is attached.

    The members that it put into the audience are taken out or left: --yes alone leaves them.
    """
    name = named(session, name)
    rooms = session.cdp().exports
    claims = rooms.show(name).claims
    view = deciding(
        lambda leaving: rooms.detach(name, leaving=leaving),
        name=name,
        claims=claims,
        take_members_out=take_members_out,
        leave_members=leave_members,
        yes=yes,
    )
    told = _("Export {name} has no connection now.").format(name=quoted(name))
    if take_members_out or leave_members or yes:
        told += members_left(claims, take_members_out=take_members_out)
    give(view, lambda: (), as_json=as_json, said=told)


@export.verb("attach", example='cdp export attach "Loyal to Snapchat" --connection "Snapchat EU"')
@name_argument
@rich_click.option("--connection", metavar="NAME", help="The connection to send through.")
@json_option
@click.pass_obj
def attach(session: Session, *, name: str | None, connection: str | None, as_json: bool) -> None:
    """Give a detached export a connection."""
    name = named(session, name)
    view = session.cdp().exports.attach(name, connection=over(session, connection))
    _tell_unchecked(view)
    give(view, lambda: exports.export(view), as_json=as_json)


@export.verb("remove", example='cdp export remove "Loyal to Snapchat" --take-members-out --yes')
@name_argument
@leaving_options
@yes_option
@json_option
@click.pass_obj
def remove(
    session: Session,
    *,
    name: str | None,
    take_members_out: bool,
    leave_members: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Remove an export; the history of its runs stays.

    The members that it put into the audience are taken out or left: --yes alone leaves them.
    """
    name = named(session, name)
    rooms = session.cdp().exports
    claims = rooms.show(name).claims
    settled(marked("Remove export {name}?"), yes=yes, name=quoted(name))
    deciding(
        lambda leaving: rooms.remove(name, leaving=leaving),
        name=name,
        claims=claims,
        take_members_out=take_members_out,
        leave_members=leave_members,
        yes=yes,
    )
    told = _("Export {name} is removed.").format(name=quoted(name))
    if take_members_out or leave_members or yes:
        told += members_left(claims, take_members_out=take_members_out)
    give({"removed": name}, lambda: (), as_json=as_json, said=told)


export.add_command(plan)
export.add_command(run)
export.add_command(cancel)
export.add_command(approvals)
export.add_command(approve)
export.add_command(reject)
export.add_command(status)
export.add_command(history)
export.add_command(schedule_export)
export.add_command(resync)
export.add_command(show_run)
export.add_command(rejected)


def _tell_unchecked(view: ExportView) -> None:
    if view.unchecked:
        remark(_("The audience could not be checked: {why}.").format(why=plain(said(view.unchecked))))
