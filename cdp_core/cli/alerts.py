"""`cdp alerts`: what was told to whom, and whether it arrives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import rich_click

from cdp_core.cli.command import json_option, noun
from cdp_core.cli.failure import show_error
from cdp_core.cli.page import give
from cdp_core.cli.render import things
from cdp_core.cli.render.documents import error_document
from cdp_core.cli.session import Session
from cdp_core.errors import ExitStatus

if TYPE_CHECKING:
    from cdp_core.app.run_views import AlertWay

alerts = noun(
    "alerts",
    help="Who is told when something changes while nobody looks: a scheduled run that fails, recovers, or "
    "was not run in its time. Where they go stands in cdp.toml, under [alerts].",
    example="cdp alerts test",
)


@alerts.verb("list", example="cdp alerts list --limit 50")
@rich_click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many.")
@json_option
@click.pass_obj
def list_(session: Session, *, limit: int, as_json: bool) -> None:
    """List the newest alerts, and by what way they have still to be sent."""
    found = session.cdp().alerts.list(limit=limit)
    give(found, lambda: things.alerts(found), as_json=as_json)


@alerts.verb("test", example="cdp alerts test")
@json_option
@click.pass_context
def test(context: click.Context, *, as_json: bool) -> None:
    """Send a test by every way. Exits with the worst of what stood in their way."""
    session: Session = context.obj
    ways = session.cdp().alerts.test()
    give(
        [_document(each) for each in ways],
        lambda: things.alert_ways(ways),
        as_json=as_json,
    )
    for each in ways:
        if (fault := each.fault) is not None:
            show_error(str(fault.code), fault.message, where=fault.where, hint=fault.hint)
    context.exit(int(ExitStatus.worst([each.fault.exit_status for each in ways if each.fault])))


def _document(way: AlertWay) -> dict[str, Any]:
    error = error_document(way.fault) if way.fault is not None else {"error": None}
    return {"way": way.way, "sent": way.fault is None, **error}
