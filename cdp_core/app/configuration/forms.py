"""One form for what a file says and for how a workspace stands, so that the two can be compared.

A form is section → name → fields, in JSON's own types, with every default filled in. What the state keeps is
brought into it (`present`), and what a file says (`reading` and `meaning`).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

import marshmallow

from cdp_core.app.configuration.schemas import IN_THE_VAULT
from cdp_core.contract.schemas import settings_of
from cdp_core.model.configuration import Match
from cdp_core.model.policy import Policy
from cdp_core.model.schedule import Recurrence, Schedule
from cdp_core.rules.member_consent import member_consent
from cdp_core.rules.recurrence import cron

Entry = dict[str, Any]
Form = dict[str, dict[str, Entry]]

REFRESH = "refresh"
_OF_POLICY = ("mode", "region", "consent", "gates", "keep_alive_days", "approval", "fields")


def settings_form(schema: type[marshmallow.Schema], values: Mapping[str, Any]) -> Entry:
    """Settings that are no secret, each as its field reads it, so that a text and a number are the same."""
    known = {info.name: info for info in settings_of(schema)}
    return {
        name: _read(known[name].declared, value) if name in known else value
        for name, value in sorted(values.items())
        if value is not None and not (name in known and known[name].secret)
    }


def _read(declared: marshmallow.fields.Field[Any], value: Any) -> Any:
    try:
        found = declared.deserialize(value)
    except marshmallow.ValidationError:
        return value
    return found if isinstance(found, str | int | float) else value


def typed(settings: Mapping[str, Any]) -> dict[str, str]:
    """Settings as they would be typed, which is how the state keeps them."""
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in settings.items()
    }


def absolute(schema: type[marshmallow.Schema], settings: Mapping[str, Any]) -> Entry:
    """Names of files here as they are kept: absolute, whatever folder one types in."""
    paths = {info.name for info in settings_of(schema) if info.is_path}
    return {
        name: os.path.abspath(os.path.expanduser(value)) if name in paths and value else value  # noqa: PTH100, PTH111
        for name, value in settings.items()
    }


def secret_form(reference: str) -> str:
    """Where a secret is; of one that was typed, that it lies in the vault, and no more."""
    return IN_THE_VAULT if reference.partition(":")[0] == IN_THE_VAULT else reference


def policy_form(policy: Policy) -> Entry:
    kept = {"fields": (), **policy.as_dict()}
    consent = kept["consent"]
    return {
        **{name: kept[name] for name in _OF_POLICY},
        "mode": str(policy.mode),
        "consent": consent and {**consent, "granted": sorted(consent["granted"])},
        "fields": [dict(chosen) for chosen in kept["fields"]],
    }


def policy_of(entry: Entry) -> Policy:
    """Raises `InvalidFault` where member consent has no value that means yes."""
    policy = Policy.from_dict({name: entry[name] for name in _OF_POLICY})
    if policy.consent is None:
        return policy
    asked = member_consent(policy.consent.field, policy.consent.granted)
    return Policy.from_dict({**policy.as_dict(), "consent": {"field": asked.field, "granted": asked.granted}})


def matching_form(matching: Iterable[Match]) -> list[Entry]:
    return [{"kind": match.kind, "field": match.field} for match in matching]


def matching_of(entry: Entry) -> tuple[Match, ...]:
    return tuple(Match(**match) for match in entry["matching"])


def schedule_form(schedule: Schedule) -> Entry:
    recurrence = schedule.recurrence
    return {
        "cron": list(recurrence.lines) if recurrence else [],
        "timezone": recurrence.timezone if recurrence else None,
        "active": schedule.active,
    }


def recurrence_of(entry: Entry) -> Recurrence | None:
    """None where it names no moments of its own. Raises `InvalidFault` for what is no cron line or zone."""
    if not entry["cron"]:
        return None
    zone = str(entry["timezone"])
    lines = [cron(line, timezone=zone).lines[0] for line in entry["cron"]]
    return Recurrence(lines=tuple(dict.fromkeys(lines)), timezone=zone)
