"""The workspace itself: backed up, and its state moved to where several machines share it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from cdp_core.app.desk import Desk, act
from cdp_core.app.places import new_server
from cdp_core.app.workspace_views import BackupView, MigratedState
from cdp_core.errors import Code, UsageFault
from cdp_core.model.access import Action, Resource
from cdp_core.runner.backup import BackingUp, Backup
from cdp_core.runner.ledger_store import LedgerStore
from cdp_core.runner.migrating import Migration
from cdp_core.vault.references import parse
from cdp_core.vault.vault import Vault
from cdp_core.workspace import Workspace


class Workspaces:
    def __init__(
        self, desk: Desk, *, workspace: Workspace, vault: Vault, store: LedgerStore, opened: ExitStack
    ) -> None:
        self.desk = desk
        self._workspace = workspace
        self._vault = vault
        self._store = store
        self._opened = opened

    def resource(self, name: str, arguments: Mapping[str, Any]) -> Resource:
        return Resource(kind="workspace", name=str(self._workspace.folder))

    @act(Action.WORKSPACE_MIGRATE)
    def migrate(
        self,
        *,
        state_url: str,
        state_password: str | None = None,
        dry_run: bool = False,
        progress: Callable[[str, int], None] = lambda table, rows: None,
    ) -> MigratedState:
        """Move the state from its file, and the secrets from their vault, into a PostgreSQL server.

        `state_password` refers to the server's password. With `dry_run` the server is tried and nothing is
        left there. After it, open the workspace anew. Raises `HeldFault` while somebody works in it.
        """
        before = self.desk.state
        if before.shared:
            raise UsageFault(
                Code.USAGE,
                "the state lies in PostgreSQL already",
                where=before.where,
                hint="the tools of PostgreSQL (pg_dump, psql) move it from one server to another",
            )
        password = None if state_password is None else str(parse(state_password, setting="--state-password"))
        server = new_server(state_url, password, vault=None)
        assert server is not None  # noqa: S101 - a URL was given
        migration = Migration(self._workspace, before, self._vault)
        if dry_run:
            done = migration.dry_run(server)
        else:
            done = migration.move(server, password=password, progress=progress)
        if done.state is not None:
            self._opened.enter_context(done.state)
            # The act ends where everything goes on.
            self.desk.state = done.state
        self.desk.note(state=server.url, rows=sum(done.tables.values()), secrets=done.secrets)
        return MigratedState(
            state=server.url,
            before=before.where,
            aside=None if done.aside is None else str(done.aside),
            tables=done.tables,
            secrets=done.secrets,
            vault=self._workspace.settings.vault,
            ledger=self._store.where,
            ledger_is_local=self._workspace.settings.ledger_url is None,
            dry_run=dry_run,
        )

    @act(Action.WORKSPACE_BACKUP)
    def backup(
        self,
        *,
        output: str | Path,
        overwrite: bool = False,
        progress: Callable[[int, int], None] = lambda written, total: None,
    ) -> BackupView:
        """Write the workspace as it is now to one file of its owner alone, while it is at work. Raises
        `UsageFault` where the file would lie in the workspace itself, or something is there already, and is
        not to be overwritten."""
        path = Path(output).absolute()
        if not path.parent.is_dir():
            raise UsageFault(
                Code.USAGE, "there is no such folder", where=str(path.parent), hint="make it first"
            )
        if Path(os.path.realpath(path)).is_relative_to(self._workspace.folder):
            raise UsageFault(
                Code.USAGE,
                "a backup lies outside of the workspace: nothing was written",
                where=str(path),
                hint="name a file elsewhere, best on another disk",
            )
        if path.exists() and not overwrite:
            raise UsageFault(
                Code.NOT_AGREED_TO_ACT,
                f"{path.name} is there already: nothing was written",
                where=str(path),
                hint="name another file, or add --yes to overwrite it",
            )
        made = BackingUp(self._workspace, self.desk.state, self._store).write(path, progress)
        self.desk.note(output=str(path), digest=made.digest, head=made.head)
        return backup_view(path, made)


def backup_view(path: Path, found: Backup) -> BackupView:
    return BackupView(
        file=str(path),
        made_at=found.made_at,
        rows=sum(found.tables.values()),
        files=len(found.parts),
        size=found.size,
        lost_plans=found.lost,
        lost_results=found.lost_results,
        vault=found.vault,
        audit_head=found.head,
        digest=found.digest,
    )
