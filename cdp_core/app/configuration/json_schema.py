"""The JSON Schema of a configuration file, for editors: made from the schemas that files are read by, with
the settings of every connection type and destination that a plugin has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import marshmallow

from cdp_core.app.configuration import grants
from cdp_core.app.configuration.schemas import IN_THE_VAULT, VERSION, FilePart
from cdp_core.contract.schemas import settings_of
from cdp_core.plugins.catalog import Catalog

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_FROM, _TO = "#/components/schemas/", "#/$defs/"
_REFERENCE = rf"^((env|file|keyring):.+|{IN_THE_VAULT})$"


def json_schema(catalog: Catalog) -> dict[str, Any]:
    """Draft 2020-12."""
    from apispec import APISpec
    from apispec.ext.marshmallow import MarshmallowPlugin

    plugin = MarshmallowPlugin(schema_name_resolver=_name_of)
    spec = APISpec(title="cdp", version=str(VERSION), openapi_version="3.1.0", plugins=[plugin])
    spec.components.schema("File", schema=FilePart)
    wanted = {
        **{
            _settings("connection", key): each.settings_schema
            for key, each in catalog.connection_types.items()
        },
        **{_settings("export", key): each.settings_schema for key, each in catalog.destinations.items()},
    }
    definitions: dict[str, Any] = spec.to_dict()["components"]["schemas"]
    assert plugin.converter is not None  # noqa: S101 - the specification has made it
    for name, schema in wanted.items():
        hidden = [info.name for info in settings_of(schema) if info.secret]
        # Two names may have one schema, which a component may not.
        definitions[name] = plugin.converter.schema2jsonschema(  # type: ignore[no-untyped-call]
            schema(exclude=hidden)
        )
    definitions = _moved(definitions)
    for name, schema in wanted.items():
        _say(definitions[name], schema, kind=name.partition(".")[0])
    definitions["Segment"]["oneOf"] = [{"required": ["where"]}, {"required": ["sql"]}]
    _by_type(definitions["Connection"], catalog)
    _by_destination(definitions["Export"], catalog)
    whole = definitions.pop("File")
    for section in grants.KINDS:
        whole["properties"][section]["additionalProperties"]["items"] = grants.item_schema(catalog.roles)
    whole["properties"]["version"] = {**whole["properties"]["version"], "const": VERSION}
    return {
        "$schema": DIALECT,
        "title": "Configuration of a cdp workspace",
        **whole,
        "$defs": definitions,
    }


def _name_of(schema: Any) -> str:
    found = schema if isinstance(schema, type) else type(schema)
    return found.__name__.removesuffix("Part")


def _settings(kind: str, key: str) -> str:
    return f"{kind}.{key}.settings"


def _moved(value: Any) -> Any:
    """With references as they are in a JSON Schema."""
    if isinstance(value, Mapping):
        return {
            key: inner.replace(_FROM, _TO) if key == "$ref" and isinstance(inner, str) else _moved(inner)
            for key, inner in value.items()
        }
    return [_moved(each) for each in value] if isinstance(value, list) else value


def _say(definition: dict[str, Any], schema: type[marshmallow.Schema], *, kind: str) -> None:
    """With each setting's own help and example."""
    for info in settings_of(schema):
        if info.secret:
            continue
        found = definition["properties"][info.name]
        found.pop("example", None)
        if kind == "connection" and not info.required and isinstance(found.get("type"), str):
            found["type"] = [found["type"], "null"]
            found |= {"enum": [*found["enum"], None]} if "enum" in found else {}
        found |= {"title": info.label, "description": info.help}
        # What the metadata has of it is the core's own object, not JSON.
        found.pop("deprecated", None)
        if info.deprecated is not None:
            found["deprecated"] = True
        if info.example:
            found["examples"] = [info.example]


def _by_type(connection: dict[str, Any], catalog: Catalog) -> None:
    connection["properties"]["type"] |= {"enum": sorted(catalog.connection_types)}
    connection["allOf"] = []
    for key, found in sorted(catalog.connection_types.items()):
        known = settings_of(found.settings_schema)
        hidden = [info for info in known if info.secret]
        secrets = {
            "type": "object",
            "properties": {
                info.name: {
                    "type": "string",
                    "pattern": _REFERENCE,
                    "title": info.label,
                    "description": info.help,
                }
                for info in hidden
            },
            "required": [info.name for info in hidden if info.required],
            "additionalProperties": False,
        }
        needed = [
            part
            for part, is_secret in (("settings", False), ("secrets", True))
            if any(info.required and info.secret is is_secret for info in known)
        ]
        its = {"settings": {"$ref": _TO + _settings("connection", key)}, "secrets": secrets}
        connection["allOf"].append(_where("type", key, its, needed))


def _by_destination(export: dict[str, Any], catalog: Catalog) -> None:
    export["properties"]["destination"] |= {"enum": [*sorted(catalog.destinations), None]}
    export["allOf"] = []
    for key, spec in sorted(catalog.destinations.items()):
        kinds = [rule.kind for rule in spec.matching]
        its = {
            "settings": {"$ref": _TO + _settings("export", key)},
            "matching": {"items": {"properties": {"kind": {"enum": kinds}}}},
        }
        needed = ["settings"] if any(info.required for info in settings_of(spec.settings_schema)) else []
        export["allOf"].append(_where("destination", key, its, needed))


def _where(field: str, key: str, properties: dict[str, Any], needed: list[str]) -> dict[str, Any]:
    return {
        "if": {"properties": {field: {"const": key}}, "required": [field]},
        "then": {"properties": properties, "required": needed},
    }
