"""Readings of an audience: what a service said, beside all that the ledger held of it then."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from cdp_core.model.accounting import DeliveryCounts
from cdp_core.model.delivery import Audience, AudienceKey
from cdp_core.model.ledger import LedgerFile, LedgerPart
from cdp_core.model.run import Run, RunStatus
from cdp_core.rules.drift import DriftKind, drift
from cdp_core.runner.history import known_of
from cdp_core.store.processes import this_process
from cdp_core.store.state import State
from cdp_core.store.tables import runs

ON = AudienceKey("acme", "https://acme.example:443", "7")
BEGAN = datetime(2026, 11, 23, tzinfo=UTC)
NOW = BEGAN + timedelta(days=9)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with State.create(tmp_path / "state.db") as made:
        yield made


def counted(users: int) -> Audience:
    return Audience(
        id=ON.audience_id, upload_status="COMPLETE", approximate_number_users=users, targetable_status="READY"
    )


def claims(export: str, rows: int, part: LedgerPart = LedgerPart.BASE) -> LedgerFile:
    return LedgerFile(
        export_id=export, kind="EMAIL", part=part, path=f"{export}/{part}-{rows}", sha256="ab" * 32, rows=rows
    )


def commit(
    state: State,
    number: int,
    export: str,
    *files: LedgerFile,
    users: int | None,
    status: RunStatus = RunStatus.COMMITTED,
) -> None:
    lease = state.leases.take(str(ON), this_process("anna"), 60)
    run = Run(
        id=str(number),
        export_id=export,
        export_name=export,
        status=RunStatus.DELIVERING,
        actor="anna",
        started_at=BEGAN + timedelta(hours=number),
    )
    state.runs.start(run, audience=ON, fence=lease.fence)
    ended = dataclasses.replace(
        run,
        status=status,
        plan_id=f"p{number}",
        audience=None if users is None else counted(users),
        delivered=DeliveryCounts(planned=1, accepted=1),
    )
    state.ledgers.commit(lease, ON, files, ended)
    state.leases.release(lease)


def as_earlier_versions_did(state: State) -> None:
    """Nothing was kept of what the ledger held."""
    with state.standing_still() as connection:
        connection.execute(update(runs).values(claims=None, held=None))


def readings(state: State) -> list[tuple[int | None, int | None]]:
    return [
        (reading.audience.approximate_number_users, reading.claims)
        for reading in known_of(state, ON).readings
    ]


def test_after_an_upgrade_sizes_are_compared_with_readings_that_have_a_total(state: State) -> None:
    a, b = claims("a", 1000), claims("b", 1000)
    commit(state, 1, "a", a, users=1000)
    commit(state, 2, "b", a, b, users=2000)
    as_earlier_versions_did(state)
    assert readings(state) == [(1000, None), (2000, None)]
    assert drift(counted(400), known_of(state, ON), now=NOW) == ()
    assert known_of(state, ON).first_commit == BEGAN + timedelta(hours=1)
    commit(state, 3, "a", a, b, users=2000)
    assert readings(state)[2:] == [(2000, 2000)]
    # B gives up half of all; that the service counts half is no wonder.
    commit(state, 4, "b", a, users=None)
    assert drift(counted(900), known_of(state, ON), now=NOW) == ()
    (found,) = drift(counted(400), known_of(state, ON), now=NOW)
    assert found.kind is DriftKind.SHRUNK


def test_what_a_run_ends_of_another_exports_claims_is_in_no_later_reading(state: State) -> None:
    a, b = claims("a", 1000), claims("b", 1000)
    commit(state, 1, "a", a, users=1000)
    commit(state, 2, "b", a, b, users=2000)
    # A run of A takes out who is suppressed, and ends B's claims on them.
    gone = (claims("a", 300, LedgerPart.ENDED), claims("b", 300, LedgerPart.ENDED))
    commit(state, 3, "a", a, b, *gone, users=1400)
    assert readings(state) == [(1000, 1000), (2000, 2000), (1400, 1400)]
    assert [run.claims for run in state.runs.committed(ON)] == [1000, 1000, 700]


def test_a_run_that_failed_or_was_told_nothing_is_no_reading(state: State) -> None:
    a = claims("a", 1000)
    commit(state, 1, "a", a, users=None)
    commit(state, 2, "a", a, users=900, status=RunStatus.FAILED)
    commit(state, 3, "a", a, users=1000)
    assert readings(state) == [(1000, 1000)]
