"""`cdp export plan`, `run` and `history`: an export, or a group of them, at work."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click
import rich_click

from cdp_core.cli.ask import agreeing
from cdp_core.cli.command import command, json_option, yes_option
from cdp_core.cli.export_options import exports_of, name_argument, named
from cdp_core.cli.language import _
from cdp_core.cli.meant import meant_gates, meant_options
from cdp_core.cli.moments import MOMENT
from cdp_core.cli.page import give
from cdp_core.cli.render.documents import report_document
from cdp_core.cli.run_all import in_turn, scheduled
from cdp_core.cli.session import Session
from cdp_core.cli.told import tell_run
from cdp_core.errors import Code, UsageFault
from cdp_core.model.run import Shown

if TYPE_CHECKING:
    from cdp_core.app.run_views import RunReport


@command("plan", example='cdp export plan "Loyal to Snapchat"')
@name_argument
@json_option
@click.pass_context
def plan(context: click.Context, *, name: str | None, as_json: bool) -> None:
    """Work out what a run would add and remove. Nothing is sent; the plan stays on disk.

    NAME may be that of a group: its exports are planned in turn.
    """
    from cdp_core.cli.render.progress import progress

    session: Session = context.obj
    name = named(session, name)
    exports = session.cdp().exports
    names = exports_of(session, name)
    if names != (name,):
        context.exit(
            int(in_turn(names, lambda each, tell, stop: exports.plan(each, progress=tell), as_json=as_json))
        )
    with progress() as tell:
        report = exports.plan(name, progress=tell)
    tell_run(context, report, as_json=as_json)


@command(
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

    Ctrl-C ends the run after the batches in flight; the next run settles what was left. NAME may be that of a
    group. With that or --all no run keeps another from its turn, and the exit status is the worst of theirs.
    """
    from cdp_core.cli.interrupt import stop_on_signal
    from cdp_core.cli.render.progress import progress

    session: Session = context.obj
    if everything:
        if name is not None or plan is not None or any(flags.values()):
            raise UsageFault(
                Code.USAGE, "--all takes no name, plan or gate", hint="run that export by its name"
            )
        names = scheduled(session.cdp())
    else:
        name = named(session, name)
        names = exports_of(session, name)
    exports = session.cdp().exports
    meant = meant_gates(**flags)
    if everything or names != (name,):
        if plan is not None:
            raise UsageFault(Code.USAGE, "a plan is of one export", hint="run that export by its name")
        status = in_turn(
            names,
            lambda each, tell, stop: exports.run(each, progress=tell, stop=stop, meant=meant, agreed=yes),
            as_json=as_json,
            nothing=_("No export has a connection and a schedule that is on."),
        )
        context.exit(int(status))

    def running(agreed: bool) -> RunReport:
        with stop_on_signal() as stop, progress() as tell:
            return exports.run(names[0], plan=plan, progress=tell, stop=stop, meant=meant, agreed=agreed)

    tell_run(context, agreeing(running, yes=yes), as_json=as_json)


@command(
    "history",
    example='cdp export history "Loyal to Snapchat" --limit 5\n'
    "cdp export history --all --status failed --since 2026-11-01",
)
@name_argument
@rich_click.option("--all", "everything", is_flag=True, help="The runs of every export.")
@rich_click.option(
    "--status",
    "shown",
    multiple=True,
    type=click.Choice([str(each) for each in Shown if each is not Shown.QUEUED]),
    help="Only runs that stand so. Repeatable.",
)
@rich_click.option("--since", type=MOMENT, metavar="DATE[TIME]", help="Only runs that began then or later.")
@rich_click.option("--until", type=MOMENT, metavar="DATE[TIME]", help="Only runs that began before then.")
@rich_click.option(
    "--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many of the newest runs."
)
@json_option
@click.pass_obj
def history(
    session: Session,
    *,
    name: str | None,
    everything: bool,
    shown: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    limit: int,
    as_json: bool,
) -> None:
    """List the last runs of an export, the newest first. Times are those of this machine's clock."""
    from cdp_core.cli.render.run import history as picture

    if everything and name is not None:
        raise UsageFault(Code.USAGE, "--all takes no name", hint="leave one of them out")
    reports = session.cdp().exports.history(
        "" if everything else named(session, name),
        shown=[Shown(each) for each in shown],
        since=since.astimezone() if since else None,
        until=until.astimezone() if until else None,
        limit=limit,
    )
    chosen = bool(shown or since or until)
    give(
        [report_document(found) for found in reports],
        lambda: picture((found.run for found in reports), of_all=everything, chosen=chosen),
        as_json=as_json,
    )
