"""`cdp profiles`: the customer table, looked through before anything is sent."""

from __future__ import annotations

import click
import rich_click

from cdp_core.cli.command import json_option, noun
from cdp_core.cli.page import give
from cdp_core.cli.session import Session
from cdp_core.model.policy import Region

profiles = noun(
    "profiles",
    help="The customer table, looked through before anything is sent.",
    example="cdp profiles lint\ncdp profiles lint --field email --kind EMAIL",
)


@profiles.verb(
    "lint",
    example="cdp profiles lint\ncdp profiles lint --field phone --kind PHONE --default-region NL "
    '--segment "Loyal customers"',
)
@rich_click.option(
    "--field", "fields", multiple=True, metavar="NAME", help="A column; again for more. Default: all text."
)
@rich_click.option(
    "--kind",
    "kinds",
    multiple=True,
    metavar="KIND",
    help="What the field holds: EMAIL, PHONE, MOBILE_AD_ID, …; once for all fields or once for each. "
    "Default: what it looks like.",
)
@rich_click.option("--segment", metavar="NAME", help="Only the members of this segment.")
@rich_click.option(
    "--default-region", metavar="CC", help="The country of phone numbers that name none, in two letters: NL."
)
@rich_click.option("--region-field", metavar="FIELD", help="The column that holds it.")
@json_option
@click.pass_obj
def lint(
    session: Session,
    *,
    fields: tuple[str, ...],
    kinds: tuple[str, ...],
    segment: str | None,
    default_region: str | None,
    region_field: str | None,
    as_json: bool,
) -> None:
    """See what share of each field would match, and why the rest would not. Nothing is sent or written.

    Values are shown masked. Without --field every column of text but the key is looked at, a sample first:
    where at least half of what is there is well-formed, it is gone through as the kind that it looks like.
    """
    from cdp_core.cli.render.lint import document, picture, reading

    region = Region(field=region_field, default=default_region and default_region.upper())
    with reading() as progress:
        found = session.cdp().profiles.lint(
            fields=fields, kinds=kinds, segment=segment, region=region, progress=progress
        )
    give(document(found), lambda: picture(found), as_json=as_json)
