"""`cdp ledger`: what audiences hold. Looked at, rebuilt from receipts, given up, encrypted, moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import rich_click

from cdp_core.cli.ask import can_ask, settled
from cdp_core.cli.command import json_option, noun, yes_option
from cdp_core.cli.forms import pairs
from cdp_core.cli.page import give
from cdp_core.cli.render import things
from cdp_core.cli.render.console import remark
from cdp_core.cli.render.words import counted, plain
from cdp_core.cli.session import Session
from cdp_core.errors import Code, UsageFault

if TYPE_CHECKING:
    from cdp_core.app.workspace_views import MovedLedgers, ResealedLedgers

ledger = noun(
    "ledger",
    help="What audiences hold: look, rebuild, give up, encrypt, move. An Administrator's.",
    example='cdp ledger show "Loyal to Snapchat"\ncdp ledger rebuild "Loyal to Snapchat"',
)
audience_argument = rich_click.argument("name", metavar="EXPORT|AUDIENCE")


@ledger.verb("show", example='cdp ledger show "Loyal to Snapchat"\ncdp ledger show 5677923948298240')
@audience_argument
@json_option
@click.pass_obj
def show(session: Session, *, name: str, as_json: bool) -> None:
    """Show what an audience holds and for which export, and which of its files are not as they should be."""
    view = session.cdp().ledgers.show(name)
    give(view, lambda: things.ledger(view), as_json=as_json)


@ledger.verb("rebuild", example='cdp ledger rebuild "Loyal to Snapchat"')
@audience_argument
@yes_option
@json_option
@click.pass_obj
def rebuild(session: Session, *, name: str, yes: bool, as_json: bool) -> None:
    """Make an audience's ledger anew, from the plans and receipts of its runs. Nothing is sent.

    The old files, and whatever else lies among them, are moved to ledger-aside/, not deleted. Where a plan
    is gone, the receipts do not tell all: this is said, and needs a yes.
    """
    ledgers = session.cdp().ledgers
    try:
        view = ledgers.rebuild(name, accept_losses=yes)
    except UsageFault as fault:
        if fault.code is not Code.NOT_AGREED_TO_ACT or not can_ask():
            raise
        remark(f"{fault.message}. {fault.hint}.")
        settled("Rebuild the ledger without them?", yes=False)
        view = ledgers.rebuild(name, accept_losses=True)
    give(view, lambda: things.mended_ledger(view), as_json=as_json)


@ledger.verb("reset", example='cdp ledger reset "Loyal to Snapchat"')
@audience_argument
@yes_option
@json_option
@click.pass_obj
def reset(session: Session, *, name: str, yes: bool, as_json: bool) -> None:
    """Give an audience's ledger up: forget who is in the audience. Nothing is sent.

    The files are moved to ledger-aside/, not deleted. The next run of each export sends all its members
    again. Members who are not wanted any more by then stay in the audience: no run takes them out.
    """
    ledgers = session.cdp().ledgers
    before = ledgers.show(name)
    held = sum(sum(kinds.values()) for kinds in before.claims.values())
    remark(
        f"The ledger of {plain(before.audience)} holds {counted(held, 'claim')} of "
        f"{counted(len(before.claims), 'export')}. Without it nobody knows who is in the audience: the next "
        "run of each export sends all its members again, and members who are not wanted any more by then "
        "stay in the audience; no run takes them out."
    )
    settled("Give the ledger up?", yes=yes)
    view = ledgers.reset(name)
    give(view, lambda: things.mended_ledger(view), as_json=as_json)


@ledger.verb("encrypt", example="cdp ledger encrypt")
@json_option
@click.pass_obj
def encrypt(session: Session, *, as_json: bool) -> None:
    """Encrypt ledgers and plans on the disk: those that there are, and all that come.

    The key is made in the vault, and lies nowhere else: a backup of the workspace needs the vault, too.
    Killed half-way, nothing is lost, and the same command finishes it.
    """
    view = session.cdp().ledgers.encrypt(progress=_tell)
    give(view, lambda: (), as_json=as_json, said=_resealed(view))


@ledger.verb("decrypt", example="cdp ledger decrypt --yes")
@yes_option
@json_option
@click.pass_obj
def decrypt(session: Session, *, yes: bool, as_json: bool) -> None:
    """Write ledgers and plans in the clear again: those that there are, and all that come."""
    settled("Write what the audiences hold to the disk in the clear?", yes=yes)
    view = session.cdp().ledgers.decrypt(progress=_tell)
    give(view, lambda: (), as_json=as_json, said=_resealed(view))


@ledger.verb("move", example="cdp ledger move --to s3://bucket/prefix\ncdp ledger move --to workspace")
@rich_click.option(
    "--to",
    metavar="URL|workspace",
    required=True,
    help="Where they are to lie: s3://, gs://, abfs:// or sftp://, another of fsspec's, or the workspace.",
)
@rich_click.option(
    "--option",
    "options",
    multiple=True,
    metavar="NAME=VALUE",
    help="What the URL's library takes, for example endpoint_url=https://…; secrets by reference (env:NAME). "
    "Repeatable. Default: as before.",
)
@json_option
@click.pass_obj
def move(session: Session, *, to: str, options: tuple[str, ...], as_json: bool) -> None:
    """Move ledgers and plans to a URL that several machines reach, or back into the workspace.

    All is copied and read back before the settings name the new place, while no run can begin. Killed before,
    nothing has changed. The old files stay where they are. To the URL where they lie already, it brings what
    is missing there and still lies here.
    """
    url = None if to == "workspace" else to
    given = pairs(options, "--option") if options else None
    view = session.cdp().ledgers.move(url, options=given, progress=_tell)
    give(view, lambda: (), as_json=as_json, said=_moved(view))


def _moved(view: MovedLedgers) -> str:
    said = (
        f"Ledgers and plans lie at {plain(view.place)} now: {counted(view.files, 'file')} and "
        f"{counted(view.plans, 'plan')}, copied and read back."
    )
    if view.lost:
        said += f" {counted(view.lost, 'plan')} were gone before."
    if view.before != view.place:
        said += f" The old files stay at {plain(view.before)}: remove them when nobody goes back to them."
    return said


def _tell(audience: str) -> None:
    remark(f"{plain(audience)}…")


def _resealed(view: ResealedLedgers) -> str:
    form = "encrypted" if view.encrypted else "in the clear"
    written = f"{counted(view.files, 'file')} and {counted(view.plans, 'plan')} written anew"
    said = f"Ledgers and plans are {form}: {written}."
    if view.spoilt:
        said += f" {counted(view.spoilt, 'plan')} that nothing could read went."
    if view.aside:
        said += f" What was moved aside before is as it was: {plain(view.aside)}."
    return said
