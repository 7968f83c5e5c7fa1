"""`cdp export status`: how the service sees an export's audience, beside what the ledger says."""

from __future__ import annotations

import click

from cdp_core.cli.command import command, json_option
from cdp_core.cli.export_options import exports_of, name_argument, named
from cdp_core.cli.page import give
from cdp_core.cli.session import Session


@command("status", example='cdp export status "Loyal to Snapchat"')
@name_argument
@json_option
@click.pass_obj
def status(session: Session, *, name: str | None, as_json: bool) -> None:
    """Ask the service for the audience's size and state, and say where they cannot be what was sent.

    With the trend over the runs. NAME may be that of a group.
    """
    from cdp_core.cli.render.audiences import status as picture

    name = named(session, name)
    names = exports_of(session, name)
    found = [session.cdp().audiences.status(export=each) for each in names]
    give(
        found[0] if names == (name,) else found,
        lambda: (shown for each in found for shown in picture(each)),
        as_json=as_json,
    )
