"""Reads the bodies that create and change segments, by the rules that the service states."""

from __future__ import annotations

from typing import Any

from cdp_core.simulate import Refusal
from cdp_snapchat.simulator.audience import CUSTOMER_LIST, Audience
from cdp_snapchat.simulator.envelopes import IMMUTABLE
from cdp_snapchat.simulator.options import Options

LONGEST_NAME = 375
LONGEST_RETENTION = 9999
_NEW = {"name", "description", "source_type", "retention_in_days", "ad_account_id"}


def segment_entries(body: Any) -> list[dict[str, Any]]:
    """The entries of `{"segments": […]}`, at least one. Raises `Refusal` (400)."""
    if not isinstance(body, dict) or set(body) != {"segments"}:
        raise Refusal(400, "the body must be an object with segments, and nothing else")
    entries = body["segments"]
    if not isinstance(entries, list) or not entries or not all(isinstance(one, dict) for one in entries):
        raise Refusal(400, "segments must be a list of at least one object")
    return entries


def new_segment(entry: dict[str, Any], ad_account_id: str) -> dict[str, Any]:
    """What `World.create_audience` takes. Raises `Refusal` (400)."""
    unknown = sorted(set(entry) - _NEW)
    if unknown:
        raise Refusal(400, f"a new segment has no {unknown[0]}")
    missing = sorted(_NEW - {"description"} - set(entry))
    if missing:
        raise Refusal(400, f"{missing[0]} is required")
    if entry["source_type"] != CUSTOMER_LIST:
        raise Refusal(400, f"source_type must be {CUSTOMER_LIST}")
    if entry["ad_account_id"] != ad_account_id:
        raise Refusal(400, "ad_account_id is not that of the path")
    _check(entry)
    return entry


def changed_segment(entry: dict[str, Any], audience: Audience, options: Options) -> dict[str, Any]:
    """The fields of `audience` to set. A field that cannot change may be given as it is. Raises `Refusal`."""
    mutable = {"name", "description", "retention_in_days"}
    if options.retention_immutable:
        mutable.discard("retention_in_days")
    now = audience.as_json()
    unknown = sorted(set(entry) - set(now))
    if unknown:
        raise Refusal(400, f"a segment has no {unknown[0]}")
    for name in sorted(set(entry) - mutable):
        if entry[name] != now[name]:
            raise Refusal(400, f"{name} cannot be changed", code=IMMUTABLE)
    _check(entry)
    return {name: entry[name] for name in mutable & set(entry)}


def _check(entry: dict[str, Any]) -> None:
    name = entry.get("name", "as it was")
    if not isinstance(name, str) or not name.strip() or len(name) > LONGEST_NAME:
        raise Refusal(400, f"name must be text of 1 to {LONGEST_NAME} characters")
    if not isinstance(entry.get("description", ""), str):
        raise Refusal(400, "description must be text")
    retention = entry.get("retention_in_days", 1)
    if type(retention) is not int or not 1 <= retention <= LONGEST_RETENTION:
        raise Refusal(400, f"retention_in_days must be a whole number of 1 to {LONGEST_RETENTION}")
