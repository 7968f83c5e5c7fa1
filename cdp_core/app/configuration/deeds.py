"""Each change as the acts of the facade that a person would do by hand: the same rights, the same checks, the
same entries in the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cdp_core.app.configuration import grants
from cdp_core.app.configuration.forms import Entry, matching_of, policy_of, recurrence_of, typed
from cdp_core.app.configuration.schemas import IN_THE_VAULT
from cdp_core.app.configuration.views import ConfigChange
from cdp_core.app.connections import Connections
from cdp_core.app.exports import Exports
from cdp_core.app.roles import Roles
from cdp_core.app.schedules import Schedules
from cdp_core.app.segments import Segments
from cdp_core.errors import Code, InvalidFault, UsageFault
from cdp_core.model.names import as_typed

_FOLLOWS: Entry = {"cron": [], "timezone": None, "active": True}
_OF_EDIT = (
    "segments",
    "matching",
    "mode",
    "region",
    "consent",
    "gates",
    "keep_alive_days",
    "approval",
    "fields",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms:
    roles: Roles
    segments: Segments
    connections: Connections
    exports: Exports
    schedules: Schedules


def carry_out(rooms: Rooms, change: ConfigChange) -> tuple[str, ...]:
    """Make one change; sentences on what could not be looked at. Raises what the acts raise, and
    `InvalidFault` where something would have to change that cannot."""
    before, after = dict(change.before or {}), dict(change.after or {})
    if change.act == "remove":
        _remove(rooms, change)
    elif change.kind in grants.KINDS.values():
        grants.carry_out(rooms.roles, kind=change.kind, name=change.name, revoke=False)
    elif change.kind == "segment":
        _segment(rooms, change.name, before, after)
    elif change.kind == "connection":
        _connection(rooms, change.name, before, after)
    elif change.kind == "export":
        return _export(rooms, change.name, before, after)
    else:
        _refresh(rooms, before, after)
    return ()


def _remove(rooms: Rooms, change: ConfigChange) -> None:
    if change.kind in grants.KINDS.values():
        grants.carry_out(rooms.roles, kind=change.kind, name=change.name, revoke=True)
    elif change.kind == "segment":
        rooms.segments.remove(change.name)
    elif change.kind == "connection":
        rooms.connections.remove(change.name)
    else:
        rooms.exports.remove(change.name)


def _segment(rooms: Rooms, name: str, before: Entry, after: Entry) -> None:
    query = {each: after[each] for each in ("where", "sql", "static")}
    if not before:
        rooms.segments.add(name, **query)
    elif any(before[each] != query[each] for each in query):
        rooms.segments.edit(name, **query)
    if after["active"] != before.get("active", True):
        rooms.segments.switch(name, active=after["active"])


def _connection(rooms: Rooms, name: str, before: Entry, after: Entry) -> None:
    if not before:
        rooms.connections.add(
            name,
            type=after["type"],
            settings=typed(after["settings"]),
            secrets=after["secrets"],
            share_with=after["share_with"],
        )
        return
    _refuse(before, after, "type", f"connection {name!r}", f"cdp connection remove {as_typed(name)}")
    settings, unset = _changed(before["settings"], after["settings"])
    secrets, given_up = _changed(before["secrets"], after["secrets"])
    secrets = {each: reference for each, reference in secrets.items() if reference != IN_THE_VAULT}
    if settings or secrets or unset or given_up:
        rooms.connections.edit(name, settings=typed(settings), secrets=secrets, unset={*unset, *given_up})
    had, has = set(before["share_with"]), set(after["share_with"])
    if had != has:
        rooms.connections.share(name, add=has - had, remove=had - has)


def _export(rooms: Rooms, name: str, before: Entry, after: Entry) -> tuple[str, ...]:
    unchecked = ""
    if not before:
        unchecked = rooms.exports.add(
            name,
            connection=after["connection"],
            destination=after["destination"],
            group=after["group"],
            settings=typed(after["settings"]),
            matching=matching_of(after),
            segments=after["segments"],
            policy=policy_of(after),
        ).unchecked
    else:
        by_hand = f"cdp export remove {as_typed(name)}"
        for fixed in ("destination", "group"):
            _refuse(before, after, fixed, f"export {name!r}", by_hand)
        unchecked = _edited(rooms, name, before, after)
    schedule = after["schedule"]
    if schedule != before.get("schedule", _FOLLOWS):
        recurrence = recurrence_of(schedule)
        rooms.schedules.schedule_export(
            name, recurrence=recurrence, follow_refresh=recurrence is None, active=schedule["active"]
        )
    return (f"The audience of {as_typed(name)} could not be checked: {unchecked}.",) if unchecked else ()


def _edited(rooms: Rooms, name: str, before: Entry, after: Entry) -> str:
    unchecked = ""
    moves = before["connection"] != after["connection"]
    settings, unset = _changed(before["settings"], after["settings"])
    try:
        if moves and before["connection"] is not None:
            rooms.exports.detach(name)
        if settings or unset or any(before[each] != after[each] for each in _OF_EDIT):
            unchecked = rooms.exports.edit(
                name,
                settings=typed(settings),
                unset=unset,
                matching=matching_of(after),
                segments=after["segments"],
                policy=policy_of(after),
            ).unchecked
    except UsageFault as fault:
        if fault.code is not Code.NOT_AGREED_TO_ACT:
            raise
        detach = f"cdp export detach {as_typed(name)}"
        raise UsageFault(
            fault.code,
            fault.message,
            hint=f"say it by hand: {detach} --take-members-out, or --leave-members; then apply the file",
        ) from None
    if moves and after["connection"] is not None:
        unchecked = rooms.exports.attach(name, connection=after["connection"]).unchecked
    return unchecked


def _refresh(rooms: Rooms, before: Entry, after: Entry) -> None:
    recurrence = recurrence_of(after)
    is_set = before.get("cron") == after["cron"] and before.get("timezone") == after["timezone"]
    if recurrence is not None and not is_set:
        rooms.schedules.set(recurrence=recurrence)
    if not after["active"] or (is_set and not before["active"]):
        rooms.schedules.switch(active=after["active"])


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Entry, frozenset[str]]:
    """What is set anew, and the names of what is set no more."""
    anew = {name: value for name, value in after.items() if name not in before or before[name] != value}
    return anew, frozenset(before) - frozenset(after)


def _refuse(before: Entry, after: Entry, field: str, what: str, by_hand: str) -> None:
    if before[field] != after[field]:
        raise InvalidFault(
            Code.CONFIG_FIXED,
            f"the {field} of a thing stays as it was made: {before[field] or 'none'}, not "
            f"{after[field] or 'none'}",
            where=what,
            hint=f"give it another name in the file, or remove it first: {by_hand}",
        )
