"""`cdp init`: makes a workspace over a profile source."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import click
import rich_click

from cdp_core.cli.ask import ask_text
from cdp_core.cli.command import command, json_option
from cdp_core.cli.forms import pairs
from cdp_core.cli.session import Session
from cdp_core.errors import Code, InvalidFault, UsageFault


@command("init", example="cdp init --profiles profiles.parquet --key customer_id")
@rich_click.argument(
    "folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path, file_okay=False)
)
@rich_click.option(
    "--profiles",
    metavar="PATH",
    help="The customer table: a Parquet, CSV or NDJSON file, a folder or glob of them, FILE.duckdb#TABLE, or "
    "a URL: postgresql://…#TABLE, spark://…#TABLE.",
)
@rich_click.option("--key", metavar="COLUMN", help="The column that names a customer.")
@rich_click.option(
    "--engine",
    metavar="KEY",
    help="Which engine reads it (duckdb, postgres, spark, or a plugin's), where PATH does not tell: "
    "--engine spark --profiles catalog.schema.table.",
)
@rich_click.option(
    "--option",
    "options",
    multiple=True,
    metavar="NAME=VALUE",
    help="What the reader needs beyond that, for example delimiter=';'. Repeatable.",
)
@rich_click.option(
    "--vault",
    type=click.Choice(["keyring", "file"]),
    help="Where secrets are kept. Default: the system's keyring where there is one, else an encrypted file.",
)
@rich_click.option(
    "--encrypt-ledger",
    is_flag=True,
    help="Encrypt ledgers and plans on the disk, with a key that is made in the vault.",
)
@rich_click.option(
    "--group",
    metavar="GROUP",
    help="Open the workspace to a group of this machine's users; what each may do, roles say.",
)
@rich_click.option(
    "--state-url",
    metavar="URL",
    help="Keep the state in PostgreSQL, where several machines share it, or join the one that is there: "
    "postgresql://user@host/database#schema. Default: CDP_STATE_URL, else a file in DIR.",
)
@rich_click.option(
    "--state-password",
    metavar="REFERENCE",
    help="Where that server's password is: env:NAME, file:PATH or keyring:SERVICE/NAME.",
)
@rich_click.option(
    "--ledger-url",
    metavar="URL",
    help="Where ledgers and plans lie, for every machine with this state: s3://BUCKET/PREFIX, gs://…, "
    "abfs://… or sftp://…. Default: in the workspace.",
)
@rich_click.option(
    "--ledger-option",
    "ledger_options",
    multiple=True,
    metavar="NAME=VALUE",
    help="What that URL's library takes, for example endpoint_url=https://…; secrets by reference. "
    "Repeatable.",
)
@json_option
@click.pass_obj
def init(
    session: Session,
    *,
    folder: Path | None,
    profiles: str | None,
    key: str | None,
    engine: str | None,
    options: tuple[str, ...],
    vault: Literal["keyring", "file"] | None,
    encrypt_ledger: bool,
    group: str | None,
    state_url: str | None,
    state_password: str | None,
    ledger_url: str | None,
    ledger_options: tuple[str, ...],
    as_json: bool,
) -> None:
    """Make a workspace over a file of customer profiles.

    DIR becomes the workspace; by default it is ./.cdp, which later commands find from this folder and
    those below it. Whoever makes it is its first Administrator. The profiles stay where they are.
    """
    if folder is not None and session.chosen:
        raise UsageFault(
            Code.USAGE, "DIR and --workspace both name the workspace", hint="leave one of them out"
        )
    if session.act_as is not None:
        raise UsageFault(Code.USAGE, "a new workspace has nobody to act as", hint="leave out --as")
    reader = pairs(options, "--option")
    profiles = profiles or ask_text("Profiles (a file, folder or glob)", option="--profiles PATH")
    if key is None and engine is None:
        _refuse_missing(profiles)
    key = key or ask_text("Key column", option="--key COLUMN", hint="The column that names a customer.")

    from cdp_core.app.facade import CDP
    from cdp_core.cli.page import give
    from cdp_core.cli.render.things import workspace

    place = folder or session.workspace or Path(".cdp")
    with CDP.init(
        place,
        profiles=profiles,
        key=key,
        options=reader,
        engine=engine,
        vault=vault,
        group=group,
        state_url=state_url,
        state_password=state_password,
        ledger_url=ledger_url,
        ledger_options=pairs(ledger_options, "--ledger-option"),
    ) as made:
        if encrypt_ledger:
            made.ledgers.encrypt()
        document: dict[str, Any] = {
            "workspace": str(made.workspace.folder),
            "profiles": made.workspace.settings.profiles.url,
            "key": key,
            "state": made.desk.state.where,
            "vault": made.workspace.settings.vault,
            "encrypted_ledger": encrypt_ledger,
            "ledger": made.workspace.settings.ledger_url,
            "group": group,
            "administrator": made.desk.actor.name,
            "segments": len(made.desk.state.segments.all()),
            "exports": len(made.desk.state.exports.all()),
        }
        ledger_is_elsewhere = made.workspace.settings.ledger_url is None and any(
            version.files for version in made.desk.state.ledgers.all()
        )
        found_from_here = made.workspace.locate(None) == made.workspace.folder
    give(
        document,
        lambda: workspace(document, found_from_here=found_from_here, ledger_is_elsewhere=ledger_is_elsewhere),
        as_json=as_json,
    )


def _refuse_missing(profiles: str) -> None:
    """Before the key is asked for: a file, folder or glob that is not there; a URL is the engine's."""
    if "://" in profiles:
        return
    if any(map(_is_there, (profiles, profiles.partition("#")[0]))):
        return
    raise InvalidFault(
        Code.PROFILES_UNREADABLE,
        "there is no such file or folder",
        where=profiles,
        hint="--profiles PATH, counted from the folder that one is in",
    )


def _is_there(place: str) -> bool:
    path = Path(place).expanduser()
    return bool(place) and (path.exists() or any(Path(path.anchor).glob(str(path.relative_to(path.anchor)))))
