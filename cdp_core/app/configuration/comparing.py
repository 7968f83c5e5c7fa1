"""A file's form beside the workspace's: what is to be added or changed, and what the file does not name."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from cdp_core.app.configuration.forms import Form
from cdp_core.app.configuration.schemas import SECTIONS, defaults_of
from cdp_core.app.configuration.views import ConfigChange, ConfigDiff, Difference, Kind, NotInFile

if TYPE_CHECKING:
    from cdp_core.app.configuration.reading import Marked, Path_

KINDS: Mapping[str, Kind] = {
    "roles": "role",
    "segments": "segment",
    "connections": "connection",
    "exports": "export",
    "schedule": "schedule",
}
# What depends on others goes before them.
REMOVED_IN_ORDER: tuple[Kind, ...] = ("export", "segment", "connection", "role")


def compare(marked: Marked, wanted: Form, present: Form) -> ConfigDiff:
    """`present` holds the sections that are wanted; others are left alone. Changes come in the order in
    which they can be made: what is referred to first."""
    changes: list[ConfigChange] = []
    extra: list[NotInFile] = []
    same = 0
    for section in (each for each in SECTIONS if each in wanted):
        kind = KINDS[section]
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
                    line=marked.line(place_of(kind, name)),
                    before=before,
                    after=after,
                )
            )
        extra.extend(NotInFile(kind=kind, name=name) for name in have if name not in want)
    extra.sort(key=lambda each: REMOVED_IN_ORDER.index(each.kind) if each.kind in REMOVED_IN_ORDER else 9)
    return ConfigDiff(
        file=marked.file,
        sections=tuple(wanted),
        changes=tuple(changes),
        not_in_file=tuple(extra),
        same=same,
    )


def place_of(kind: str, name: str) -> Path_:
    """Where a file says something of it."""
    if kind == "schedule":
        return ("schedule",)
    section = next(section for section, each in KINDS.items() if each == kind)
    return (section, name.rpartition(": ")[0] if kind == "role" else name)


def _things(section: str, entries: Mapping[str, Any]) -> dict[str, Any]:
    """Each by its name; of roles each grant is one, as it is granted and revoked by itself."""
    if section != "roles":
        return dict(entries)
    return {
        f"{person}: {role}": {"person": person, "role": role}
        for person, entry in entries.items()
        for role in entry["roles"]
    }


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
