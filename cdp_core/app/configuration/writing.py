"""A form as the text of a file: what is as it would be anyway is left out, and nothing secret is in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from cdp_core.app.configuration import grants
from cdp_core.app.configuration.forms import REFRESH, Entry, Form
from cdp_core.app.configuration.schemas import SECTIONS, VERSION, RecurrencePart, defaults_of

SCHEMA_FILE = "cdp.schema.json"
_HINT = f"# yaml-language-server: $schema={SCHEMA_FILE}\n"
_HEADING = (
    f"# Written by `cdp config export`. An editor knows its fields by {SCHEMA_FILE}, which\n"
    f"# `cdp config schema > {SCHEMA_FILE}` writes beside it.\n"
)


def document(form: Form) -> dict[str, Any]:
    """What a file of that form says."""
    said: dict[str, Any] = {"version": VERSION}
    for section in (each for each in SECTIONS if each in form):
        entries = form[section]
        if section in grants.KINDS:
            said[section] = {holder: list(entry["granted"]) for holder, entry in entries.items()}
        elif section == "schedule":
            if REFRESH in entries:
                said[section] = _less(entries[REFRESH], RecurrencePart().load({}))
        else:
            defaults = defaults_of(section)
            said[section] = {name: _less(_short(entry), defaults) for name, entry in entries.items()}
    return said


def text(form: Form, left_out: tuple[str, ...]) -> str:
    """The whole file; `left_out` are sentences on what is not in it."""
    remarks = "".join(f"# {sentence}\n" for sentence in left_out)
    body = yaml.dump(
        document(form), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10**6, indent=2
    )
    return f"{_HINT}{_HEADING}{remarks}{body}"


def _short(entry: Entry) -> Entry:
    """A column that is called as its field needs no word."""
    if not entry.get("fields"):
        return entry
    chosen = [
        {"field": each["field"]} if each["field"] == each["column"] else each for each in entry["fields"]
    ]
    return {**entry, "fields": chosen}


def _less(entry: Mapping[str, Any], defaults: Mapping[str, Any]) -> Entry:
    """Without what is as it would be where nothing is said."""
    found: Entry = {}
    for name, value in entry.items():
        default = defaults.get(name)
        if value is None or (name in defaults and value == default):
            continue
        if isinstance(value, Mapping):
            found[name] = _less(value, default if isinstance(default, Mapping) else {})
        else:
            found[name] = value
    return found


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Items of a list stand further in than what they are of."""
        super().increase_indent(flow, False)


def _text_node(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    """A query of several lines as it reads."""
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text_node)
