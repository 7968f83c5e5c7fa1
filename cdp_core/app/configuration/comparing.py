"""A file's form beside the workspace's: what is to be added or changed, and what the file does not name."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from cdp_core.app.configuration import grants
from cdp_core.app.configuration.forms import Form
from cdp_core.app.configuration.schemas import SECTIONS, defaults_of
from cdp_core.app.configuration.views import ConfigChange, ConfigDiff, Difference, Kind, NotInFile

if TYPE_CHECKING:
    from cdp_core.app.configuration.reading import Marked, Path_

KINDS: Mapping[str, Kind] = {
    **grants.KINDS,
    "segments": "segment",
    "connections": "connection",
    "exports": "export",
    "schedule": "schedule",
}
_SCOPED = "a grant for one alone"
# What is referred to is there first: connections are shared with people who have a role.
_MADE_IN_ORDER = ("role", "group-role", "segment", "connection", _SCOPED, "export", "schedule")
# What depends on others goes before them.
_REMOVED_IN_ORDER = ("export", _SCOPED, "segment", "connection", "group-role", "role", "schedule")


def compare(marked: Marked, wanted: Form, present: Form, *, roles: Collection[str]) -> ConfigDiff:
    """`present` holds the sections that are wanted; others are left alone. Changes come in the order in
    which they can be made: what is referred to first. `roles` are the roles that there are."""
    changes: list[ConfigChange] = []
    extra: list[NotInFile] = []
    same = 0
    for section in (each for each in SECTIONS if each in wanted):
        kind = KINDS[section]
        places = grants.places(marked, section) if section in grants.KINDS else {}
        want, have = _things(section, wanted[section]), _things(section, present[section])
        for name, asked in want.items():
            before = have.get(name)
            after = _laid_over(before or {}, asked) if kind == "connection" else asked
            if before == after:
                same += 1
                continue
            changes.append(
                ConfigChange(
                    kind=kind,
                    name=name,
                    act="add" if before is None else "change",
                    differences=_added(section, after)
                    if before is None
                    else tuple(_differences(before, after)),
                    line=marked.line(places.get(name) or place_of(marked, kind, name)),
                    before=before,
                    after=after,
                )
            )
        extra.extend(NotInFile(kind=kind, name=name) for name in have if name not in want)
    changes.sort(key=lambda each: _MADE_IN_ORDER.index(_sort(each)))
    extra.sort(key=lambda each: _REMOVED_IN_ORDER.index(_sort(each)))
    return ConfigDiff(
        file=marked.file,
        sections=tuple(wanted),
        changes=_shared_later(changes, {*roles, *grants.everywhere(wanted.get("roles", {}))}),
        not_in_file=tuple(extra),
        same=same,
    )


def _sort(each: ConfigChange | NotInFile) -> str:
    return _SCOPED if grants.is_scoped(each.kind, each.name) else each.kind


def _shared_later(changes: list[ConfigChange], known: Collection[str]) -> tuple[ConfigChange, ...]:
    """With what is shared with somebody whose first role may be for a connection alone (all but the `known`)
    shared after that is granted."""
    place = sum(_MADE_IN_ORDER.index(_sort(each)) <= _MADE_IN_ORDER.index(_SCOPED) for each in changes)
    if not place or _sort(changes[place - 1]) != _SCOPED:
        return tuple(changes)
    first: list[ConfigChange] = []
    later: list[ConfigChange] = []
    for change in changes[:place]:
        had, has = ((each or {}).get("share_with", ()) for each in (change.before, change.after))
        now = [name for name in has if name in had or name in known]
        if change.kind != "connection" or now == list(has):
            first.append(change)
            continue
        halfway = {**(change.after or {}), "share_with": now}
        if halfway != change.before:
            first.append(_change(change, before=change.before, after=halfway))
        later.append(_change(change, before=halfway, after=change.after or {}))
    return (*first, *later, *changes[place:])


def _change(
    change: ConfigChange, *, before: Mapping[str, Any] | None, after: Mapping[str, Any]
) -> ConfigChange:
    return dataclasses.replace(
        change,
        act="add" if before is None else "change",
        differences=_added("connections", after) if before is None else tuple(_differences(before, after)),
        before=before,
        after=after,
    )


def place_of(marked: Marked, kind: str, name: str) -> Path_:
    """Where a file says something of it."""
    if kind == "schedule":
        return ("schedule",)
    section = next(section for section, each in KINDS.items() if each == kind)
    if section in grants.KINDS:
        return grants.places(marked, section).get(name, (section,))
    return (section, name)


def _things(section: str, entries: Mapping[str, Any]) -> dict[str, Any]:
    """Each by its name."""
    return grants.things(section, entries) if section in grants.KINDS else dict(entries)


def _added(section: str, after: Mapping[str, Any]) -> tuple[Difference, ...]:
    """What a new thing is told to be: not what it would be anyway."""
    told = _differences(defaults_of(section), after)
    return tuple(dataclasses.replace(each, before=None) for each in told)


def _laid_over(before: Mapping[str, Any], asked: Mapping[str, Any]) -> dict[str, Any]:
    """A connection with the settings that the file names: others stay, and what is null there goes."""
    settings = {**before.get("settings", {}), **asked["settings"]}
    return {**asked, "settings": {each: value for each, value in settings.items() if value is not None}}


def _differences(before: Mapping[str, Any], after: Mapping[str, Any], way: str = "") -> Iterator[Difference]:
    for name in dict.fromkeys((*after, *before)):
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        if isinstance(new, Mapping) and (old is None or isinstance(old, Mapping)):
            yield from _differences(old or {}, new, f"{way}{name}.")
        else:
            yield Difference(field=f"{way}{name}", before=old, after=new)
