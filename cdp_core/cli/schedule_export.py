"""`cdp export schedule`: when one export runs by itself."""

from __future__ import annotations

from typing import Literal

import click
import rich_click

from cdp_core.cli.command import command, json_option
from cdp_core.cli.page import give
from cdp_core.cli.recurrence import recurrence_options, typed_recurrence
from cdp_core.cli.session import Session
from cdp_core.errors import Code, UsageFault


@command(
    "schedule",
    example='cdp export schedule "Loyal to Snapchat" --cron "30 6 * * mon-fri" --timezone Europe/Amsterdam\n'
    'cdp export schedule "Loyal to Snapchat" off',
)
@rich_click.argument("name")
@rich_click.argument("switch", required=False, type=click.Choice(["on", "off"]), metavar="[on|off]")
@recurrence_options
@rich_click.option("--refresh", is_flag=True, help="Run with every refresh: no times of its own any more.")
@json_option
@click.pass_obj
def schedule_export(
    session: Session,
    /,
    *,
    name: str,
    switch: Literal["on", "off"] | None,
    daily: str | None,
    weekly: str | None,
    at: str | None,
    cron: str | None,
    timezone: str | None,
    refresh: bool,
    as_json: bool,
) -> None:
    """Give an export times of its own, or let it follow the refresh; switch it off, or on again.

    Off keeps what was set: the export runs only by hand then. Whatever is said here also ends a pause that
    the scheduler made.
    """
    from cdp_core.cli.render.schedules import export_schedule as picture

    recurrence = typed_recurrence(daily=daily, weekly=weekly, at=at, cron=cron, timezone=timezone)
    if recurrence is not None and refresh:
        raise UsageFault(
            Code.USAGE, "--refresh and times of its own exclude each other", hint="leave one of them out"
        )
    if recurrence is None and not refresh and switch is None:
        raise UsageFault(
            Code.USAGE,
            "nothing to change was given",
            hint="--daily, --weekly, --cron, --refresh, on or off; `cdp schedule show` shows what there is",
        )
    view = session.cdp().schedules.schedule_export(
        name,
        recurrence=recurrence,
        follow_refresh=refresh,
        active=None if switch is None else switch == "on",
    )
    give(view, lambda: picture(view), as_json=as_json)
