"""What the commands on exports share: their options, and which export or group is meant."""

from __future__ import annotations

import rich_click

from cdp_core.cli.forms import one_of
from cdp_core.cli.session import Session

set_option = rich_click.option(
    "--set", "settings", multiple=True, metavar="NAME=VALUE", help="A setting of the destination. Repeatable."
)
match_option = rich_click.option(
    "--match",
    "matching",
    multiple=True,
    metavar="KIND=FIELD",
    help="Data matching: the profile field that feeds an identifier, for example EMAIL=email. Repeatable.",
)
field_option = rich_click.option(
    "--field",
    "fields",
    multiple=True,
    metavar="FIELD[=COLUMN]",
    help="Where whole rows are sent: a profile field whose values leave as they are, and what the column is "
    "called. Repeatable.",
)
segment_option = rich_click.option(
    "--segment",
    "segments",
    multiple=True,
    metavar="NAME",
    help="A segment whose members are sent. Repeatable.",
)
name_argument = rich_click.argument("name", required=False)


def named(session: Session, name: str | None) -> str:
    return one_of(name, "Export", lambda: (view.name for view in session.cdp().exports.list()), option="NAME")


def over(session: Session, connection: str | None) -> str:
    return one_of(
        connection,
        "Connection",
        lambda: (view.name for view in session.cdp().connections.list()),
        option="--connection NAME",
    )


def exports_of(session: Session, name: str) -> tuple[str, ...]:
    """The names of a group's exports; any other name stands for itself."""
    views = session.cdp().exports.list()
    if any(view.name == name for view in views):
        return (name,)
    return tuple(view.name for view in views if view.group == name) or (name,)
