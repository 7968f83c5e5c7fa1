"""`cdp export`: what goes where. Set up, planned, run, looked back on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import rich_click

from cdp_core.cli.ask import agreeing, settled
from cdp_core.cli.command import json_option, noun, yes_option
from cdp_core.cli.forms import (
    asked_name,
    complete_matching,
    complete_segments,
    complete_settings,
    missing_of_export,
    one_of,
    pairs,
    require_known_kinds,
    require_settings,
    typed_matching,
    typed_settings,
)
from cdp_core.cli.leaving import deciding, leaving_options, members_left
from cdp_core.cli.meant import meant_gates, meant_options
from cdp_core.cli.page import give
from cdp_core.cli.policy import policy_options, typed_policy
from cdp_core.cli.render import things
from cdp_core.cli.render.documents import report_document
from cdp_core.cli.render.words import quoted
from cdp_core.cli.resync import resync
from cdp_core.cli.run_all import run_all
from cdp_core.cli.schedule_export import schedule_export
from cdp_core.cli.session import Session
from cdp_core.cli.show_run import rejected, show_run
from cdp_core.cli.told import tell_run
from cdp_core.errors import Code, UsageFault
from cdp_core.model.policy import Policy

if TYPE_CHECKING:
    from cdp_core.app.views import RunReport

export = noun(
    "export",
    help="Segments to audiences: set up, plan, run, look back.",
    example='cdp export plan "Loyal to Snapchat"\ncdp export run "Loyal to Snapchat"',
)

set_option = rich_click.option(
    "--set", "settings", multiple=True, metavar="NAME=VALUE", help="A setting of the destination. Repeatable."
)
match_option = rich_click.option(
    "--match",
    "matching",
    multiple=True,
    metavar="KIND=FIELD",
    help="Data matching: the profile field that feeds an identifier, for example EMAIL=email. Repeatable.",
)
segment_option = rich_click.option(
    "--segment",
    "segments",
    multiple=True,
    metavar="NAME",
    help="A segment whose members are sent. Repeatable.",
)
name_argument = rich_click.argument("name", required=False)


def _named(session: Session, name: str | None) -> str:
    return one_of(name, "Export", lambda: (view.name for view in session.cdp().exports.list()), option="NAME")


def _over(session: Session, connection: str | None) -> str:
    return one_of(
        connection,
        "Connection",
        lambda: (view.name for view in session.cdp().connections.list()),
        option="--connection NAME",
    )


@export.verb(
    "add",
    example='cdp export add "Loyal to Snapchat" --connection "Snapchat EU" '
    '--set audience_id=5677923948298240 --match EMAIL=email --segment "Loyal customers"',
)
@name_argument
@rich_click.option("--connection", metavar="NAME", help="The connection to send through.")
@set_option
@match_option
@segment_option
@policy_options
@json_option
@click.pass_obj
def add(
    session: Session,
    /,
    *,
    name: str | None,
    connection: str | None,
    settings: tuple[str, ...],
    matching: tuple[str, ...],
    segments: tuple[str, ...],
    as_json: bool,
    **rules: Any,
) -> None:
    """Add an export. Nothing is sent until it is run. On a terminal, what is missing is asked for."""
    matches = typed_matching(matching)
    policy = typed_policy(Policy(), **rules)
    rooms = session.cdp().exports
    name = name or asked_name(
        "Name", "export", lambda: (view.name for view in rooms.list()), option="cdp export add NAME"
    )
    connection = _over(session, connection)
    form = rooms.options(name, connection=connection)
    require_known_kinds(form, matches)
    values = typed_settings(form.settings, settings)
    require_settings(form.settings, values, also=missing_of_export(form, matches, segments))
    complete_settings(form.settings, values, {})
    view = rooms.add(
        name,
        connection=connection,
        settings=values,
        matching=complete_matching(form, matches),
        segments=complete_segments(form, segments),
        policy=policy,
    )
    give(view, lambda: things.added_export(view), as_json=as_json)


@export.verb("list", example="cdp export list")
@json_option
@click.pass_obj
def list_(session: Session, *, as_json: bool) -> None:
    """List the exports with their latest status."""
    views = session.cdp().exports.list()
    give(views, lambda: things.exports(views), as_json=as_json)


@export.verb("show", example='cdp export show "Loyal to Snapchat"')
@name_argument
@json_option
@click.pass_obj
def show(session: Session, *, name: str | None, as_json: bool) -> None:
    """Show an export: connection, segments, data matching, settings and status."""
    view = session.cdp().exports.show(_named(session, name))
    give(view, lambda: things.export(view), as_json=as_json)


@export.verb(
    "edit",
    example='cdp export edit "Loyal to Snapchat" --segment "Loyal customers" --segment "New customers"',
)
@name_argument
@rich_click.option("--name", "new_name", metavar="NEW", help="Another name.")
@set_option
@match_option
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
    segments: tuple[str, ...],
    take_members_out: bool,
    leave_members: bool,
    yes: bool,
    as_json: bool,
    **rules: Any,
) -> None:
    """Change an export. --match and --segment replace what was there; settings that are not given stay.

    Another audience raises the question what becomes of the members in the old one: --take-members-out
    or --leave-members; --yes leaves them.
    """
    name = _named(session, name)
    typed = set(rules.values()) - {None, False}
    if new_name is None and not settings and not matching and not segments and not typed:
        raise UsageFault(
            Code.USAGE, "nothing to change was given", hint="--name, --set, --match, --segment or a rule"
        )
    rooms = session.cdp().exports
    before = rooms.show(name)
    policy = typed_policy(before.policy, **rules)
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
        take_members_out=take_members_out,
        leave_members=leave_members,
        yes=yes,
    )
    moved = before.claims if before.audience != view.audience else 0
    said = members_left(moved, take_members_out=take_members_out).strip() if yes or take_members_out else ""
    give(view, lambda: things.export(view), as_json=as_json, said=said)


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
    give(view, lambda: things.export(view), as_json=as_json)


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
    name = _named(session, name)
    rooms = session.cdp().exports
    claims = rooms.show(name).claims
    view = deciding(
        lambda leaving: rooms.detach(name, leaving=leaving),
        take_members_out=take_members_out,
        leave_members=leave_members,
        yes=yes,
    )
    said = f"Export {quoted(name)} has no connection now."
    if take_members_out or leave_members or yes:
        said += members_left(claims, take_members_out=take_members_out)
    give(view, lambda: (), as_json=as_json, said=said)


@export.verb("attach", example='cdp export attach "Loyal to Snapchat" --connection "Snapchat EU"')
@name_argument
@rich_click.option("--connection", metavar="NAME", help="The connection to send through.")
@json_option
@click.pass_obj
def attach(session: Session, *, name: str | None, connection: str | None, as_json: bool) -> None:
    """Give a detached export a connection."""
    name = _named(session, name)
    view = session.cdp().exports.attach(name, connection=_over(session, connection))
    give(view, lambda: things.export(view), as_json=as_json)


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
    name = _named(session, name)
    settled(f"Remove export {quoted(name)}?", yes=yes)
    rooms = session.cdp().exports
    claims = rooms.show(name).claims
    deciding(
        lambda leaving: rooms.remove(name, leaving=leaving),
        take_members_out=take_members_out,
        leave_members=leave_members,
        yes=yes,
    )
    said = f"Export {quoted(name)} is removed."
    if take_members_out or leave_members or yes:
        said += members_left(claims, take_members_out=take_members_out)
    give({"removed": name}, lambda: (), as_json=as_json, said=said)


@export.verb("plan", example='cdp export plan "Loyal to Snapchat"')
@name_argument
@json_option
@click.pass_context
def plan(context: click.Context, *, name: str | None, as_json: bool) -> None:
    """Work out what a run would add and remove. Nothing is sent; the plan stays on disk."""
    from cdp_core.cli.render.progress import progress

    session: Session = context.obj
    name = _named(session, name)
    exports = session.cdp().exports
    with progress() as tell:
        report = exports.plan(name, progress=tell)
    tell_run(context, report, as_json=as_json)


@export.verb(
    "run",
    example='cdp export run "Loyal to Snapchat"\ncdp export run "Loyal to Snapchat" --plan ID --json\n'
    "cdp export run --all",
)
@name_argument
@rich_click.option(
    "--all", "everything", is_flag=True, help="Run every export whose schedule is on, one after another."
)
@rich_click.option(
    "--plan", metavar="ID", help="Deliver this plan as it is, or not at all. Default: plan anew."
)
@meant_options
@yes_option
@json_option
@click.pass_context
def run(
    context: click.Context,
    /,
    *,
    name: str | None,
    everything: bool,
    plan: str | None,
    yes: bool,
    as_json: bool,
    **flags: bool,
) -> None:
    """Bring the audience up to today's segments.

    In the mode replace it empties the audience first, and asks before that: --yes says so in a script.

    Gates stop it (exit 7) before anything is sent where something looks like a mistake; --allow-… and
    --accept-… say for this run that it is meant, which the audit log keeps.

    Ctrl-C ends the run after the batches in flight; the next run settles what was left. With --all no run
    keeps another from its turn, and the exit status is the worst of theirs.
    """
    from cdp_core.cli.interrupt import stop_on_signal
    from cdp_core.cli.render.progress import progress

    session: Session = context.obj
    if everything:
        if name is not None or plan is not None or any(flags.values()):
            raise UsageFault(
                Code.USAGE, "--all takes no name, plan or gate", hint="run that export by its name"
            )
        context.exit(int(run_all(session.cdp(), yes=yes, as_json=as_json)))
    name = _named(session, name)
    exports = session.cdp().exports
    meant = meant_gates(**flags)

    def running(agreed: bool) -> RunReport:
        with stop_on_signal() as stop, progress() as tell:
            return exports.run(name, plan=plan, progress=tell, stop=stop, meant=meant, agreed=agreed)

    tell_run(context, agreeing(running, yes=yes), as_json=as_json)


@export.verb("history", example='cdp export history "Loyal to Snapchat" --limit 5')
@name_argument
@rich_click.option(
    "--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many of the newest runs."
)
@json_option
@click.pass_obj
def history(session: Session, *, name: str | None, limit: int, as_json: bool) -> None:
    """List the last runs of an export, the newest first."""
    from cdp_core.cli.render.run import history as picture

    reports = session.cdp().exports.history(_named(session, name), limit=limit)
    give(
        [report_document(found) for found in reports],
        lambda: picture(found.run for found in reports),
        as_json=as_json,
    )


export.add_command(schedule_export)
export.add_command(resync)
export.add_command(show_run)
export.add_command(rejected)
