"""How the workspace stands, in the form that is compared with a file's: as much as the actor may see."""

from __future__ import annotations

from collections.abc import Collection

from cdp_core.app.configuration.forms import (
    REFRESH,
    Entry,
    Form,
    matching_form,
    policy_form,
    schedule_form,
    secret_form,
    settings_form,
)
from cdp_core.app.configuration.grants import present_grants
from cdp_core.app.configuration.schemas import SECTIONS
from cdp_core.app.desk import Desk
from cdp_core.contract.schemas import settings_of
from cdp_core.model.access import Action, Resource
from cdp_core.model.configuration import Connection, Export, Segment

# What one must be allowed to before a section is shown, or compared.
SEEN_WITH = {
    "roles": Action.ROLE_LIST,
    "groups": Action.ROLE_LIST,
    "segments": Action.SEGMENT_LIST,
    "connections": Action.CONNECTION_ADD,
    "exports": Action.EXPORT_LIST,
    "schedule": Action.SCHEDULE_SHOW,
}


def seen(desk: Desk) -> tuple[str, ...]:
    """The sections that the actor may see."""
    about = Resource(kind="workspace")
    return tuple(
        section
        for section in SECTIONS
        if desk.catalog.authorize(desk.actor, SEEN_WITH[section], about).allowed
    )


def present(desk: Desk, sections: Collection[str]) -> Form:
    """Exports over a connection that is not the actor's to see are left out."""
    state = desk.state
    found: Form = present_grants(state, sections)
    if "segments" in sections:
        found["segments"] = {each.name: _segment(each) for each in state.segments.all()}
    if "connections" in sections:
        found["connections"] = {each.name: _connection(desk, each) for each in state.connections.all()}
    if "exports" in sections:
        found["exports"] = {
            each.name: _export(desk, each) for each in state.exports.all() if _sees(desk, each)
        }
    if "schedule" in sections:
        refresh = state.schedules.refresh()
        found["schedule"] = {REFRESH: schedule_form(refresh)} if refresh.recurrence else {}
    return found


def unseen(desk: Desk) -> int:
    """How many exports are left out."""
    return sum(not _sees(desk, each) for each in desk.state.exports.all())


def _sees(desk: Desk, export: Export) -> bool:
    if export.connection_id is None:
        return True
    return desk.sees(desk.state.connections.by_id(export.connection_id))


def _segment(segment: Segment) -> Entry:
    return {
        "where": None if segment.where is None else segment.where.strip(),
        "sql": None if segment.sql is None else segment.sql.strip(),
        "static": segment.kept is not None,
        "active": segment.active,
    }


def _connection(desk: Desk, connection: Connection) -> Entry:
    schema = desk.catalog.connection_type(connection.type).settings_schema
    hidden = sorted(info.name for info in settings_of(schema) if info.secret)
    kept = connection.settings
    return {
        "type": connection.type,
        "settings": settings_form(schema, kept),
        "secrets": {name: secret_form(kept[name]) for name in hidden if kept.get(name)},
        "share_with": sorted(connection.shared_with),
    }


def _export(desk: Desk, export: Export) -> Entry:
    state, spec = desk.state, desk.catalog.destination(export.destination)
    over = export.connection_id
    return {
        "connection": None if over is None else state.connections.by_id(over).name,
        "destination": export.destination,
        "group": export.group,
        "segments": [state.segments.by_id(each).name for each in export.segment_ids],
        "matching": matching_form(export.matching),
        "settings": settings_form(spec.settings_schema, export.settings),
        **policy_form(export.policy),
        "schedule": schedule_form(state.schedules.of(export.id)),
    }
