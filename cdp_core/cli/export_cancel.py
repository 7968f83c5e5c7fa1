"""`cdp export cancel`: a run that is under way anywhere ends after its batches in flight."""

from __future__ import annotations

import click
import rich_click

from cdp_core.cli.command import command, json_option
from cdp_core.cli.export_options import name_argument, named
from cdp_core.cli.language import _
from cdp_core.cli.page import give
from cdp_core.cli.render.words import count, outcome_word, plain
from cdp_core.cli.session import Session
from cdp_core.errors import Code, TemporaryFault
from cdp_core.model.names import as_typed


@command("cancel", example='cdp export cancel "Loyal to Snapchat"')
@name_argument
@rich_click.option(
    "--wait",
    "within",
    type=click.FloatRange(min=0),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for the run to end; 0 asks it to, and no more.",
)
@json_option
@click.pass_obj
def cancel(session: Session, *, name: str | None, within: float, as_json: bool) -> None:
    """End an export's run after the batches in flight, also one in another process or on another machine.

    What was sent stays, and the next run plans anew what was not. A run that failed, and that the scheduler
    would try again, is not tried again until the next time.
    """
    name = named(session, name)
    view = session.cdp().exports.cancel(name, within=within)
    run = view.run
    if run is None:
        said = _("{export} is not tried again until its next time.").format(export=plain(view.export))
    elif not view.ended:
        said = _("Run {run} is asked to end.").format(run=run.id)
    else:
        said = _("Run {run} has ended: {status}; {accepted} digests were accepted, {left} are left.").format(
            run=run.id,
            status=_(outcome_word(run)),
            accepted=count(run.delivered.accepted),
            left=count(run.delivered.unknown + run.delivered.not_sent),
        )
    give(view, lambda: (), as_json=as_json, said=said)
    if not view.ended and within:
        raise TemporaryFault(
            Code.CANCELED,
            f"the run was asked to end, and has not within {within:g} s",
            where=f"run {run.id if run else ''}",
            hint=f"it ends when its batches in flight are answered: cdp export history {as_typed(name)}",
        )
