"""All changes made in a copy of the state first, by the very acts that make them later: whatever these would
refuse is known before anything has changed.

The copy lies in the workspace's scratch folder and holds what people set up, and which ledgers there are. In
it nothing is sent, no secret is written or deleted, and no result of a static segment kept. The service is
asked about an audience only over a connection that is there already, and as it is.
"""

from __future__ import annotations

import copy
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import NoReturn

from cdp_core.alerts.alerting import Alerting
from cdp_core.app.configuration.deeds import Rooms
from cdp_core.app.connections import Connections
from cdp_core.app.desk import Desk
from cdp_core.app.exports import Exports
from cdp_core.app.roles import Roles
from cdp_core.app.schedules import Schedules
from cdp_core.app.segments import Segments
from cdp_core.model.configuration import Export, KeptResult
from cdp_core.model.secret import Secret
from cdp_core.runner.audiences import Audiences
from cdp_core.runner.connect import Connector
from cdp_core.runner.consents import ENGLISH, ConsentDesk
from cdp_core.runner.kept import KeptResults
from cdp_core.runner.runner import Runner
from cdp_core.runner.services import Services
from cdp_core.store import copying
from cdp_core.store.state import State
from cdp_core.vault.vault import Vault
from cdp_core.workspace.files import scratch_folder

COPIED = frozenset(
    {
        "connections",
        "consents",
        "export_segments",
        "exports",
        "grants",
        "ledger_files",
        "ledgers",
        "new_audiences",
        "schedules",
        "segments",
    }
)


@contextmanager
def rehearsal(desk: Desk, services: Services, vault: Vault, alerting: Alerting) -> Iterator[Rooms]:
    """Rooms over the copy, in which the same person acts."""
    folder = scratch_folder("rehearsal-", services.workspace.scratch_folder)
    try:
        with State.create(folder / "state.db") as state:
            with desk.state.as_it_is() as source, state.standing_still() as target:
                copying.copy_only(source, target, COPIED)
            yield _rooms(desk, services, vault, alerting, state)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _rooms(desk: Desk, services: Services, vault: Vault, alerting: Alerting, state: State) -> Rooms:
    catalog = desk.catalog
    theirs = Desk(state, catalog)
    theirs.actor = desk.actor
    connector = Connector(state, catalog, _Untouched(vault))
    profiles = copy.copy(services.profiles)
    profiles.results = _NothingKept()
    rehearsed = Services(
        workspace=services.workspace,
        state=state,
        catalog=catalog,
        connector=connector,
        consents=ConsentDesk(state, catalog, ENGLISH),
        profiles=profiles,
        seal=services.seal,
        ledgers=services.ledgers,
    )
    runner = Runner(rehearsed)
    exports = Exports(theirs, profiles, runner, _AsItIs(rehearsed, services))
    return Rooms(
        roles=Roles(theirs, exports),
        segments=Segments(theirs, profiles),
        connections=Connections(theirs, connector, rehearsed.consents),
        exports=exports,
        schedules=Schedules(
            theirs,
            exports=exports,
            profiles=profiles,
            runner=runner,
            alerting=alerting,
            telemetry=None,
            upkeep=_no_upkeep,
        ),
    )


def _no_upkeep() -> NoReturn:
    raise TypeError("in a rehearsal no scheduler is started")


class _Untouched:
    """The vault, read alone."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def get(self, name: str, /) -> Secret | None:
        return self._vault.get(name)

    def put(self, name: str, secret: Secret, /) -> None:
        return

    def delete(self, name: str, /) -> None:
        return


class _NothingKept(KeptResults):
    def __init__(self) -> None:
        return

    def write(self, digests: Iterable[bytes], *, at: datetime, by: str) -> KeptResult:
        return KeptResult(path="", sha256="", members=0, at=at, by=by)

    def replaced(self, result: KeptResult) -> None:
        return

    def sweep(self, kept: Iterable[KeptResult | None]) -> None:
        return

    def forget(self, result: KeptResult | None) -> None:
        return


class _AsItIs(Audiences):
    """Asks over a connection that is there, and is not about to change."""

    def __init__(self, rehearsed: Services, services: Services) -> None:
        super().__init__(rehearsed)
        self._real = Audiences(services)
        self._now = {each.id: each for each in services.state.connections.all()}

    def check(self, export: Export) -> str:
        over = self._services.state.connections.by_id(str(export.connection_id))
        now = self._now.get(over.id)
        return self._real.check(export) if now is not None and now.settings == over.settings else ""
