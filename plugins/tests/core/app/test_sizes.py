"""An export's size after its runs: what is shown of it, and what makes a habit."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cdp_core.app.schedules import sizes_of
from cdp_core.model.delivery import AudienceKey
from cdp_core.model.ledger import LedgerFile, LedgerPart
from cdp_core.model.run import Run, RunStatus
from cdp_core.store.processes import this_process
from cdp_core.store.state import State

ON = AudienceKey("acme", "https://acme.example:443", "7")


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with State.create(tmp_path / "state.db") as made:
        yield made


def commit(
    state: State, number: int, rows: int, status: RunStatus, *, export: str = "a", plan: str | None = "p"
) -> None:
    lease = state.leases.take(str(ON), this_process("anna"), 60)
    run = Run(
        id=str(number),
        export_id=export,
        export_name=export,
        status=RunStatus.DELIVERING,
        actor="anna",
        plan_id=plan,
        started_at=datetime(2026, 11, 23, tzinfo=UTC) + timedelta(hours=number),
    )
    state.runs.start(run, audience=ON, fence=lease.fence)
    file = LedgerFile(
        export_id=export, kind="EMAIL", part=LedgerPart.BASE, path=f"{number}", sha256="ab" * 32, rows=rows
    )
    state.ledgers.commit(lease, ON, (file,) if rows else (), dataclasses.replace(run, status=status))
    state.leases.release(lease)


def test_only_whole_runs_of_its_own_make_a_habit(state: State) -> None:
    commit(state, 1, 1000, RunStatus.COMMITTED)
    commit(state, 2, 400, RunStatus.FAILED)
    commit(state, 3, 500, RunStatus.CANCELED)
    commit(state, 4, 990, RunStatus.SKIPPED)
    commit(state, 5, 0, RunStatus.COMMITTED, plan=None)  # it gave up its claims
    commit(state, 6, 70, RunStatus.COMMITTED, export="b")
    commit(state, 7, 1100, RunStatus.COMMITTED)
    runner: Any = SimpleNamespace(audience_of=lambda export: ON)
    export: Any = SimpleNamespace(id="a")
    assert sizes_of(state, runner, export, whole=True) == (1000, 1100)
    assert sizes_of(state, runner, export) == (1000, 400, 500, 990, 0, 1100)
