"""`cdp consent withdrawals`: receipts of runs that took out people who withdrew their consent."""

from __future__ import annotations

import click
import rich_click

from cdp_core.cli.command import command, json_option
from cdp_core.cli.page import give
from cdp_core.cli.session import Session


@command("withdrawals", example="cdp consent withdrawals\ncdp consent withdrawals --limit 100 --json")
@rich_click.option(
    "--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many of the newest."
)
@json_option
@click.pass_obj
def withdrawals(session: Session, *, limit: int, as_json: bool) -> None:
    """List what runs took out because consent was withdrawn: each request, its time, and its answer.

    Who could not be taken out is tried by every later run. Whether a certain person was: cdp explain.
    """
    from cdp_core.cli.render import withdrawals as pictures

    found = session.cdp().erasures.withdrawals(limit=limit)
    give(pictures.document(found), lambda: pictures.listed(found), as_json=as_json)
