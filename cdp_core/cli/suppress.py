"""`cdp suppress`: people who are never sent."""

from __future__ import annotations

import click
import rich_click

from cdp_core.cli.ask import settled
from cdp_core.cli.command import json_option, noun, yes_option
from cdp_core.cli.page import give
from cdp_core.cli.person import person_options, read_person
from cdp_core.cli.render import suppressions as pictures
from cdp_core.cli.session import Session
from cdp_core.errors import ExitStatus

suppress = noun(
    "suppress",
    help="People who are never sent, whatever the segments say; kept as digests.",
    example="cdp suppress add\ncdp suppress import objections.csv --field email",
)

note_option = rich_click.option(
    "--note",
    default="",
    metavar="TEXT",
    help="Why, or a ticket's number: it is kept and shown. No identifier.",
)


@suppress.verb(
    "add", example='cdp suppress add --note "ticket 4711"\ncdp suppress add --kind EMAIL < digest.txt'
)
@person_options
@note_option
@json_option
@click.pass_obj
def add(
    session: Session,
    *,
    typed: tuple[str, ...],
    kind: str | None,
    region: str | None,
    note: str,
    as_json: bool,
) -> None:
    """Never send a person again. Each export takes them out of its audience at its next run.

    The person is asked for, or read from standard input; only the digest is kept.
    """
    person = read_person("cdp suppress add", typed, several="a list goes through: cdp suppress import FILE")
    view = session.cdp().suppressions.add(person=person, kind=kind, region=region, note=note)
    give(view, lambda: (), as_json=as_json, said=pictures.added(view))


@suppress.verb("import", example="cdp suppress import objections.csv --field email --default-region NL")
@rich_click.argument("file", metavar="FILE")
@rich_click.option("--kind", metavar="KIND", help="What the list holds. Default: told by each value's form.")
@rich_click.option(
    "--field", metavar="NAME", help="The column of CSV, JSON lines or Parquet; not needed where it is alone."
)
@rich_click.option(
    "--default-region", "region", metavar="CC", help="The country of phone numbers without one, as NL."
)
@note_option
@json_option
@click.pass_context
def import_(
    context: click.Context,
    *,
    file: str,
    kind: str | None,
    field: str | None,
    region: str | None,
    note: str,
    as_json: bool,
) -> None:
    """Never send the people of a list again: .csv, .ndjson, .parquet, or text with one on a line (- reads
    standard input).

    All of it in one transaction. Lines that hold nobody are told by their numbers, and the exit status is 8.
    """
    session: Session = context.obj
    view = session.cdp().suppressions.import_(file=file, kind=kind, field=field, region=region, note=note)
    give(view, lambda: pictures.imported(view), as_json=as_json)
    if view.malformed:
        context.exit(int(ExitStatus.REFUSALS))


@suppress.verb("remove", example="cdp suppress remove\ncdp suppress remove --kind EMAIL --yes < digest.txt")
@person_options
@rich_click.option("--although-erased", is_flag=True, help="Also where the person was erased.")
@yes_option
@json_option
@click.pass_obj
def remove(
    session: Session,
    *,
    typed: tuple[str, ...],
    kind: str | None,
    region: str | None,
    although_erased: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Let a person be sent again, by whatever segments they are in."""
    person = read_person("cdp suppress remove --yes", typed)
    settled("Let this person be sent again?", yes=yes)
    view = session.cdp().suppressions.remove(
        person=person, kind=kind, region=region, although_erased=although_erased
    )
    give(view, lambda: (), as_json=as_json, said=pictures.removed(view))


@suppress.verb("list", example="cdp suppress list --limit 50")
@rich_click.option("--kind", metavar="KIND", help="Only this kind.")
@rich_click.option(
    "--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many of the newest."
)
@json_option
@click.pass_obj
def list_(session: Session, *, kind: str | None, limit: int, as_json: bool) -> None:
    """Count the suppressed, and list the newest by the beginnings of their digests."""
    view = session.cdp().suppressions.list(kind=kind, limit=limit)
    give(view, lambda: pictures.listed(view), as_json=as_json)
