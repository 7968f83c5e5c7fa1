"""`cdp workspace`, `cdp whoami` and `cdp doctor`: the workspace as a whole, and who is at the keyboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import rich_click

from cdp_core.cli.command import command, json_option, noun
from cdp_core.cli.page import give
from cdp_core.cli.render import things
from cdp_core.cli.render.console import remark
from cdp_core.cli.render.words import counted, plain
from cdp_core.cli.session import Session
from cdp_core.errors import ExitStatus

if TYPE_CHECKING:
    from cdp_core.app.views import MigratedState

workspace = noun(
    "workspace",
    help="The workspace itself: moved to PostgreSQL. An Administrator's.",
    example="cdp workspace migrate --state-url 'postgresql://cdp@db.example.org/crm'",
)


@workspace.verb(
    "migrate",
    example="cdp workspace migrate --state-url 'postgresql://cdp@db.example.org/crm' --dry-run\n"
    "cdp workspace migrate --state-url 'postgresql://cdp@db.example.org/crm' --state-password env:PASSWORD",
)
@rich_click.option(
    "--state-url",
    metavar="URL",
    required=True,
    help="Where it is to lie: postgresql://user@host/database#schema, where no state is yet.",
)
@rich_click.option(
    "--state-password",
    metavar="REFERENCE",
    help="Where that server's password is: env:NAME, file:PATH or keyring:SERVICE/NAME.",
)
@rich_click.option("--dry-run", is_flag=True, help="Try the server, say what would be moved, move nothing.")
@json_option
@click.pass_obj
def migrate(
    session: Session, *, state_url: str, state_password: str | None, dry_run: bool, as_json: bool
) -> None:
    """Move the state from the workspace's file into PostgreSQL, where several machines share it.

    Every table is copied in one transaction, counted and compared, the audit log verified; the secrets go
    along, sealed with CDP_VAULT_KEY. Then cdp.toml names the server, and the file is kept under another
    name. Killed before, nothing has changed. Nothing else may run meanwhile: stop the scheduler first.
    """
    view = session.cdp().workspaces.migrate(
        state_url=state_url,
        state_password=state_password,
        dry_run=dry_run,
        progress=lambda table, rows: remark(f"{table}: {counted(rows, 'row')}"),
    )
    give(view, lambda: (), as_json=as_json, said=_migrated(view))


def _migrated(view: MigratedState) -> str:
    rows = f"{counted(sum(view.tables.values()), 'row')} of {counted(len(view.tables), 'table')}"
    what = f"{rows} and {counted(view.secrets, 'secret')}"
    if view.dry_run:
        each = ", ".join(f"{name} {rows:,}" for name, rows in view.tables.items() if rows)
        return f"Would be moved to {plain(view.state)}: {what} ({each}). Nothing was."
    said = (
        f"The state lies at {plain(view.state)} now: {what}, copied and compared; the audit log holds. "
        f"The old file is {plain(str(view.aside))}, and takes no changes any more; what the old vault "
        f"({view.vault}) held is there still: remove both when nobody looks at them any more."
    )
    if view.ledger_is_local:
        said += (
            f" Ledgers and plans lie at {plain(view.ledger)}, which other machines do not see: "
            "cdp ledger move --to URL brings them to where all do."
        )
    return said


@command("whoami", example="cdp whoami\ncdp --as anna whoami")
@json_option
@click.pass_obj
def whoami(session: Session, *, as_json: bool) -> None:
    """Show who acts, in which roles, and what they may do."""
    person = session.cdp().whoami()
    give(person, lambda: things.person(person), as_json=as_json)


@command("doctor", example="cdp doctor")
@json_option
@click.pass_context
def doctor(context: click.Context, *, as_json: bool) -> None:
    """Look over the whole workspace; nothing is changed or sent. Exits 3 where something is wrong."""
    session: Session = context.obj
    checks = session.cdp().doctor()
    give(checks, lambda: things.checks(checks), as_json=as_json)
    if any(check.state == "error" for check in checks):
        context.exit(int(ExitStatus.INVALID))
