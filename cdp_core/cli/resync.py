"""`cdp export resync`: what is in the audience, as far as the ledger knows, sent again on purpose."""

from __future__ import annotations

import click
import rich_click

from cdp_core.cli.ask import settled
from cdp_core.cli.command import command, json_option, yes_option
from cdp_core.cli.forms import one_of
from cdp_core.cli.language import marked
from cdp_core.cli.meant import meant_gates, meant_options
from cdp_core.cli.render.words import quoted
from cdp_core.cli.session import Session
from cdp_core.cli.told import tell_run


@command("resync", example='cdp export resync "Loyal to Snapchat"')
@rich_click.argument("name", required=False)
@meant_options
@yes_option
@json_option
@click.pass_context
def resync(context: click.Context, /, *, name: str | None, yes: bool, as_json: bool, **flags: bool) -> None:
    """Send all members again, where the service has lost the audience and the ledger does not know it.

    It is a run like any other, with its gates, but that it also sends who is there already. Who has left,
    withdrew consent or is suppressed is taken out, and not sent.
    """
    from cdp_core.cli.interrupt import stop_on_signal
    from cdp_core.cli.render.progress import progress

    session: Session = context.obj
    exports = session.cdp().exports
    name = one_of(name, "Export", lambda: (view.name for view in exports.list()), option="NAME")
    claims = exports.show(name).claims
    one = marked("Send the {number} member of {name} again?")
    many = marked("Send the {number} members of {name} again?")
    settled(one if claims == 1 else many, yes=yes, number=claims, name=quoted(name))
    with stop_on_signal() as stop, progress() as tell:
        report = exports.resync(name, progress=tell, stop=stop, meant=meant_gates(**flags))
    tell_run(context, report, as_json=as_json)
