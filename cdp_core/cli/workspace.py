"""`cdp workspace`, `cdp whoami` and `cdp doctor`: the workspace as a whole, and who is at the keyboard."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import rich_click

from cdp_core.cli.ask import settled
from cdp_core.cli.command import command, json_option, noun, yes_option
from cdp_core.cli.language import marked
from cdp_core.cli.page import give
from cdp_core.cli.render import things
from cdp_core.cli.render.bytes import bytes_written, size
from cdp_core.cli.render.console import remark
from cdp_core.cli.render.words import count, counted, moment, plain
from cdp_core.cli.session import Session
from cdp_core.errors import Code, ExitStatus, UsageFault

if TYPE_CHECKING:
    from cdp_core.app.workspace_views import MigratedState, RestoredView

workspace = noun(
    "workspace",
    help="The workspace itself: backed up and brought back, moved to PostgreSQL, purged. An Administrator's.",
    example="cdp workspace backup crm.backup\ncdp workspace restore crm.backup new-folder",
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


@workspace.verb("backup", example="cdp workspace backup /backups/crm-2026-11-26.backup")
@rich_click.argument("output", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@yes_option
@json_option
@click.pass_obj
def backup(session: Session, *, output: Path, yes: bool, as_json: bool) -> None:
    """Write state, ledgers, plans and settings to one file, while everything is at work.

    The file holds digests, keys and whatever the audit log says: it is as private as the workspace. Secrets
    are in it as they are sealed in a file vault or a shared state, without the key; a keyring's are not.
    """
    there = output.exists()
    if there:
        settled(marked("{file} is there already. Overwrite it?"), yes=yes, file=output.name)
    with bytes_written(marked("Writing the backup")) as progress:
        view = session.cdp().workspaces.backup(output=output, overwrite=there, progress=progress)
    said = (
        f"{plain(view.file)} holds {counted(view.rows, 'row')} and {counted(view.files, 'file')}, "
        f"{size(view.size)}. {_SECRETS[view.vault]}"
    )
    if view.lost_plans:
        said += f" Plans that were gone before, and are not in it: {count(view.lost_plans)}."
    if view.lost_results:
        said += (
            " Results of static segments that were gone before, and are not in it: "
            f"{count(view.lost_results)}; cdp segment refresh NAME evaluates one anew."
        )
    give(view, lambda: (), as_json=as_json, said=said)


_SECRETS = {
    "file": "Its secrets, if it has any, are in it, sealed; their key is not: keep a copy of the file "
    "vault/key, or of CDP_VAULT_KEY, elsewhere.",
    "keyring": "Its secrets, if it has any, are not in it: they lie in the keyring. Without them one signs "
    "in again, and an encrypted ledger is not brought back.",
    "state": "Its secrets, if it has any, are in it, sealed; CDP_VAULT_KEY, which opens them, is not: keep a "
    "copy of it elsewhere.",
}


@workspace.verb("purge", example="cdp workspace purge --dry-run\ncdp workspace purge --yes")
@rich_click.option("--dry-run", is_flag=True, help="Count what would go, take nothing away.")
@yes_option
@json_option
@click.pass_obj
def purge(session: Session, *, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Take away what is older than [retention] in cdp.toml says: plans, dead letters, history, receipts.

    The scheduler does this once a day. What an unfinished run or a waiting plan needs stays, and of an
    audience whose ledger is not whole everything. A ledger cannot be rebuilt from what is gone.
    """
    if not dry_run:
        settled(marked("Take away what is kept long enough? It cannot be undone."), yes=yes)
    view = session.cdp().retention.purge(dry_run=dry_run)
    give(view, lambda: things.purged(view), as_json=as_json)


@workspace.verb(
    "restore", example="cdp workspace restore crm.backup restored\ncdp workspace restore crm.backup --dry-run"
)
@rich_click.argument("file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@rich_click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path), required=False)
@rich_click.option("--dry-run", is_flag=True, help="Read and compare the whole file, restore nothing.")
@rich_click.option(
    "--vault-key",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file vault/key of the workspace that was backed up.",
)
@rich_click.option("--group", metavar="GROUP", help="Open the workspace to a group of this machine's users.")
@json_option
@click.pass_obj
def restore(
    session: Session,
    *,
    file: Path,
    folder: Path | None,
    dry_run: bool,
    vault_key: Path | None,
    group: str | None,
    as_json: bool,
) -> None:
    """Make a workspace in a new folder from a backup; DIR is ./.cdp unless it is named.

    What was sent since the backup is not in it. So every claim of its ledgers is taken for one that is
    perhaps there: the next run of each export sends again who is wanted, and takes out who is not. State and
    ledgers lie in the folder, wherever they lay before.
    """
    if session.act_as is not None:
        raise UsageFault(Code.USAGE, "a workspace is brought back by a real person", hint="leave out --as")
    if folder is not None and session.chosen:
        raise UsageFault(
            Code.USAGE, "DIR and --workspace both name the workspace", hint="leave one of them out"
        )
    from cdp_core.app.facade import CDP

    if dry_run:
        found = CDP.look_at_backup(file)
        said = (
            f"The file is whole: {counted(found.rows, 'row')} and {counted(found.files, 'file')}, "
            f"{size(found.size)}, as of {moment(found.made_at)}. Nothing was restored."
        )
        give(found, lambda: (), as_json=as_json, said=said)
        return
    place = folder or session.workspace or Path(".cdp")
    with bytes_written(marked("Restoring")) as progress:
        view = CDP.restore(file, place, vault_key=vault_key, group=group, progress=progress)
    give(view, lambda: (), as_json=as_json, said=_restored(view))


def _restored(view: RestoredView) -> str:
    said = f"{plain(view.workspace)} is the workspace as of {moment(view.backup.made_at)}."
    if view.claims:
        said += (
            f" What has happened since is not known: {counted(view.claims, 'claim')} of "
            f"{counted(view.audiences, 'audience')} are perhaps there, and the next runs send them again or "
            "take them out. Whom only later runs have added stays: to empty an audience once, "
            "cdp export edit NAME --mode replace."
        )
    said += (
        " Consents, suppressions and erasures are those of then: repeat what has changed, before any run. "
        "The scheduler runs only where somebody starts it; let one workspace send, not both."
    )
    if not view.secrets:
        said += " Secrets that it had are not at hand: cdp connection authenticate NAME signs in again."
    return said


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
