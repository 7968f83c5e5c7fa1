"""Asks a run to end, whatever process it is in, and on whatever machine.

The run's own lease carries the word: its holder looks there every second, and ends after the batches in
flight, as it does at Ctrl-C.
"""

from __future__ import annotations

import time

from cdp_core.model.configuration import Export
from cdp_core.model.delivery import AudienceKey
from cdp_core.model.run import Run
from cdp_core.runner.dead import as_they_stand
from cdp_core.store.state import State

_LOOK = 0.2


def ask_to_end(state: State, export: Export, audience: AudienceKey, person: str) -> Run | None:
    """The export's run that is under way, which has been asked to end; None where there is none."""
    run = under_way(state, export, audience)
    asked = run is not None and state.leases.ask_to_stop(str(audience), run_id=run.id, person=person)
    return run if asked else None


def under_way(state: State, export: Export, audience: AudienceKey) -> Run | None:
    """The export's run that holds its audience now."""
    holder = state.leases.holder(str(audience))
    if holder is None or not state.runs.known([holder.run_id]):
        return None
    run = state.runs.get(holder.run_id)
    return run if run.export_id == export.id else None


def end_of(state: State, run: Run, *, within: float) -> Run:
    """The run as it stands once it has ended, or after so many seconds."""
    until = time.monotonic() + within
    while True:
        (stands,) = as_they_stand(state, [state.runs.get(run.id)])
        if stands.ended_at is not None or time.monotonic() >= until:
            return stands
        time.sleep(_LOOK)
