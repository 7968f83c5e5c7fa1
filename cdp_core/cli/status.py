"""`cdp status`: one page on everything."""

from __future__ import annotations

import click

from cdp_core.cli.command import command, json_option
from cdp_core.cli.page import give
from cdp_core.cli.session import Session


@command("status", example="cdp status")
@json_option
@click.pass_obj
def status(session: Session, *, as_json: bool) -> None:
    """How everything stands, on one page.

    The next refresh, each export's last result with the trend of its audience, and what needs somebody, with
    the command to type. No service is asked: `cdp export status` asks for an audience, and `cdp doctor` looks
    into every file.
    """
    from cdp_core.cli.render.overview import overview as picture

    view = session.cdp().overview.show()
    give(view, lambda: picture(view), as_json=as_json)
