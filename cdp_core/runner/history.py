"""What the history and the ledger know of an audience: what to hold a service's word against."""

from __future__ import annotations

from cdp_core.model.delivery import AudienceKey
from cdp_core.model.run import RunStatus
from cdp_core.rules.drift import Known, Reading
from cdp_core.store.state import State


def known_of(state: State, audience: AudienceKey) -> Known:
    """Every reading of the audience, with the claims that the ledger held when it was made."""
    first = last = None
    claims_of: dict[str, int] = {}
    readings = []
    for run in state.runs.committed(audience):
        first = first or run.started_at
        if run.delivered.accepted:
            last = run.ended_at or run.started_at
        if run.claims is None:  # of before the state kept them
            continue
        claims_of[run.export_id] = run.claims
        if run.audience is not None and run.status is not RunStatus.FAILED:
            readings.append(Reading(at=run.started_at, audience=run.audience, claims=sum(claims_of.values())))
    files = state.ledgers.current(audience).files
    return Known(
        claims=sum(file.claims for file in files),
        first_commit=first,
        last_change=last,
        readings=tuple(readings),
    )
