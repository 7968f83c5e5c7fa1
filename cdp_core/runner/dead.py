"""Runs whose process died: shown as what they are, and their scratch folders swept.

Nobody has written down that they ended. The next run on their audience settles what they left; until
then it is the lease that tells: a run that has not ended and whose lease nobody living holds has died.
"""

from __future__ import annotations

import dataclasses
import shutil
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from cdp_core.errors import Code
from cdp_core.model.run import Run, RunStatus
from cdp_core.runner.approval import as_it_stands
from cdp_core.runner.outcome import counted
from cdp_core.store.state import State

_FORGOTTEN_AFTER = 24 * 3600.0

DIED = "the process ended before the run did"


def as_they_stand(state: State, runs: Iterable[Run]) -> tuple[Run, ...]:
    """The runs; one that died as failed, with what its journal knows of its delivery; one whose plan waits
    for approval and has lapsed as canceled."""
    read = tuple(as_it_stands(state, run) for run in runs)
    if all(_has_ended(run) for run in read):
        return read
    living = {holder.run_id for holder in state.leases.holders()}
    return tuple(run if _has_ended(run) or run.id in living else _again(state, run) for run in read)


def sweep_scratch(state: State, folder: Path) -> frozenset[str]:
    """Remove the scratch folders of runs that have ended or died, whatever their audience; the runs' ids.

    A run holds its lease before its folder is there: what was seen first and is held by nobody
    afterwards is nobody's. An engine that no run has opened (to look at a segment, say) or a backup may be
    at work on other things in `folder`: they are left alone for a day.
    """
    seen = {path.name: path for path in folder.iterdir()}
    for path in seen.values():
        if path.name.startswith(("duckdb-", "spark-", "fetched-", "rehearsal-", "backup-")):
            with suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > _FORGOTTEN_AFTER:
                    shutil.rmtree(path, ignore_errors=True)
    if not seen:
        return frozenset()
    left = state.runs.known(seen) - {holder.run_id for holder in state.leases.holders(overdue=True)}
    for name in left:
        shutil.rmtree(seen[name], ignore_errors=True)
    return left


def _has_ended(run: Run) -> bool:
    return run.ended_at is not None or (run.dry_run and run.status is RunStatus.PLANNED)


def _again(state: State, run: Run) -> Run:
    """A second look: it may have come to its end between being read and letting go of its lease."""
    now = state.runs.get(run.id)
    return now if _has_ended(now) else _died(state, now)


def _died(state: State, run: Run) -> Run:
    return dataclasses.replace(
        run,
        status=RunStatus.FAILED,
        delivered=counted(
            run.delivered.planned, state.journal.outcomes(run.id), state.journal.totals(run.id)
        ),
        error_code=run.error_code or str(Code.INTERRUPTED),
        error=(run.error or DIED)
        if run.dry_run
        else f"{run.error or DIED}; the next run settles what it left",
    )
