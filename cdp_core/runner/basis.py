"""What a plan stands on besides the profiles, so that one that is run later can tell what has changed."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from cdp_core.errors import Code, InvalidFault
from cdp_core.model.configuration import Connection, Export, Segment
from cdp_core.model.delivery import AudienceKey
from cdp_core.model.journal import PlanRecord
from cdp_core.model.names import as_typed

LABELS = {
    "audience": "the audience",
    "ledger": "the ledger (another run has committed)",
    "settings": "the export's settings",
    "matching": "the data matching",
    "policy": "the export's own rules (mode, region, member consent, gates)",
    "segments": "a segment's query, or which segments are exported",
    "consent": "the consent on record",
}


def basis(
    *,
    export: Export,
    connection: Connection,
    segments: tuple[Segment, ...],
    audience: AudienceKey,
    ledger_version: int,
    consent: str,
) -> dict[str, str]:
    """A digest for each thing that a plan stands on, by the names in `LABELS`."""
    return {
        "audience": _digest([connection.id, str(audience)]),
        "ledger": str(ledger_version),
        "settings": _digest(dict(export.settings)),
        "matching": _digest([[match.kind, match.field] for match in export.matching]),
        "policy": _digest(export.policy.as_dict()),
        "segments": _digest(
            sorted([s.id, s.where, s.sql, s.active, s.kept and s.kept.sha256] for s in segments)
        ),
        "consent": _digest(consent),
    }


def changes(then: dict[str, str], now: dict[str, str]) -> tuple[str, ...]:
    """What differs, in words for people."""
    return tuple(label for name, label in LABELS.items() if then.get(name) != now.get(name))


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def require_own(kept: PlanRecord, export: Export) -> None:
    """Raises `InvalidFault` where a plan is another export's."""
    if kept.export_id != export.id:
        raise InvalidFault(
            Code.PLAN_UNKNOWN,
            f"plan {kept.id} belongs to another export",
            hint=f"cdp export plan {as_typed(export.name)}",
        )
