"""`cdp segment`: named queries over the profiles."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import rich_click

from cdp_core.cli.ask import ask_text, settled
from cdp_core.cli.command import json_option, noun, yes_option
from cdp_core.cli.forms import one_of
from cdp_core.cli.language import _, marked
from cdp_core.cli.page import give
from cdp_core.cli.render import things
from cdp_core.cli.render.console import remark
from cdp_core.cli.render.words import counted, plain, quoted
from cdp_core.cli.session import Session
from cdp_core.errors import Code, UsageFault
from cdp_core.rules.restless import by_chance, by_moment

CONDITION = '--where "lifetime_value > 500"'

segment = noun(
    "segment",
    help="Groups of customers: named queries over the profiles.",
    example=f'cdp segment add "Loyal customers" {CONDITION}',
)


where_option = rich_click.option(
    "--where", metavar="CONDITION", help="An SQL condition over the profiles' columns."
)
sql_option = rich_click.option(
    "--sql",
    "sql_file",
    metavar="FILE",
    help="A file with a SELECT that yields the key column; - reads standard input.",
)


def _named(session: Session, name: str | None) -> str:
    return one_of(
        name, "Segment", lambda: (view.name for view in session.cdp().segments.list()), option="NAME"
    )


@segment.verb(
    "add",
    example=f'cdp segment add "Loyal customers" {CONDITION}\ncdp segment add "From a query" --sql query.sql',
)
@rich_click.argument("name", required=False)
@where_option
@sql_option
@rich_click.option(
    "--static",
    is_flag=True,
    help="Keep today's result until `cdp segment refresh`. Default: every run evaluates the segment.",
)
@json_option
@click.pass_obj
def add(
    session: Session,
    *,
    name: str | None,
    where: str | None,
    sql_file: str | None,
    static: bool,
    as_json: bool,
) -> None:
    """Add a segment. It is checked against the profiles first, and counted.

    Of a static segment digests of the members' keys are kept. Who is no profile any more is no member,
    whatever the result says.
    """
    _require_one(where, sql_file)
    name = name or ask_text("Name", option="cdp segment add NAME")
    sql = _read(sql_file) if sql_file is not None else None
    if where is None and sql is None:
        where = ask_text("Condition", option=CONDITION, hint="For example: lifetime_value > 500")
    view = session.cdp().segments.add(name, where=where, sql=sql, static=static)
    members = counted(view.members or 0, "member", "members")
    said = _("Segment {name} has {members} today.").format(name=quoted(view.name), members=members)
    give(view, lambda: (), as_json=as_json, said=said)
    _warn_of_restless(where or sql or "")


def _require_one(where: str | None, sql_file: str | None) -> None:
    if where is not None and sql_file is not None:
        raise UsageFault(Code.USAGE, "--where and --sql exclude each other", hint="leave one of them out")


def _warn_of_restless(text: str) -> None:
    """Of what makes members come and go though no profile has changed."""
    if found := by_chance(text):
        remark(
            f"{plain(', '.join(found))} draws lots: each run has other members",
            style="yellow",
        )
    if found := by_moment(text):
        remark(
            f"{plain(', '.join(found))} asks the clock: members are those of the moment of a run",
            style="yellow",
        )


def _read(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        why = fault.strerror if isinstance(fault, OSError) else "it is not UTF-8 text"
        raise UsageFault(
            Code.USAGE, f"the query cannot be read: {why}", where=plain(file), hint="--sql FILE, or --sql - "
        ) from None


@segment.verb("list", example="cdp segment list --json")
@json_option
@click.pass_obj
def list_(session: Session, *, as_json: bool) -> None:
    """List the segments."""
    views = session.cdp().segments.list()
    give(views, lambda: things.segments(views), as_json=as_json)


@segment.verb("show", example='cdp segment show "Loyal customers"')
@rich_click.argument("name", required=False)
@json_option
@click.pass_obj
def show(session: Session, *, name: str | None, as_json: bool) -> None:
    """Show a segment, with its members counted over today's profiles."""
    view = session.cdp().segments.show(_named(session, name))
    give(view, lambda: things.segment(view), as_json=as_json)


@segment.verb("refresh", example='cdp segment refresh "Christmas 2026"')
@rich_click.argument("name", required=False)
@json_option
@click.pass_obj
def refresh(session: Session, *, name: str | None, as_json: bool) -> None:
    """Evaluate a static segment anew, over today's profiles."""
    view = session.cdp().segments.refresh(_named(session, name))
    members = counted(view.members or 0, "member", "members")
    said = _("Segment {name} has {members} from now on.").format(name=quoted(view.name), members=members)
    give(view, lambda: (), as_json=as_json, said=said)


@segment.verb("edit", example='cdp segment edit "Loyal customers" --where "lifetime_value > 800"')
@rich_click.argument("name", required=False)
@where_option
@sql_option
@rich_click.option(
    "--static/--dynamic",
    "static",
    default=None,
    help="Keep a result until `cdp segment refresh`, or have every run evaluate it. Default: as it was.",
)
@json_option
@click.pass_obj
def edit(
    session: Session,
    *,
    name: str | None,
    where: str | None,
    sql_file: str | None,
    static: bool | None,
    as_json: bool,
) -> None:
    """Change a segment's condition or query; its exports go on with it.

    Who is no member any more is taken out of their audiences by the next run.
    """
    _require_one(where, sql_file)
    if where is None and sql_file is None and static is None:
        raise UsageFault(
            Code.USAGE, "nothing is said that would change", hint=f"{CONDITION}, --sql FILE, --static"
        )
    sql = _read(sql_file) if sql_file is not None else None
    view = session.cdp().segments.edit(_named(session, name), where=where, sql=sql, static=static)
    members = counted(view.members or 0, "member", "members")
    said = _("Segment {name} has {members} today.").format(name=quoted(view.name), members=members)
    give(view, lambda: (), as_json=as_json, said=said)
    _warn_of_restless(where or sql or "")


@segment.verb("deactivate", example='cdp segment deactivate "Christmas 2026"')
@rich_click.argument("name", required=False)
@json_option
@click.pass_obj
def deactivate(session: Session, *, name: str | None, as_json: bool) -> None:
    """Have the exports of a segment skipped until it is activated again.

    Nobody is added to their audiences meanwhile. Who withdraws, is suppressed or is no profile any more is
    taken out all the same.
    """
    view = session.cdp().segments.switch(_named(session, name), active=False)
    if view.exports:
        said = _("Segment {name} is inactive; skipped from now on: {exports}.")
    else:
        said = _("Segment {name} is inactive.")
    told = said.format(name=quoted(view.name), exports=plain(", ".join(view.exports)))
    give(view, lambda: (), as_json=as_json, said=told)


@segment.verb("activate", example='cdp segment activate "Christmas 2026"')
@rich_click.argument("name", required=False)
@json_option
@click.pass_obj
def activate(session: Session, *, name: str | None, as_json: bool) -> None:
    """Let the exports of a segment run again."""
    view = session.cdp().segments.switch(_named(session, name), active=True)
    give(
        view, lambda: (), as_json=as_json, said=_("Segment {name} is active.").format(name=quoted(view.name))
    )


@segment.verb("remove", example='cdp segment remove "Loyal customers" --yes')
@rich_click.argument("name", required=False)
@yes_option
@json_option
@click.pass_obj
def remove(session: Session, *, name: str | None, yes: bool, as_json: bool) -> None:
    """Remove a segment that no export uses."""
    name = _named(session, name)
    rooms = session.cdp().segments
    # What is not there, or is used, is refused without a question.
    if any(view.name == name and not view.exports for view in rooms.list()):
        settled(marked("Remove segment {name}?"), yes=yes, name=quoted(name))
    rooms.remove(name)
    give(
        {"removed": name},
        lambda: (),
        as_json=as_json,
        said=_("Segment {name} is removed.").format(name=quoted(name)),
    )
