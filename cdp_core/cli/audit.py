"""`cdp audit`: who did what, and whether the log holds together."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click
import rich_click
from rich.text import Text

from cdp_core.cli.ask import settled
from cdp_core.cli.command import json_option, noun, yes_option
from cdp_core.cli.language import marked
from cdp_core.cli.moments import MOMENT
from cdp_core.cli.page import give
from cdp_core.cli.render import things
from cdp_core.cli.render.console import remark
from cdp_core.cli.render.words import count, plain
from cdp_core.cli.session import Session
from cdp_core.errors import Code, UsageFault
from cdp_core.model.audit import AuditHead, AuditOutcome

audit = noun(
    "audit", help="The audit log: who did what, when, with what outcome.", example="cdp audit list --limit 20"
)


@audit.verb("list", example="cdp audit list --actor anna --action export.run --since 2026-11-01")
@rich_click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    help="How many of the newest entries.",
)
@rich_click.option("--actor", metavar="NAME", help="Only what this person did.")
@rich_click.option("--action", metavar="ACT", help="Only this act, for example export.run.")
@rich_click.option("--object", "about", metavar="NAME", help="Only what was done to this.")
@rich_click.option(
    "--outcome", type=click.Choice([str(each) for each in AuditOutcome]), help="Only what ended so."
)
@rich_click.option("--since", type=MOMENT, metavar="DATE[TIME]", help="Only from then on.")
@rich_click.option("--until", type=MOMENT, metavar="DATE[TIME]", help="Only before then.")
@json_option
@click.pass_obj
def list_(
    session: Session,
    *,
    limit: int,
    actor: str | None,
    action: str | None,
    about: str | None,
    outcome: str | None,
    since: datetime | None,
    until: datetime | None,
    as_json: bool,
) -> None:
    """List the newest entries. Times are those of this machine's clock."""
    entries = session.cdp().audit.list(
        limit=limit,
        actor=actor,
        action=action,
        about=about,
        outcome=outcome,
        since=since.astimezone() if since else None,
        until=until.astimezone() if until else None,
    )
    give(entries, lambda: things.audit(entries), as_json=as_json)


@audit.verb("export", example="cdp audit export --output audit.ndjson\ncdp audit export | gzip > audit.gz")
@rich_click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Default: to stdout."
)
@yes_option
@click.pass_obj
def export(session: Session, *, output: Path | None, yes: bool) -> None:
    """Write every entry as a line of JSON, the oldest first, with its digest and that of the one before.

    Each digest is SHA-256 over the entry's JSON without it: keys sorted, no spaces, the time in UTC with
    microseconds.
    """
    there = output is not None and output.exists()
    if output is not None and there:
        settled(marked("{file} is there already. Overwrite it?"), yes=yes, file=output.name)
    entries = session.cdp().audit.export(output=output, overwrite=there, write=click.echo)
    if output is not None:
        remark(f"{plain(str(output))} has {count(entries)} entries.")


@audit.verb("head", example="cdp audit head > audit-head")
@json_option
@click.pass_obj
def head(session: Session, *, as_json: bool) -> None:
    """Print how many entries there are and the newest one's digest, to be kept where nobody here can write.

    `cdp audit verify --head` holds the log against it later.
    """
    found = session.cdp().audit.head()
    give(found, lambda: Text(str(found)), as_json=as_json)


@audit.verb("verify", example='cdp audit verify\ncdp audit verify --head "$(cat audit-head)"')
@rich_click.option(
    "--head", "kept", metavar="N:DIGEST", help="What `cdp audit head` printed once, kept elsewhere."
)
@json_option
@click.pass_context
def verify(context: click.Context, *, kept: str | None, as_json: bool) -> None:
    """Check that no entry was changed, taken out or put in. Exits 3 where the log does not hold together.

    Who can write to the database can write the whole log anew, so that it holds together: --head finds that.
    """
    session: Session = context.obj
    try:
        known = None if kept is None else AuditHead.parse(kept)
    except ValueError as reason:
        raise UsageFault(
            Code.USAGE, str(reason), where="--head", hint="give what `cdp audit head` printed: 412:9f3c…"
        ) from None
    verdict = session.cdp().audit.verify(known=known)
    give(verdict, lambda: things.verdict(verdict), as_json=as_json)
    if not verdict.ok:
        remark(
            "The entries before the first bad one hold together. Compare all with state.db in a backup, and "
            "find out who can write to it.",
            style="yellow",
        )
        context.exit(int(Code.AUDIT_BROKEN.exit_status))
