"""Keeps the workspace's copies of what lies at the ledgers' URL within their limit.

Only what the state names goes, since that alone is certain to be at the URL, and nothing of an audience
that somebody works on, or that was used a moment ago. What goes is fetched again when it is asked for.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cdp_core.model.delivery import AudienceKey
from cdp_core.store.state import State
from cdp_core.workspace import Workspace

_IN_USE = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Copy:
    """A file of the ledger or a plan's folder; `used` is when it was written or last opened."""

    path: Path
    size: int
    used: float


def evict(workspace: Workspace, state: State, done: AudienceKey) -> None:
    """`done` is the audience that the caller holds, and has done with."""
    copies = sorted(_copies(workspace, state), key=lambda copy: copy.used)
    over = sum(copy.size for copy in copies) - workspace.settings.ledger_cache
    if over <= 0:
        return
    busy = set(_busy(workspace, state, done))
    for copy in copies:
        if over <= 0 or copy.used > time.time() - _IN_USE:
            return
        if copy.path in busy:
            continue
        if copy.path.is_dir():
            shutil.rmtree(copy.path, ignore_errors=True)
        else:
            copy.path.unlink(missing_ok=True)
        over -= copy.size


def _busy(workspace: Workspace, state: State, done: AudienceKey) -> Iterator[Path]:
    """What belongs to an audience or a run that somebody holds."""
    for version in state.ledgers.all():
        if version.audience != done and state.leases.is_held(str(version.audience)):
            yield from (workspace.ledger_folder / file.path for file in version.files)
    for run_id in state.runs.known(holder.run_id for holder in state.leases.holders(overdue=True)):
        plan_id = state.runs.get(run_id).plan_id
        if plan_id is not None:
            yield workspace.plans_folder / state.plans.get(plan_id).folder


def _copies(workspace: Workspace, state: State) -> Iterator[_Copy]:
    for version in state.ledgers.all():
        for file in version.files:
            yield from _copy(workspace.ledger_folder / file.path)
    for folder in state.plans.folders():
        yield from _copy(workspace.plans_folder / folder)


def _copy(path: Path) -> Iterator[_Copy]:
    try:
        found = path.stat()
        size = found.st_size
        if path.is_dir():
            size = sum(each.stat().st_size for each in path.rglob("*") if each.is_file())
    except OSError:  # not here, or gone meanwhile
        return
    yield _Copy(path=path, size=size, used=found.st_mtime)
