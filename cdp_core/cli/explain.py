"""`cdp explain`: one person, and what became of them."""

from __future__ import annotations

import click
import rich_click

from cdp_core.cli.command import command, json_option
from cdp_core.cli.page import give
from cdp_core.cli.person import person_options, read_person
from cdp_core.cli.session import Session


@command("explain", example='cdp explain\ncdp explain --kind EMAIL --export "Loyal to Snapchat" < digest.txt')
@person_options
@rich_click.option(
    "--export", metavar="NAME", help="Only this export and its audience. Default: all of them."
)
@json_option
@click.pass_obj
def explain(
    session: Session,
    *,
    typed: tuple[str, ...],
    kind: str | None,
    region: str | None,
    export: str | None,
    as_json: bool,
) -> None:
    """Explain what became of a person: when they were added, by which run and batch, or why they never were.

    The person is asked for, or read from standard input; nothing of it is kept but that somebody asked,
    with the digest's beginning. Administrators only.
    """
    from cdp_core.cli.render.explanation import document, picture
    from cdp_core.cli.render.lint import reading

    person = read_person("cdp explain", typed)
    with reading() as progress:
        found = session.cdp().people.explain(
            person=person, kind=kind, region=region, export=export, progress=progress
        )
    give(document(found), lambda: picture(found), as_json=as_json)
