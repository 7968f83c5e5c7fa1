"""`cdp consent`: who agreed to what, the texts themselves, and how it ends."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click
import rich_click

from cdp_core.cli.ask import ask_yes, can_ask, settled
from cdp_core.cli.command import json_option, noun, yes_option
from cdp_core.cli.failure import show_error
from cdp_core.cli.forms import one_of
from cdp_core.cli.language import _, marked
from cdp_core.cli.page import give
from cdp_core.cli.render import consents
from cdp_core.cli.render.console import remark, show
from cdp_core.cli.render.documents import error_document
from cdp_core.cli.render.words import counted, quoted
from cdp_core.cli.session import Session
from cdp_core.cli.withdrawals import withdrawals
from cdp_core.errors import Code, ExitStatus, TemporaryFault, UsageFault
from cdp_core.model.names import as_typed

if TYPE_CHECKING:
    from cdp_core.app.consent_views import TakenOut, WithdrawalView

consent = noun(
    "consent",
    help="Consent on record: who agreed to what, and its end.",
    example='cdp consent list\ncdp consent withdraw "Snapchat EU" --remove --yes',
)
consent.add_command(withdrawals)
connection_argument = rich_click.argument("connection", required=False)


def _named(session: Session, name: str | None) -> str:
    return one_of(
        name,
        "Connection",
        lambda: (view.name for view in session.cdp().connections.list()),
        option="CONNECTION",
    )


@consent.verb("list", example="cdp consent list --json")
@json_option
@click.pass_obj
def list_(session: Session, *, as_json: bool) -> None:
    """List each connection's consent: who agreed, when, to which version and language, and whether it holds.

    To agree: cdp connection agree.
    """
    views = session.cdp().consents.list()
    give(views, lambda: consents.standings(views), as_json=as_json)


@consent.verb("show", example='cdp consent show "Snapchat EU"')
@connection_argument
@json_option
@click.pass_obj
def show_(session: Session, *, connection: str | None, as_json: bool) -> None:
    """Print the texts that were agreed to for a connection, as they were then."""
    views = session.cdp().consents.show(_named(session, connection))
    give(views, lambda: consents.texts_agreed_to(views), as_json=as_json)


@consent.verb("withdraw", example='cdp consent withdraw "Snapchat EU" --remove --yes')
@connection_argument
@rich_click.option(
    "--remove", is_flag=True, help="Take out of the audiences what the connection's exports have put there."
)
@rich_click.option("--keep", is_flag=True, help="Leave it in the audiences.")
@rich_click.option(
    "--wait",
    "within",
    type=click.FloatRange(min=0),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for runs under way to end.",
)
@yes_option
@json_option
@click.pass_obj
def withdraw(
    session: Session,
    *,
    connection: str | None,
    remove: bool,
    keep: bool,
    within: float,
    yes: bool,
    as_json: bool,
) -> None:
    """End the consent of a connection. Nothing is sent through it any more: runs under way end, too.

    What was sent is removed or kept; --yes alone keeps it. Until somebody agrees again, every run of its
    exports stops before anything is sent.
    """
    if remove and keep:
        raise UsageFault(Code.USAGE, "--remove and --keep exclude each other", hint="give one of them")
    name = _named(session, connection)
    rooms = session.cdp().consents
    question = marked("Nothing is sent through connection {name} any more: withdraw its consent?")
    settled(question, yes=yes, name=quoted(name))
    if not (remove or keep or yes or can_ask()):
        raise UsageFault(
            Code.NOT_AGREED_TO_ACT, "is what was sent removed or kept?", hint="--remove or --keep"
        )
    view = rooms.withdraw(name, within=within)
    if not as_json:
        show(*consents.withdrawal(view))
    still = [run for run in view.runs if not run.ended]
    taken: Sequence[TakenOut] = ()
    if view.sent and not still and (remove or (not keep and not yes and _wants_removal(view))):
        from cdp_core.cli.render.progress import progress

        with progress() as tell:
            taken = rooms.take_out(name, progress=tell)
    if as_json:
        give(_document(view, taken), lambda: (), as_json=True)
    else:
        show(*consents.left(view, taken))
    for each in taken:
        if each.fault is not None:
            show_error(
                str(each.fault.code), each.fault.message, where=f"export {each.export}", hint=each.fault.hint
            )
    if still:
        raise TemporaryFault(
            Code.CANCELED,
            f"consent is withdrawn, and {len(still)} runs have not ended within {within:g} s",
            where=f"run {still[0].run}",
            hint="they end when their batches in flight are answered"
            + (f"; then: cdp consent withdraw {as_typed(name)} --remove --yes" if remove else ""),
        )
    worst = ExitStatus.worst([each.fault.exit_status for each in taken if each.fault is not None])
    if worst is not ExitStatus.DONE:
        raise SystemExit(int(worst))


def _wants_removal(view: WithdrawalView) -> bool:
    members = sum(each.members for each in view.sent)
    remark(
        _("Sent through {name}, and still in its audiences: {members}.").format(
            members=counted(members, "member"), name=quoted(view.connection)
        )
    )
    return ask_yes("Take them out now?")


def _document(view: WithdrawalView, taken: Sequence[TakenOut]) -> dict[str, Any]:
    return dataclasses.asdict(view) | {
        "taken_out": [
            {
                "export": each.export,
                "members": each.members,
                "left": each.left,
                "run": each.run,
                "error": error_document(each.fault)["error"] if each.fault else None,
            }
            for each in taken
        ]
    }
