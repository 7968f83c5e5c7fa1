"""`cdp doctor`: looks over a workspace, room by room, and says what to mend."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from cdp_core.app.desk import Desk
from cdp_core.app.workspace_views import Check
from cdp_core.errors import CdpError
from cdp_core.model.configuration import Connection, ConnectionStatus
from cdp_core.model.names import as_typed
from cdp_core.pipeline import ledger
from cdp_core.plugins.manager import PluginStatus
from cdp_core.rules.access import all_roles
from cdp_core.runner.connect import Connector
from cdp_core.runner.consents import ConsentDesk
from cdp_core.runner.dead import as_they_stand
from cdp_core.runner.ledger_store import LedgerStore
from cdp_core.runner.profiles import Profiles
from cdp_core.vault.ledger_key import ledger_key
from cdp_core.vault.state_vault import StateVault
from cdp_core.vault.vault import Vault
from cdp_core.workspace import Workspace

if TYPE_CHECKING:
    from cdp_core.oauth.tokens import TokenHealth


class Doctor:
    """Each check is a method that yields its lines; what it raises is a line of its own."""

    def __init__(
        self,
        *,
        workspace: Workspace,
        desk: Desk,
        profiles: Profiles,
        connector: Connector,
        consents: ConsentDesk,
        vault: Vault,
        store: LedgerStore,
    ) -> None:
        self._store = store
        self._vault = vault
        self._workspace = workspace
        self._desk = desk
        self._profiles = profiles
        self._connector = connector
        self._consents = consents

    def examine(self) -> tuple[Check, ...]:
        rooms: dict[str, Callable[[], Iterator[Check]]] = {
            "profiles": self._look_at_profiles,
            "plugins": self._look_at_plugins,
            "runs": self._look_at_runs,
        }
        # Connections, ledger and audit are the Administrator's to see.
        if "administrator" in all_roles(self._desk.actor.roles, self._desk.catalog.roles):
            rooms |= {
                "connections": self._look_at_connections,
                "ledger": self._look_at_ledger,
                "audit": self._look_at_audit,
            }
        checks = [
            Check(name="workspace", state="ok", message=f"{self._workspace.folder} is private and whole")
        ]
        if self._desk.state.shared:
            rooms = {"state": self._look_at_the_shared_state, **rooms}
        for name, look in rooms.items():
            try:
                checks.extend(look())
            except CdpError as fault:
                checks.append(Check(name=name, state="error", message=str(fault), hint=fault.hint))
        return tuple(checks)

    def _look_at_profiles(self) -> Iterator[Check]:
        source = self._workspace.settings.profiles
        with self._profiles.open() as engine:
            columns = engine.columns()
        yield Check(name="profiles", state="ok", message=f"{source.url} has {len(columns)} columns")

    def _look_at_plugins(self) -> Iterator[Check]:
        for report in self._desk.catalog.manager.reports:
            if report.status in (PluginStatus.BROKEN, PluginStatus.DUPLICATE):
                yield Check(
                    name="plugins",
                    state="error" if report.guards_access else "warning",
                    message=f"{report.name} ({report.distribution}) is skipped: {report.reason}",
                    hint=f"mend or remove it, or: cdp plugins disable {report.name}",
                )
            else:
                yield Check(
                    name="plugins",
                    state="ok",
                    message=f"{report.name} ({report.distribution} {report.version}) is {report.status}",
                )

    def _look_at_connections(self) -> Iterator[Check]:
        for connection in self._desk.state.connections.all():
            try:
                yield from self._look_at_connection(connection)
            except CdpError as fault:
                yield Check(name="connections", state="error", message=str(fault), hint=fault.hint)

    def _look_at_connection(self, connection: Connection) -> Iterator[Check]:
        self._connector.settings(connection)
        self._consents.require(connection)
        signs_in = self._desk.catalog.connection_type(connection.type).oauth is not None
        new = connection.status is ConnectionStatus.NEW
        if new and not signs_in:
            yield Check(name="connections", state="ok", message=f"{connection.name} needs no sign-in")
            return
        if connection.status is not ConnectionStatus.CONNECTED:
            state = "has not been signed in" if new else "must be signed in again: the service refused it"
            yield Check(
                name="connections",
                state="warning" if new else "error",
                message=f"{connection.name} {state}",
                hint=f"cdp connection authenticate {as_typed(connection.name)}",
            )
            return
        token = self._connector.token_health(connection) if signs_in else None
        told = f"; {_told(token)}" if token else ""
        yield Check(name="connections", state="ok", message=f"{connection.name} is signed in{told}")

    def _look_at_ledger(self) -> Iterator[Check]:
        versions = self._desk.state.ledgers.all()
        self._store.probe()
        for stranger in self._store.strangers():
            yield Check(
                name="ledger",
                state="warning",
                message=f"{stranger} is not written by cdp",
                hint="move it elsewhere; `cdp ledger rebuild` moves it aside",
            )
        for version in versions:
            self._store.verify(version.files)
        files = [file for version in versions for file in version.files]
        encrypted = ledger.encrypted(self._store.folder, files)
        if (encrypted or self._workspace.settings.encrypt_ledger) and ledger_key(self._vault) is None:
            yield Check(
                name="ledger",
                state="error",
                message=f"{encrypted} of {len(files)} files are encrypted, and the vault has no key for them",
                hint="bring the vault back from a backup",
            )
        if files and encrypted < len(files) and self._workspace.settings.encrypt_ledger:
            yield Check(
                name="ledger",
                state="warning",
                message=f"{len(files) - encrypted} of {len(files)} files are not encrypted yet",
                hint="cdp ledger encrypt",
            )
        claims = sum(file.claims for version in versions for file in version.files)
        yield Check(
            name="ledger",
            state="ok",
            message=f"audiences: {len(versions)}, claims: {claims:,}; every file is what was committed"
            + (f"; they lie at {self._store.where}" if self._workspace.settings.ledger_url else "")
            + (f"; {encrypted} of {len(files)} are encrypted" if encrypted else ""),
        )

    def _look_at_the_shared_state(self) -> Iterator[Check]:
        at = self._desk.state.where
        yield Check(name="state", state="ok", message=f"it is in PostgreSQL, to be shared: {at}")
        if isinstance(self._vault, StateVault):
            self._vault.prove()
        yield Check(name="vault", state="ok", message="secrets lie sealed in the shared state, and open here")

    def _look_at_runs(self) -> Iterator[Check]:
        waiting = [run for run in self._desk.state.runs.all(limit=1000) if not run.is_over]
        for run in as_they_stand(self._desk.state, waiting):
            if not run.is_over:
                yield Check(
                    name="runs", state="ok", message=f"run {run.id} of {run.export_name} is under way"
                )
            elif run.ended_at is None:
                yield Check(
                    name="runs",
                    state="warning",
                    message=f"run {run.id} of {run.export_name} died before it ended",
                    hint=f"this settles what it left: cdp export run {as_typed(run.export_name)}",
                )
        if not waiting:
            yield Check(name="runs", state="ok", message="every run has ended")

    def _look_at_audit(self) -> Iterator[Check]:
        verdict = self._desk.state.audit.verify()
        yield Check(
            name="audit",
            state="ok" if verdict.ok else "error",
            message=f"{verdict.entries:,} entries hold together" if verdict.ok else str(verdict.problem),
            hint=""
            if verdict.ok
            else f"find out who can write to {self._desk.state.where}; "
            "entries before that one hold: cdp audit list",
        )


def _told(token: TokenHealth) -> str:
    """A token's age, scope and next refresh, never its value."""
    parts = [f"its token is {_minutes(token.age)} old"]
    if token.scope:
        parts.append(f"for {token.scope}")
    if token.expires_in is not None:
        parts.append(f"lasts {_minutes(max(0.0, token.expires_in))} more")
    if token.next_refresh_in is not None:
        parts.append(
            f"is refreshed in {_minutes(token.next_refresh_in)}, or by the next run after that"
            if token.refreshable
            else "cannot be refreshed: sign in again then"
        )
    return ", ".join(parts)


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} min"
