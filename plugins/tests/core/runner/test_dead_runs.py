"""Runs whose process died: told from living ones by their lease, and their scratch swept."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cdp_core.errors import Code
from cdp_core.model.delivery import AudienceKey
from cdp_core.model.lease import Holder
from cdp_core.model.run import Run, RunStatus
from cdp_core.pipeline.seal import PLAIN
from cdp_core.runner.dead import as_they_stand, sweep_scratch
from cdp_core.runner.ledger_store import LedgerStore
from cdp_core.runner.settle import settle
from cdp_core.store.backend import Place
from cdp_core.store.processes import this_process
from cdp_core.store.state import State
from postgres_server import postgres  # noqa: F401 - a fixture

BEGAN = datetime(2026, 11, 23, tzinfo=UTC)
NOBODYS = 2**22 + 1  # above every process id


@dataclasses.dataclass
class Clock:
    now: datetime = dataclasses.field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgresql"])
def state(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[State]:
    in_a_file = request.param == "sqlite"
    place: Place = tmp_path / "state.db" if in_a_file else request.getfixturevalue("postgres").state_place()
    with State.create(place, clock=clock) as made:
        yield made


def begin(state: State, run_id: str, *, holder: Holder | None = None, dry_run: bool = False) -> Run:
    """A run under way on an audience of its own, by default in this process."""
    audience = AudienceKey("acme", "https://acme.example", run_id)
    by = dataclasses.replace(holder or this_process("ann"), run_id=run_id)
    lease = state.leases.take(str(audience), by, 60)
    run = Run(
        id=run_id,
        export_id="e",
        export_name="Loyal",
        status=RunStatus.PLANNING,
        actor="ann",
        started_at=BEGAN,
        dry_run=dry_run,
    )
    state.runs.start(run, audience=audience, fence=None if dry_run else lease.fence)
    return run


def dead() -> Holder:
    return dataclasses.replace(this_process("ann"), pid=NOBODYS)


def elsewhere() -> Holder:
    return dataclasses.replace(this_process("ann"), host="elsewhere")


def test_a_run_in_a_living_process_stands_as_it_is_however_late_its_lease(state: State, clock: Clock) -> None:
    run = begin(state, "r-1")
    assert as_they_stand(state, [run]) == (run,)
    clock.now += timedelta(hours=1)
    assert as_they_stand(state, [run]) == (run,)


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_run_whose_process_is_gone_has_failed_and_nothing_is_written(state: State, dry_run: bool) -> None:
    run = begin(state, "r-1", holder=dead(), dry_run=dry_run)
    (shown,) = as_they_stand(state, [run])
    assert (shown.status, shown.error_code) == (RunStatus.FAILED, str(Code.INTERRUPTED))
    assert shown.error is not None
    assert ("the next run settles what it left" in shown.error) == (not dry_run)
    assert state.runs.get("r-1") == run


def test_of_another_machines_process_it_is_the_lease_that_tells(state: State, clock: Clock) -> None:
    run = begin(state, "r-1", holder=elsewhere())
    assert as_they_stand(state, [run]) == (run,)
    clock.now += timedelta(seconds=61)
    assert as_they_stand(state, [run])[0].status is RunStatus.FAILED


def test_a_run_that_another_one_has_fenced_off_is_dead_too(state: State) -> None:
    run = begin(state, "r-1", holder=dead())
    lease = str(AudienceKey("acme", "https://acme.example", "r-1"))
    state.leases.take(lease, this_process("bob", run_id="r-2"), 60)
    assert as_they_stand(state, [run])[0].status is RunStatus.FAILED


def test_a_run_that_ends_while_one_looks_is_shown_as_ended(state: State) -> None:
    read = begin(state, "r-1", holder=dead())
    ended = dataclasses.replace(read, status=RunStatus.COMMITTED, ended_at=BEGAN + timedelta(minutes=1))
    state.runs.save(ended)
    assert as_they_stand(state, [read]) == (ended,)


def test_a_plan_that_was_made_stays_planned(state: State) -> None:
    run = dataclasses.replace(begin(state, "r-1", holder=dead(), dry_run=True), status=RunStatus.PLANNED)
    assert as_they_stand(state, [run]) == (run,)


def test_scratch_is_swept_of_dead_and_ended_runs_and_never_of_one_that_may_live(
    state: State, clock: Clock, tmp_path: Path
) -> None:
    folder = tmp_path / "scratch"
    begin(state, "living")
    begin(state, "asleep-elsewhere", holder=elsewhere())
    begin(state, "dead", holder=dead())
    begin(state, "dead-dry", holder=dead(), dry_run=True)
    lease = str(AudienceKey("acme", "https://acme.example", "ended"))
    begin(state, "ended", holder=dead())
    state.leases.release(state.leases.take(lease, this_process(run_id="ended"), 60))
    engines = ("duckdb-at-work", "duckdb-forgotten", "backup-killed")
    for name in ("living", "asleep-elsewhere", "dead", "dead-dry", "ended", *engines):
        (folder / name).mkdir(parents=True)
        (folder / name / "digests").write_bytes(b"x")
    two_days_ago = time.time() - 48 * 3600
    for name in ("duckdb-forgotten", "backup-killed"):
        os.utime(folder / name, (two_days_ago, two_days_ago))
    clock.now += timedelta(hours=1)
    sweep_scratch(state, folder)
    assert sorted(path.name for path in folder.iterdir()) == ["asleep-elsewhere", "duckdb-at-work", "living"]
    assert (folder / "living" / "digests").exists()


def test_a_run_that_sent_nothing_is_settled_without_a_look_at_its_plan(state: State, tmp_path: Path) -> None:
    run = begin(state, "r-1", holder=dead())
    state.runs.save(dataclasses.replace(run, status=RunStatus.DELIVERING))
    audience = AudienceKey("acme", "https://acme.example", "r-1")
    workspace: Any = SimpleNamespace(scratch_folder=tmp_path)
    store = LedgerStore(workspace, state, PLAIN)
    services: Any = SimpleNamespace(state=state, workspace=workspace, ledgers=store)
    nobody: Any = None
    assert settle(services, audience, nobody, settler="r-2", emit=lambda *_, **__: None) == "r-1"
    kept = state.runs.get("r-1")
    assert (kept.status, kept.settled_by) == (RunStatus.FAILED, "r-2")
    assert not list(state.runs.unfinished(audience))
