"""`cdp connection audiences`: what can be filled over a connection."""

from __future__ import annotations

import click
import rich_click

from cdp_core.cli.command import command, json_option
from cdp_core.cli.forms import one_of
from cdp_core.cli.page import give
from cdp_core.cli.session import Session


@command("audiences", example='cdp connection audiences "Snapchat EU"')
@rich_click.argument("name", required=False)
@json_option
@click.pass_obj
def audiences(session: Session, *, name: str | None, as_json: bool) -> None:
    """List the audiences at the service, with size, state, retention and the exports that fill them."""
    from cdp_core.cli.render.audiences import audiences as picture

    cdp = session.cdp()
    name = one_of(name, "Connection", lambda: (view.name for view in cdp.connections.list()), option="NAME")
    views = cdp.audiences.of(name)
    give(views, lambda: picture(views), as_json=as_json)
