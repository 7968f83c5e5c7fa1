"""Approval: what people sign before a plan is delivered, and what they said of it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

from cdp_core.model.journal import PlanRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Whose approval a plan needs: so many people, none of whom is among who `made` it, until it lapses."""

    people: int
    made_by: tuple[str, ...]
    lapses_at: datetime

    def as_dict(self) -> dict[str, object]:
        return {
            "people": self.people,
            "made_by": list(self.made_by),
            "lapses_at": self.lapses_at.isoformat(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What a person said of a plan; `digest` is that of what they saw (`signed_digest`)."""

    plan_id: str
    digest: str
    person: str
    approved: bool
    reason: str
    at: datetime


def asked_of(plan: PlanRecord) -> Asked | None:
    """Kept with the plan; None where nobody was to be asked."""
    kept = plan.summary.get("approval")
    if not kept:
        return None
    return Asked(
        people=kept["people"],
        made_by=tuple(kept["made_by"]),
        lapses_at=datetime.fromisoformat(kept["lapses_at"]),
    )


def signed_digest(plan: PlanRecord) -> str:
    """SHA-256 over the plan's own digest, what it stands on and what is said of it, in hexadecimal."""
    signed = {
        "plan": plan.sha256,
        "export": plan.export_id,
        "basis": dict(plan.basis),
        "summary": dict(plan.summary),
    }
    return hashlib.sha256(json.dumps(signed, sort_keys=True).encode()).hexdigest()
