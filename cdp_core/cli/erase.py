"""`cdp erase`: a person, taken out of every audience for good; and the receipts of that."""

from __future__ import annotations

import click
import rich_click

from cdp_core.app.erasures import Whom
from cdp_core.app.lists import STANDARD_INPUT
from cdp_core.cli.ask import can_ask, settled
from cdp_core.cli.command import Group, json_option, yes_option
from cdp_core.cli.page import give
from cdp_core.cli.person import kind_options, read_person, refuse_typed
from cdp_core.cli.render.console import remark
from cdp_core.cli.render.words import plain
from cdp_core.cli.session import Session
from cdp_core.errors import Code, ExitStatus, UsageFault


class _Erase(Group):
    """A group that acts by itself. What is typed after it may be a person, and is not repeated."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # Standard input is read where nobody sits at it: a hyphen says no more.
        before = ["", *args]
        return super().parse_args(
            ctx, [each for each, last in zip(args, before, strict=False) if each != "-" or last == "--file"]
        )

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in self.commands and not ctx.resilient_parsing:
            refuse_typed("cdp erase", tuple(args))
        return super().resolve_command(ctx, args)


@rich_click.group(
    "erase",
    cls=_Erase,
    invoke_without_command=True,
    example='cdp erase --dry-run\ncdp erase --note "ticket 4711"\n'
    "cdp erase --file requests.csv --field email --yes\ncdp erase show 20261127-09",
)
@kind_options
@rich_click.option(
    "--file",
    metavar="FILE",
    help="Everybody on a list: .csv, .ndjson, .parquet, or text with one on a line (- reads standard input).",
)
@rich_click.option("--field", metavar="NAME", help="The column of the list; not needed where it is alone.")
@rich_click.option(
    "--as-given",
    is_flag=True,
    help="Erase only what is given; the profiles are not searched for what else is theirs.",
)
@rich_click.option(
    "--note",
    default="",
    metavar="TEXT",
    help="A ticket's number, say: it is kept in the receipt. No identifier.",
)
@rich_click.option(
    "--dry-run", is_flag=True, help="Say which audiences hold the person and what is kept; change nothing."
)
@yes_option
@json_option
@click.pass_context
def erase(
    context: click.Context,
    *,
    kind: str | None,
    region: str | None,
    file: str | None,
    field: str | None,
    as_given: bool,
    note: str,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Erase a person: out of every audience for good, with a receipt of what each service answered. An
    Administrator's, in person.

    The person is asked for, or read from standard input, and never kept. They and all other identifiers of
    their rows are suppressed, removed from each audience past every gate, and taken out of what the workspace
    keeps. What a service has not confirmed is tried again by the same command and by every run on that
    audience; until then the exit status is 9.
    """
    if context.invoked_subcommand is not None:
        return
    from cdp_core.cli.render import erasures as pictures
    from cdp_core.cli.render.lint import reading

    session: Session = context.obj
    person = None if file is not None else read_person("cdp erase --yes", (), several="--file takes a list")
    whom = Whom(person=person, file=file, field=field, kind=kind, region=region, as_given=as_given)
    if dry_run or not yes:
        if not dry_run and (file == STANDARD_INPUT or not can_ask()):
            raise UsageFault(
                Code.NOT_AGREED_TO_ACT,
                "erasing cannot be undone, and there is no terminal to ask on",
                hint="add --yes; to see first what it would do: --dry-run",
            )
        with reading() as progress:
            found = session.cdp().erasures.look(whom=whom, progress=progress)
        if dry_run:
            give(pictures.whereabouts_document(found), lambda: pictures.whereabouts(found), as_json=as_json)
            return
        for line in pictures.in_short(found):
            remark(line)
        settled("Erase? It cannot be undone.", yes=False)
    with reading() as progress:
        view = session.cdp().erasures.erase(
            whom=whom,
            note=note,
            progress=progress,
            at=lambda audience: remark(f"{plain(audience)}…"),
        )
    give(pictures.documents(view.receipts), lambda: pictures.receipts(view.receipts), as_json=as_json)
    if view.unconfirmed:
        context.exit(int(ExitStatus.TEMPORARY))


@erase.verb("show", example="cdp erase show 20261127-091500-7d1fce\ncdp erase show 20261127-09 --json")
@rich_click.argument("receipt", metavar="RECEIPT")
@json_option
@click.pass_obj
def show(session: Session, *, receipt: str, as_json: bool) -> None:
    """Show a receipt: each audience, request, time and answer. With --json it has the digests in full."""
    from cdp_core.cli.render import erasures as pictures

    found = session.cdp().erasures.show(receipt)
    give(pictures.document(found), lambda: pictures.receipt(found), as_json=as_json)


@erase.verb("list", example="cdp erase list --unconfirmed")
@rich_click.option("--unconfirmed", is_flag=True, help="Only those that are not done.")
@rich_click.option(
    "--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many of the newest."
)
@json_option
@click.pass_obj
def list_(session: Session, *, unconfirmed: bool, limit: int, as_json: bool) -> None:
    """List the receipts, the newest first."""
    from cdp_core.cli.render import erasures as pictures

    found = session.cdp().erasures.list(limit=limit, unconfirmed=unconfirmed)
    give(pictures.documents(found), lambda: pictures.listed(found), as_json=as_json)
