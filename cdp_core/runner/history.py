"""What the history and the ledger know of an audience: what to hold a service's word against."""

from __future__ import annotations

from cdp_core.model.delivery import AudienceKey
from cdp_core.model.run import Run, RunStatus
from cdp_core.rules.drift import Known, Reading
from cdp_core.store.state import State


def known_of(state: State, audience: AudienceKey) -> Known:
    """Every reading of the audience, with the claims that the ledger held when it was made."""
    first = last = None
    runs = state.runs.committed(audience)
    for run in runs:
        first = first or run.started_at
        if run.delivered.accepted:
            last = run.ended_at or run.started_at
    files = state.ledgers.current(audience).files
    return Known(
        claims=sum(file.claims for file in files),
        first_commit=first,
        last_change=last,
        readings=tuple(reading for run in runs if (reading := reading_of(run)) is not None),
    )


def reading_of(run: Run) -> Reading | None:
    """What the service said at a run that was committed; None where it was not asked, and where the run
    failed."""
    if run.audience is None or run.status is RunStatus.FAILED:
        return None
    return Reading(at=run.started_at, audience=run.audience, claims=run.held)
