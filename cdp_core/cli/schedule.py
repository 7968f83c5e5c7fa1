"""`cdp schedule`: the refresh, with which exports run that have no times of their own."""

from __future__ import annotations

import click
import rich_click

from cdp_core.cli.command import json_option, noun
from cdp_core.cli.page import give
from cdp_core.cli.recurrence import recurrence_options, typed_recurrence
from cdp_core.cli.session import Session
from cdp_core.errors import Code, UsageFault

schedule = noun(
    "schedule",
    help="When exports run by themselves: the refresh, which every export follows that has no times of its "
    "own. `cdp scheduler start` is the process that runs them then.",
    example="cdp schedule set --daily 02:00,14:00 --timezone Europe/Amsterdam",
)


@schedule.verb(
    "set",
    example="cdp schedule set --daily 02:00,14:00 --timezone Europe/Amsterdam\n"
    "cdp schedule set --weekly mon,thu --at 02:00\n"
    'cdp schedule set --cron "0 2 1 * *"',
)
@recurrence_options
@rich_click.option(
    "--for-all", is_flag=True, help="Take away the times of their own that exports have. Default: they stay."
)
@json_option
@click.pass_obj
def set_(
    session: Session,
    /,
    *,
    daily: str | None,
    weekly: str | None,
    at: str | None,
    cron: str | None,
    timezone: str | None,
    for_all: bool,
    as_json: bool,
) -> None:
    """Set when the refresh is, and switch it on."""
    from cdp_core.cli.render.schedules import schedule as picture

    recurrence = typed_recurrence(daily=daily, weekly=weekly, at=at, cron=cron, timezone=timezone)
    if recurrence is None:
        raise UsageFault(
            Code.MISSING_VALUE, "no time of the refresh was given", hint="--daily 02:00, --weekly or --cron"
        )
    view = session.cdp().schedules.set(recurrence=recurrence, for_all=for_all)
    give(view, lambda: picture(view), as_json=as_json)


@schedule.verb("off", example="cdp schedule off")
@json_option
@click.pass_obj
def off(session: Session, *, as_json: bool) -> None:
    """Switch the refresh off. What was set is kept, and exports with times of their own still run."""
    _switch(session, active=False, as_json=as_json)


@schedule.verb("on", example="cdp schedule on")
@json_option
@click.pass_obj
def on(session: Session, *, as_json: bool) -> None:
    """Switch the refresh on again, as it was set."""
    _switch(session, active=True, as_json=as_json)


def _switch(session: Session, *, active: bool, as_json: bool) -> None:
    from cdp_core.cli.render.schedules import schedule as picture

    view = session.cdp().schedules.switch(active=active)
    give(view, lambda: picture(view), as_json=as_json)


@schedule.verb("show", example="cdp schedule show")
@json_option
@click.pass_obj
def show(session: Session, *, as_json: bool) -> None:
    """Show the refresh, its next times in its own zone, and when each export runs."""
    from cdp_core.cli.render.schedules import schedule as picture

    view = session.cdp().schedules.show()
    give(view, lambda: picture(view), as_json=as_json)
