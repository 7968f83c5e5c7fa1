"""Settings as they were released, beside those there are now: what would break whoever has set them.

A snapshot is one JSON document in the plugin's package: a JSON Schema for the settings of each connection
type and destination. What cannot be said in one (a validator of one's own, say) is not compared.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from operator import gt, lt
from pathlib import Path
from typing import Any

import marshmallow

from cdp_core.contract.schemas import settings_of

FILE_NAME = "settings_snapshot.json"
CONNECTIONS, DESTINATIONS = "connections", "destinations"

# What is kept of a setting: by what it takes, not how it is explained.
_LEAST = ("minimum", "exclusiveMinimum", "minLength", "minItems")
_MOST = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")
_KEPT = frozenset(
    {"additionalProperties", "default", "deprecated", "enum", "format", "items", "pattern", "properties"}
    | {"required", "type", "writeOnly", *_LEAST, *_MOST}
)
_TAKEN_BACK = "take it as before; deprecate it and leave it for a minor version, or make it a major version"

Shape = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingChange:
    """`breaks` says whether somebody's settings may be refused now, or mean something else to `cdp`."""

    setting: str
    what: str
    breaks: bool
    mend: str

    def __str__(self) -> str:
        return f"{self.setting} {self.what}".strip()


def recorded(
    connections: Mapping[str, type[marshmallow.Schema]], destinations: Mapping[str, type[marshmallow.Schema]]
) -> dict[str, dict[str, Shape]]:
    """The snapshot of these settings, by key."""
    return {
        CONNECTIONS: {key: shape_of(schema) for key, schema in sorted(connections.items())},
        DESTINATIONS: {key: shape_of(schema) for key, schema in sorted(destinations.items())},
    }


def text_of(snapshot: Mapping[str, Mapping[str, Shape]]) -> str:
    """As it is kept: a change of a setting shows as a line of a diff."""
    return json.dumps(snapshot, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def read(path: Path) -> dict[str, dict[str, Shape]]:
    """A snapshot that was kept. Raises `ValueError`, with a sentence, where it is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise ValueError(f"{path.name} cannot be read: {fault}") from None
    parts = [found.get(part) for part in (CONNECTIONS, DESTINATIONS)] if isinstance(found, dict) else [None]
    if not all(isinstance(part, dict) and all(map(_is_object, part.values())) for part in parts):
        raise ValueError(f"{path.name} is no snapshot of settings: it was not written by cdp")
    return {part: found[part] for part in (CONNECTIONS, DESTINATIONS)}


def _is_object(shape: Any) -> bool:
    return isinstance(shape, dict) and isinstance(shape.get("properties"), dict)


def shape_of(schema: type[marshmallow.Schema]) -> Shape:
    """The JSON Schema of a settings schema, its secrets among them, without what is said to people."""
    from apispec import APISpec
    from apispec.ext.marshmallow import MarshmallowPlugin

    # Without a name a nested schema stands where it is used.
    plugin = MarshmallowPlugin(schema_name_resolver=lambda _schema: "")
    APISpec(title="cdp", version="1", openapi_version="3.1.0", plugins=[plugin])
    known = settings_of(schema)
    hidden = [info.name for info in known if info.secret]
    assert plugin.converter is not None  # noqa: S101 - the specification has made it
    made = plugin.converter.schema2jsonschema(schema(exclude=hidden))  # type: ignore[no-untyped-call]
    shape = _kept(made)
    properties = shape.setdefault("properties", {})
    properties |= {name: {"type": "string", "writeOnly": True} for name in hidden}
    for info in known:
        if info.deprecated is not None:
            properties[info.name]["deprecated"] = True
    required = sorted(info.name for info in known if info.required)
    shape |= {"required": required} if required else {}
    # As it comes back from the file, in JSON's own types.
    found: Shape = json.loads(json.dumps(shape, default=str))
    return found


def _kept(shape: Shape) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for word, value in shape.items():
        if word == "properties":
            kept[word] = {name: _kept(inner) for name, inner in value.items()}
        elif word in _KEPT:
            kept[word] = _kept(value) if isinstance(value, Mapping) and word != "default" else value
    return kept


def changes(before: Shape, now: Shape, *, within: str = "") -> Iterator[SettingChange]:
    """What has changed from one shape of settings to another, what breaks somebody first."""
    found = _of_properties(before, now, within)
    yield from sorted(found, key=lambda change: (not change.breaks, change.setting))


def _of_properties(before: Shape, now: Shape, within: str) -> Iterator[SettingChange]:
    old, new = before.get("properties", {}), now.get("properties", {})
    needed_before, needed = set(before.get("required", ())), set(now.get("required", ()))
    for name in {*old, *new}:
        place = f"{within}{name}"
        if name not in new:
            yield _broken(place, "is gone")
        elif name in needed - needed_before:
            what = "has become required" if name in old else "is new, and required"
            yield _broken(
                place, what, mend="give it a default that leaves things as they were (load_default)"
            )
        elif name not in old:
            yield _added(place, "is new")
        elif name in needed_before - needed:
            yield _added(place, "is not required any more")
        if name in old and name in new:
            yield from _of_setting(place, old[name], new[name])


def _of_setting(place: str, old: Shape, new: Shape) -> Iterator[SettingChange]:
    if old.get("writeOnly", False) != new.get("writeOnly", False):
        secret = "has become a secret" if new.get("writeOnly") else "is no secret any more"
        yield _broken(place, f"{secret}: it is given, and kept, in another way")
    yield from _of_types(place, old, new)
    yield from _of_choices(place, old, new)
    yield from _of_limits(place, _LEAST, gt, old, new)
    yield from _of_limits(place, _MOST, lt, old, new)
    for word in ("pattern", "format"):
        if old.get(word) != new.get(word):
            change = _added if new.get(word) is None else _broken
            yield change(place, f"has another {word}: {old.get(word)} before, {new.get(word)} now")
    if old.get("default") != new.get("default"):
        yield _added(place, f"has another default: {old.get('default')} before, {new.get('default')} now")
    if old.get("deprecated", False) != new.get("deprecated", False):
        yield _added(place, "is deprecated" if new.get("deprecated") else "is not deprecated any more")
    yield from _of_properties(old, new, f"{place}.")
    for word in ("items", "additionalProperties"):
        inner, outer = old.get(word), new.get(word)
        if isinstance(inner, Mapping) and isinstance(outer, Mapping):
            yield from _of_setting(f"{place}[]", inner, outer)


def _of_types(place: str, old: Shape, new: Shape) -> Iterator[SettingChange]:
    before, now = _types(old), _types(new)
    if before == now:
        return
    narrower = now is not None and (before is None or before - now)
    change = _broken if narrower else _added
    yield change(place, f"takes another type: {_listed(before)} before, {_listed(now)} now")


def _types(shape: Shape) -> frozenset[str] | None:
    """None for any. Every integer is a number, too."""
    declared = shape.get("type")
    if declared is None:
        return None
    types = frozenset([declared] if isinstance(declared, str) else declared)
    return types | {"integer"} if "number" in types else types


def _of_choices(place: str, old: Shape, new: Shape) -> Iterator[SettingChange]:
    before, now = old.get("enum"), new.get("enum")
    if now is not None and before is None:
        yield _broken(place, f"takes some values only, now: {_listed(now)}")
    elif now is not None and (gone := [each for each in before or () if each not in now]):
        yield _broken(place, f"does not take any more: {_listed(gone)}")
    elif before != now:
        came = [each for each in now or () if each not in (before or ())]
        yield _added(place, f"takes more: {_listed(came)}" if came else "takes any value")


def _of_limits(
    place: str, words: tuple[str, ...], tighter: Callable[[Any, Any], bool], old: Shape, new: Shape
) -> Iterator[SettingChange]:
    for word in words:
        before, now = old.get(word), new.get(word)
        if before == now:
            continue
        change = _broken if now is not None and (before is None or tighter(now, before)) else _added
        yield change(place, f"has another {word}: {before} before, {now} now")


def _broken(setting: str, what: str, *, mend: str = _TAKEN_BACK) -> SettingChange:
    return SettingChange(setting=setting, what=what, breaks=True, mend=mend)


def _added(setting: str, what: str) -> SettingChange:
    return SettingChange(setting=setting, what=what, breaks=False, mend="record the snapshot anew")


def _listed(values: Any) -> str:
    return "anything" if values is None else ", ".join(sorted(map(str, values)))
