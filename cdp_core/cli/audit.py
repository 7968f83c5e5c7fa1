"""`cdp audit`: who did what, and whether the log holds together."""

from __future__ import annotations

import click
import rich_click

from cdp_core.cli.command import json_option, noun
from cdp_core.cli.page import give
from cdp_core.cli.render import things
from cdp_core.cli.render.console import remark
from cdp_core.cli.session import Session
from cdp_core.errors import Code

audit = noun(
    "audit", help="The audit log: who did what, when, with what outcome.", example="cdp audit list --limit 20"
)


@audit.verb("list", example="cdp audit list --actor anna --action export.run")
@rich_click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    help="How many of the newest entries.",
)
@rich_click.option("--actor", metavar="NAME", help="Only what this person did.")
@rich_click.option("--action", metavar="ACT", help="Only this act, for example export.run.")
@json_option
@click.pass_obj
def list_(session: Session, *, limit: int, actor: str | None, action: str | None, as_json: bool) -> None:
    """List the newest entries."""
    entries = session.cdp().audit.list(limit=limit, actor=actor, action=action)
    give(entries, lambda: things.audit(entries), as_json=as_json)


@audit.verb("verify", example="cdp audit verify")
@json_option
@click.pass_context
def verify(context: click.Context, *, as_json: bool) -> None:
    """Check that no entry was changed, taken out or put in. Exits 3 where the log does not hold together."""
    session: Session = context.obj
    verdict = session.cdp().audit.verify()
    give(verdict, lambda: things.verdict(verdict), as_json=as_json)
    if not verdict.ok:
        remark(
            "The entries before the first bad one hold together. Compare all with state.db in a backup, and "
            "find out who can write to it.",
            style="yellow",
        )
        context.exit(int(Code.AUDIT_BROKEN.exit_status))
