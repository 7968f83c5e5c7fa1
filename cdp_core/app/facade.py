"""`CDP`: the one facade. It opens a workspace, knows who acts, and holds the rooms in which they act."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from cdp_core.alerts.alerting import Alerting
from cdp_core.alerts.ways import Ways
from cdp_core.app.administration import Audit, Plugins
from cdp_core.app.alerts import Alerts
from cdp_core.app.approvals import Approvals
from cdp_core.app.audiences import Audiences
from cdp_core.app.configuration.deeds import Rooms
from cdp_core.app.configuration.room import Configuration
from cdp_core.app.connections import Connections
from cdp_core.app.consents import Consents
from cdp_core.app.desk import Desk, act
from cdp_core.app.erasures import Erasures
from cdp_core.app.exports import Exports
from cdp_core.app.health import Doctor
from cdp_core.app.ledgers import Ledgers, ledger_place
from cdp_core.app.overview import Overviews
from cdp_core.app.people import People
from cdp_core.app.places import made_or_joined, new_server, require_apart, require_own, state_place, vault_of
from cdp_core.app.profiles import ProfileTable
from cdp_core.app.restored import restored
from cdp_core.app.retention import Retention, Upkeep
from cdp_core.app.roles import Roles, granted_roles
from cdp_core.app.runs import Runs
from cdp_core.app.schedules import Schedules
from cdp_core.app.segments import Segments
from cdp_core.app.suppressions import Suppressions
from cdp_core.app.workspace_views import BackupView, Check, RestoredView, Whoami
from cdp_core.app.workspaces import Workspaces, backup_view
from cdp_core.errors import CdpError, Code, UsageFault
from cdp_core.model.access import Action, Resource
from cdp_core.model.configuration import ProfileSource
from cdp_core.pipeline.seal import Seal
from cdp_core.plugins.catalog import Catalog
from cdp_core.plugins.manager import create_plugin_manager
from cdp_core.rules.access import actions_of
from cdp_core.runner.approval import Approvals as Signing
from cdp_core.runner.audiences import Audiences as AudienceDesk
from cdp_core.runner.connect import Connector
from cdp_core.runner.consents import ConsentDesk
from cdp_core.runner.profiles import Profiles, url_for
from cdp_core.runner.restoring import looked_at
from cdp_core.runner.runner import Runner
from cdp_core.runner.services import Services
from cdp_core.runner.stores import store_of
from cdp_core.store.logins import login
from cdp_core.store.state import State
from cdp_core.telemetry.telemetry import Telemetry
from cdp_core.vault.ledger_key import ledger_key
from cdp_core.vault.references import parse
from cdp_core.vault.vault import preferred_vault
from cdp_core.workspace import Workspace, WorkspaceSettings


class CDP:
    """An open workspace and the person who acts in it. Close it, or use it as a context manager."""

    def __init__(self, workspace: Workspace, *, act_as: str | None = None, language: str = "en") -> None:
        self.workspace = workspace
        with ExitStack() as opened:
            state = opened.enter_context(State.open(state_place(workspace)))
            require_own(workspace, state)
            manager = create_plugin_manager(disabled=workspace.settings.disabled_plugins)
            catalog = Catalog(manager, own_roles=workspace.settings.roles, where=str(workspace.settings_path))
            self.desk = Desk(state, catalog, act_as=act_as)
            vault = vault_of(workspace, state)
            seal = Seal(lambda: ledger_key(vault), encrypts=workspace.settings.encrypt_ledger)
            store = store_of(workspace, state, seal, vault)
            profiles = Profiles(workspace, catalog, vault, store=store, seal=seal)
            connector = Connector(state, catalog, vault)
            consents = ConsentDesk(state, catalog, language)
            services = Services(
                workspace=workspace,
                state=state,
                catalog=catalog,
                connector=connector,
                consents=consents,
                profiles=profiles,
                seal=seal,
                ledgers=store,
            )
            telemetry = self._telemetry(opened, state, connector) if workspace.settings.telemetry else None
            runner, audiences = Runner(services), AudienceDesk(services)
            self._doctor = Doctor(
                workspace=workspace,
                desk=self.desk,
                profiles=profiles,
                connector=connector,
                consents=consents,
                vault=vault,
                store=store,
            )
            self._opened = opened.pop_all()
        self.profiles = ProfileTable(self.desk, profiles)
        self.segments = Segments(self.desk, profiles)
        self.connections = Connections(self.desk, connector, consents)
        self.consents = Consents(self.desk, consents, runner)
        self.exports = Exports(self.desk, profiles, runner, audiences)
        self.approvals = Approvals(self.desk, self.exports, Signing(services))
        self.audiences = Audiences(self.desk, audiences)
        self.people = People(self.desk, runner)
        self.suppressions = Suppressions(self.desk)
        self.erasures = Erasures(self.desk, runner)
        self.runs = Runs(self.desk, runner)
        alerting = Alerting(
            state,
            Ways(workspace.settings.alerts, vault),
            unusual_share=workspace.settings.alerts.unusual_share,
        )
        self.schedules = Schedules(
            self.desk,
            exports=self.exports,
            profiles=profiles,
            runner=runner,
            alerting=alerting,
            telemetry=telemetry,
            upkeep=lambda: Upkeep(lambda: Retention(Desk(state, catalog), services)),
        )
        self.retention = Retention(self.desk, services)
        self.alerts = Alerts(self.desk, alerting)
        self.overview = Overviews(self.desk, runner, connector, consents, ways=workspace.settings.alerts.ways)
        self.ledgers = Ledgers(
            self.desk, workspace=workspace, connector=connector, vault=vault, seal=seal, store=store
        )
        self.workspaces = Workspaces(
            self.desk, workspace=workspace, vault=vault, store=store, opened=self._opened
        )
        self.roles = Roles(self.desk, self.exports)
        self.configuration = Configuration(
            self.desk,
            Rooms(
                roles=self.roles,
                segments=self.segments,
                connections=self.connections,
                exports=self.exports,
                schedules=self.schedules,
            ),
            services=services,
            vault=vault,
            alerting=alerting,
        )
        self.plugins = Plugins(self.desk, workspace)
        self.audit = Audit(self.desk)

    def _telemetry(self, opened: ExitStack, state: State, connector: Connector) -> Telemetry:
        """An observer beside the plugins'; what it has left is sent when the workspace is closed."""

        def token_age(export_id: str) -> float | None:
            export = next((each for each in state.exports.all() if each.id == export_id), None)
            if export is None or export.connection_id is None:
                return None
            connection = state.connections.by_id(export.connection_id)
            try:
                signs_in = self.desk.catalog.connection_type(connection.type).oauth is not None
                health = connector.token_health(connection) if signs_in else None
            except CdpError:  # a vault that does not open says so where it is needed
                return None
            return None if health is None else health.age

        telemetry = Telemetry(batches=state.journal.batches, token_age=token_age)
        self.desk.catalog.manager.register(telemetry, name="telemetry")
        opened.callback(telemetry.close)
        return telemetry

    @classmethod
    def open(cls, workspace: Path | None = None, *, act_as: str | None = None, language: str = "en") -> Self:
        """The workspace at `workspace`, or the one that is found from here."""
        return cls(Workspace.open(Workspace.locate(workspace)), act_as=act_as, language=language)

    @classmethod
    def init(
        cls,
        folder: Path,
        *,
        profiles: str,
        key: str,
        options: Mapping[str, str] | None = None,
        engine: str | None = None,
        vault: Literal["keyring", "file"] | None = None,
        group: str | None = None,
        state_url: str | None = None,
        state_password: str | None = None,
        ledger_url: str | None = None,
        ledger_options: Mapping[str, str] | None = None,
    ) -> Self:
        """Make a workspace over a profile source; whoever does is its first Administrator.

        The source is opened and its key column looked for first, so that a slip leaves nothing behind.
        `engine` is the key of one, where `profiles` alone does not tell it (a table of Spark's, say); what is
        kept is the URL that the two make. `vault` is `keyring` or `file`; by default the keyring where there
        is one. With `group`, its members on this machine share the workspace, and secrets lie in files.

        With `state_url` (or `CDP_STATE_URL`) the state and the secrets lie in a PostgreSQL server, whose
        password `state_password` refers to. Where there is a state already, this machine joins it, which is
        an Administrator's to do.

        With `ledger_url`, ledgers and plans lie there, which is tried before anything is made.
        """
        shared = new_server(state_url, state_password, vault=vault)
        if group is not None:
            if vault == "keyring":
                raise UsageFault(
                    Code.USAGE,
                    "a keyring is one person's: what a group shares lies in a file vault",
                    where="--vault keyring",
                    hint="--vault file",
                )
            vault = "file"
        catalog = Catalog(create_plugin_manager())
        url = profiles if engine is None else url_for(profiles, engine, catalog)
        source = ProfileSource(url=_absolute(url), key=key, options=options or {})
        require_apart(folder, source.url)
        source = Profiles.check(source, catalog)
        settings = WorkspaceSettings(
            profiles=source,
            vault="state" if shared else vault or preferred_vault(),
            state_url=state_url,
            state_password=None if state_password is None else str(parse(state_password)),
            ledger_url=ledger_place(ledger_url, ledger_options or {}),
            ledger_options=ledger_options or {},
        )
        about = Resource(kind="workspace", name=str(folder.absolute()))

        def furnish(workspace: Workspace) -> None:
            person = login()
            with made_or_joined(shared or workspace.state_path) as state:
                with state.transaction():
                    # Whoever joins has the roles that they have there.
                    if not state.grants.all():
                        state.grants.grant(person, "administrator", by=person, at=datetime.now(UTC))
                desk = Desk(state, catalog)
                desk.perform(Action.WORKSPACE_INIT, about, lambda: desk.note(profiles=source.url, key=key))
                if workspace.settings.ledger_url is not None:
                    seal = Seal(lambda: None, encrypts=False)
                    store_of(workspace, state, seal, vault_of(workspace, state)).probe()

        return cls(Workspace.create(folder, settings, furnish, group=group))

    @staticmethod
    def look_at_backup(file: Path) -> BackupView:
        """Read and compare all of a backup's file; raises `InvalidFault` where it is not whole."""
        return backup_view(file, looked_at(file)[0])

    @classmethod
    def restore(
        cls,
        file: Path,
        folder: Path,
        *,
        vault_key: Path | None = None,
        group: str | None = None,
        progress: Callable[[int, int], None] = lambda written, total: None,
    ) -> RestoredView:
        """Make a workspace in a new folder from a backup; who does that is an Administrator there. The key of
        its vault is in no backup: `vault_key` is the file that it was kept in. Every claim is perhaps there
        from then on: the next runs send again who is wanted, and take out who is not."""
        return restored(file, folder, vault_key=vault_key, group=group, progress=progress)

    def resource(self, name: str, arguments: Mapping[str, Any]) -> Resource:
        return Resource(kind="workspace", name=str(self.workspace.folder))

    @act(Action.WHOAMI)
    def whoami(self) -> Whoami:
        """Who acts, in which roles, and what they may do."""
        actor = self.desk.actor
        return Whoami(
            name=actor.name,
            real=actor.real,
            roles=tuple(sorted(actor.roles)),
            granted=granted_roles(self.desk, actor.grants),
            actions=tuple(sorted(actions_of(actor.roles, self.desk.catalog.roles))),
            workspace=str(self.workspace.folder),
        )

    @act(Action.WORKSPACE_CHECK)
    def doctor(self) -> tuple[Check, ...]:
        """Look over the whole workspace; nothing is sent, and nothing is changed but for a file that is
        written at the ledgers' URL and removed again."""
        return self._doctor.examine()

    def close(self) -> None:
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _absolute(url: str) -> str:
    """A path made absolute, so that the workspace can be used from any folder; a URL as it is."""
    if "://" in url:
        return url
    path, hash_sign, table = url.partition("#")
    return os.path.abspath(os.path.expanduser(path)) + hash_sign + table  # noqa: PTH100, PTH111 (globs)
