"""Moves a state from its file in the workspace into a PostgreSQL server, with the secrets.

While it goes on nobody can write to the file. The server gets everything in one transaction, or nothing;
then the settings name it, and the file gets another name. Killed before, the workspace is as it was, and
the same command begins again: a copy that is in the server already, and in which nobody has done anything
since, is made anew.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from cdp_core.errors import Code, HeldFault, InvalidFault
from cdp_core.model.secret import Secret
from cdp_core.store import copying, sqlite
from cdp_core.store.backend import Server
from cdp_core.store.state import State
from cdp_core.vault.ledger_key import NAME as LEDGER_KEY
from cdp_core.vault.state_vault import StateVault
from cdp_core.vault.vault import Vault
from cdp_core.workspace import Workspace

_WITH_IT = ("", "-wal", "-shm")


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrated:
    """How many rows each table has and how many secrets went along. `state` is the new one, open, and `aside`
    where the old file lies; both None where it was only tried."""

    tables: Mapping[str, int]
    secrets: int
    state: State | None = None
    aside: Path | None = None


class _OnlyTried(Exception):
    pass


class Migration:
    def __init__(self, workspace: Workspace, state: State, vault: Vault) -> None:
        self._workspace = workspace
        self._state = state
        self._vault = vault

    def dry_run(self, server: Server) -> Migrated:
        """Make an empty state in the server, and take it back."""

        def refuse(_state: State, _connection: Connection) -> None:
            raise _OnlyTried

        with self._state.as_it_is() as source:
            self._require_nobody()
            with suppress(_OnlyTried):
                State.create(server, fill=refuse, replacing=self._is_our_copy)
            return Migrated(tables=copying.counts(source), secrets=len(self._secrets()))

    def move(self, server: Server, *, password: str | None, progress: Callable[[str, int], None]) -> Migrated:
        """Raises `HeldFault` where somebody works in the workspace, `InvalidFault` where the server holds
        another state, or the audit log does not hold together."""
        tables: dict[str, int] = {}
        secrets: dict[str, Secret] = {}

        def fill(state: State, target: Connection) -> None:
            tables.update(copying.copy(source, target, progress))
            vault = StateVault(state.secrets, where=state.where)
            vault.prove()
            for name, secret in secrets.items():
                vault.put(name, secret)
            _require_whole(state)

        with self._undone_unless_closed(), self._state.standing_still() as source:
            self._require_nobody()
            _require_whole(self._state)
            # A keyring may ask for its password: before the server waits for us.
            secrets.update(self._secrets())
            new = State.create(server, fill=fill, replacing=self._is_our_copy)
            try:
                self._workspace.edit(
                    {"state": {"url": server.url, "password": password}, "vault": {"kind": "state"}}
                )
            except BaseException:
                new.close()
                raise
            sqlite.close_for_good(source, tables)
        self._state.close()
        return Migrated(tables=tables, secrets=len(secrets), state=new, aside=set_aside(self._workspace))

    @contextmanager
    def _undone_unless_closed(self) -> Iterator[None]:
        """Where the file could not be closed for good, the settings name it again: it goes on to be used."""
        before = self._workspace.settings
        try:
            yield
        except BaseException:
            now = Workspace.open(self._workspace.folder).settings
            if now.state_url != before.state_url:
                self._workspace.edit(
                    {
                        "state": {"url": before.state_url, "password": before.state_password},
                        "vault": {"kind": before.vault},
                    }
                )
            raise

    def _require_nobody(self) -> None:
        for holder in self._state.leases.holders():
            raise HeldFault(
                Code.AUDIENCE_HELD,
                f"{holder} is at work in the workspace",
                where=f"run {holder.run_id}" if holder.run_id else str(self._workspace.folder),
                hint="wait until it ends, or stop it (a scheduler with Ctrl-C), then run this again",
            )

    def _is_our_copy(self, there: State, _connection: Connection) -> bool:
        """Whether all that was ever done there was done here: an earlier, killed migration's."""
        head = there.audit.head()
        return head is not None and self._state.audit.has(head)

    def _secrets(self) -> dict[str, Secret]:
        found = {name: self._vault.get(name) for name in sorted(secret_names(self._workspace, self._state))}
        return {name: secret for name, secret in found.items() if secret is not None}


def secret_names(workspace: Workspace, state: State) -> set[str]:
    """Whatever the vault can hold; a keyring cannot be asked for a list."""
    connections = state.connections.all()
    names = {LEDGER_KEY, *(f"token/{connection.id}" for connection in connections)}
    for said in (dataclasses.asdict(workspace.settings), *(each.settings for each in connections)):
        names |= {text.removeprefix("vault:") for text in _texts(said) if text.startswith("vault:")}
    return names


def set_aside(workspace: Workspace) -> Path:
    """The state's file under another name, which no command opens."""
    path = workspace.state_path
    aside = path.with_name(f"state-before-{datetime.now(UTC):%Y%m%d-%H%M%S}.db")
    for ending in reversed(_WITH_IT):
        old = path.with_name(path.name + ending)
        if old.exists():
            old.rename(aside.with_name(aside.name + ending))
    return aside


def _require_whole(state: State) -> None:
    verdict = state.audit.verify()
    if not verdict.ok:
        raise InvalidFault(
            Code.AUDIT_BROKEN,
            f"the audit log does not hold together: {verdict.problem}; nothing was moved",
            where=state.where,
            hint="`cdp audit verify` says more; bring back a copy of the state whose log is whole",
        )


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list | tuple | set | frozenset):
        for each in value:
            yield from _texts(each)
