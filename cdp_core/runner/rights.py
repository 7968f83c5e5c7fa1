"""Whether a run may still go on: the consent of its connection, and the right of the person in whose name it
happens, are looked at while it is under way, since either can end at any moment."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable

from cdp_core.errors import CdpError, Code, InvalidFault, NotAllowedFault, TemporaryFault
from cdp_core.model.access import Action, Actor, Resource
from cdp_core.model.configuration import Connection, Export
from cdp_core.model.names import as_typed
from cdp_core.plugins.catalog import Catalog
from cdp_core.runner.services import Services
from cdp_core.store.state import State


def about_connection(connection: Connection | None, name: str = "") -> Resource:
    """What an act on a connection is about; `name` is what was asked for, where there is none of it."""
    if connection is None:
        return Resource(kind="connection", name=name)
    return Resource(
        kind="connection",
        name=connection.name,
        shared_with=connection.shared_with,
        connection_id=connection.id,
    )


def about_export(
    state: State,
    catalog: Catalog,
    export: Export,
    *,
    over: Connection | None = None,
    segments: Iterable[str] = (),
) -> Resource:
    """What an act on an export is about: `over` another connection, and with further `segments` (ids), where
    the act is to give it those."""
    if over is None and export.connection_id is not None:
        over = state.connections.by_id(export.connection_id)
    spec = catalog.destinations.get(export.destination)
    return Resource(
        kind="export",
        name=export.name,
        shared_with=None if over is None else over.shared_with,
        payload=spec.capabilities.payload if spec else "digests",
        connection_id=None if over is None else over.id,
        segment_ids=frozenset(export.segment_ids).union(segments),
    )


def objection(
    services: Services, export: Export, actor: Actor, action: Action
) -> Callable[[], CdpError | None]:
    """What looks, each time that it is called, whether something forbids the run by now; it gives None where
    nothing does. A dry run sends nothing, and needs no consent."""

    def look() -> CdpError | None:
        try:
            if action is not Action.EXPORT_PLAN:
                services.consents.require(services.connector.connection_of(_today(services, export)))
            _require_right(services, export, actor, action)
        except TemporaryFault:  # a busy state: the next look tells
            return None
        except CdpError as fault:
            return fault
        except Exception as fault:  # noqa: BLE001 (whose voice cannot be heard may have been a no)
            return NotAllowedFault(
                Code.ACCESS_PLUGIN_BROKEN,
                f"a plugin that is asked for consent texts has failed: {fault}",
                where=f"export {export.name}",
                hint="mend the plugin, or let an Administrator disable it: cdp plugins list",
            )
        return None

    return look


def _require_right(services: Services, export: Export, actor: Actor, action: Action) -> None:
    today = services.state.grants.actor(actor.name, real=actor.real)
    about = about_export(services.state, services.catalog, _today(services, export))
    decision = services.catalog.authorize(today, action, about)
    if not decision.allowed:
        raise NotAllowedFault(
            Code.NOT_ALLOWED,
            f"{actor.name} may not {action.in_words} any more: {decision.reason}",
            where=f"export {export.name}",
            hint=f"cdp role explain {as_typed(actor.name)} {action} {as_typed(export.name)}",
        )


def _today(services: Services, export: Export) -> Export:
    """The export as it is set up now; as the run began with it where it was removed meanwhile."""
    try:
        now = services.state.exports.by_id(export.id)
    except InvalidFault:
        return export
    return dataclasses.replace(export, name=now.name, connection_id=export.connection_id)
