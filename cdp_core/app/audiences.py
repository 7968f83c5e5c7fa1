"""Audiences at the services: listed over a connection, and looked at beside the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cdp_core.app.desk import Desk, act
from cdp_core.app.views import AudienceStatus, AudienceView, TrendPoint
from cdp_core.model.access import Action, Resource
from cdp_core.model.configuration import Connection
from cdp_core.model.delivery import AudienceKey
from cdp_core.runner.audiences import Audiences as AudienceDesk
from cdp_core.runner.history import reading_of
from cdp_core.runner.rights import about_connection, about_export


class Audiences:
    def __init__(self, desk: Desk, audiences: AudienceDesk) -> None:
        self.desk = desk
        self._audiences = audiences

    def resource(self, name: str, arguments: Mapping[str, Any]) -> Resource:
        state = self.desk.state
        if "export" in arguments:
            export = next((each for each in state.exports.all() if each.name == arguments["export"]), None)
            if export is None:
                return Resource(kind="export", name=arguments["export"])
            return about_export(state, self.desk.catalog, export)
        found = next((each for each in state.connections.all() if each.name == name), None)
        return about_connection(found, name)

    @act(Action.CONNECTION_AUDIENCES)
    def of(self, connection: str) -> tuple[AudienceView, ...]:
        """Ask the service for the audiences that a connection reaches, by name."""
        state = self.desk.state
        over = state.connections.get(connection)
        listed = self._audiences.browse(over)
        users: dict[str, list[str]] = {}
        claims: dict[str, int] = {}
        for export in state.connections.exports_of(over.id):
            key = self._audiences.key_of(export)
            users.setdefault(key.audience_id, []).append(export.name)
            files = state.ledgers.current(key).files
            claims[key.audience_id] = sum(file.claims for file in files)
        return tuple(
            AudienceView(
                audience=audience,
                exports=tuple(sorted(users.get(audience.id, ()))),
                claims=claims.get(audience.id, 0),
            )
            for audience in listed
        )

    @act(Action.EXPORT_STATUS)
    def status(self, *, export: str) -> AudienceStatus:
        """Ask the service how an export's audience is, and hold that against the ledger and the runs."""
        found = self.desk.state.exports.get(export)
        audience, drift = self._audiences.look(found)
        key = self._audiences.key_of(found)
        # Read once, so that both numbers are of one version.
        files = self.desk.state.ledgers.current(key).files
        self.desk.note(drift=[str(each.kind) for each in drift])
        return AudienceStatus(
            export=found.name,
            audience_id=key.audience_id,
            audience=audience,
            claims=sum(file.claims for file in files if file.export_id == found.id),
            claims_of_others=sum(file.claims for file in files if file.export_id != found.id),
            drift=drift,
            trend=self._trend(key),
        )

    def _trend(self, key: AudienceKey) -> tuple[TrendPoint, ...]:
        return tuple(
            TrendPoint(
                run=run.id,
                at=reading.at,
                accepted=run.delivered.accepted,
                claims=reading.claims,
                approximate_number_users=reading.audience.approximate_number_users,
                targetable_status=reading.audience.targetable_status,
            )
            for run in self.desk.state.runs.committed(key)
            if (reading := reading_of(run)) is not None and reading.claims is not None
        )


def _sharing(connection: Connection | None) -> frozenset[str] | None:
    return None if connection is None else connection.shared_with
