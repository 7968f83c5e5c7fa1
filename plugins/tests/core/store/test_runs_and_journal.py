"""Runs, the journal of their batches, and the ledger: what a killed process leaves for the next one."""

from __future__ import annotations

import dataclasses
import signal
import threading
from datetime import UTC, datetime, timedelta

import pytest

from cdp_core.errors import Code, InternalFault, InvalidFault
from cdp_core.model.accounting import DeliveryCounts, KindCounts
from cdp_core.model.delivery import (
    Audience,
    AudienceKey,
    BatchOutcome,
    BatchRange,
    BatchStatus,
    Operation,
    Receipt,
)
from cdp_core.model.journal import JournalTotals
from cdp_core.model.lease import Lease
from cdp_core.model.ledger import LedgerFile, LedgerPart
from cdp_core.model.run import Run, RunStatus
from cdp_core.store.backend import Place
from cdp_core.store.processes import this_process
from cdp_core.store.state import State

from .conftest import Clock, Spawn

AUDIENCE = AudienceKey("snapchat", "https://ads.example:443", "5677923948298240")
BEGAN = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
BASE = LedgerFile(
    export_id="e1", kind="EMAIL", part=LedgerPart.BASE, path="a/1.parquet", sha256="ab" * 32, rows=3
)


def a_run(number: int, status: RunStatus = RunStatus.DELIVERING) -> Run:
    return Run(
        id=f"20261123-0{number}",
        export_id="e1",
        export_name="Loyal",
        status=status,
        actor="anna",
        started_at=BEGAN + timedelta(minutes=number),
    )


def a_batch(start: int = 0) -> BatchRange:
    return BatchRange(operation=Operation.ADD, kind="EMAIL", start=start, count=1_000)


def leased(state: State) -> Lease:
    return state.leases.take(str(AUDIENCE), this_process("anna"), 60)


def started(state: State, number: int) -> tuple[Run, Lease]:
    lease = leased(state)
    run = a_run(number)
    state.runs.start(run, audience=AUDIENCE, fence=lease.fence)
    return run, lease


def test_a_run_comes_back_as_it_was_saved(state: State) -> None:
    run = a_run(1)
    state.runs.start(run)
    full = dataclasses.replace(
        run,
        status=RunStatus.COMMITTED,
        ended_at=BEGAN + timedelta(hours=1),
        plan_id="p1",
        kinds={"EMAIL": KindCounts(read=5, added=3, missing=2)},
        members=5,
        profiles=10_000_000_000,
        delivered=DeliveryCounts(planned=3, accepted=3, requests=1),
        audience=Audience(id="5677923948298240", name="Ünï", approximate_number_users=7),
        seconds=1.5,
        resumed_from="20261123-00",
        error_code="CDP-903",
        error="interrupted",
    )
    state.runs.save(full)
    assert state.runs.get(run.id) == full
    with pytest.raises(InternalFault):
        state.runs.save(a_run(2))


def test_a_run_is_found_by_the_beginning_of_its_id_if_that_is_one_runs_alone(state: State) -> None:
    for number in (1, 2):
        state.runs.start(a_run(number))
    assert state.runs.get("20261123-02") == a_run(2)
    for unclear, hint in (
        ("20261123", "20261123-01, 20261123-02"),
        ("%", "cdp export history"),
        ("x", "cdp export"),
    ):
        with pytest.raises(InvalidFault) as caught:
            state.runs.get(unclear)
        assert caught.value.code is Code.NOT_FOUND
        assert hint in caught.value.hint


def test_the_history_is_newest_first_and_outlives_the_export(state: State) -> None:
    for number in (1, 2, 3):
        state.runs.start(a_run(number))
    newest_first = (a_run(3), a_run(2), a_run(1))
    assert state.runs.of_export("e1", 2) == newest_first[:2]
    assert state.runs.of_name("Loyal") == newest_first
    assert state.runs.all() == newest_first
    assert state.runs.of_export("e2") == ()


def test_each_station_of_a_batch_is_kept(state: State, clock: Clock) -> None:
    run, _ = started(state, 1)
    batch_id = state.journal.open(run.id, a_batch(), 1)
    clock.move(1)
    state.journal.attempt(batch_id)
    clock.move(1)
    state.journal.attempt(batch_id)
    clock.move(1)
    state.journal.close(
        batch_id, BatchStatus.ACCEPTED, Receipt(accepted=True, request_id="r", http_status=200)
    )
    other = state.journal.open(run.id, a_batch(1_000), 2)
    [record, unanswered] = state.journal.batches(run.id)
    assert (record.id, record.number, record.range, record.attempts) == (batch_id, 1, a_batch(), 2)
    assert (record.status, record.request_id, record.http_status) == (BatchStatus.ACCEPTED, "r", 200)
    assert record.opened_at + timedelta(seconds=2) == record.sent_at
    assert record.answered_at == clock()
    assert (unanswered.id, unanswered.sent_at, unanswered.answered_at) == (other, None, None)
    assert state.journal.totals(run.id) == JournalTotals(requests=2, retries=1)
    assert state.journal.outcomes(run.id) == (
        BatchOutcome(range=a_batch(), status=BatchStatus.ACCEPTED),
        BatchOutcome(range=a_batch(1_000), status=BatchStatus.UNKNOWN),
    )


def test_the_totals_of_a_run_without_batches_are_nothing(state: State) -> None:
    assert state.journal.totals("none") == JournalTotals()


def test_a_batch_that_has_its_answer_takes_no_other(state: State) -> None:
    run, _ = started(state, 1)
    batch_id = state.journal.open(run.id, a_batch(), 1)
    state.journal.close(batch_id, BatchStatus.REFUSED, message="bad digests")
    with pytest.raises(InternalFault):
        state.journal.attempt(batch_id)
    with pytest.raises(InternalFault):
        state.journal.close(batch_id, BatchStatus.ACCEPTED)
    [record] = state.journal.batches(run.id)
    assert (record.status, record.message) == (BatchStatus.REFUSED, "bad digests")


def test_batches_of_several_threads_are_all_journaled(state: State) -> None:
    run, _ = started(state, 1)

    def deliver(first: int) -> None:
        for number in range(first, first + 10):
            batch_id = state.journal.open(run.id, a_batch(number), number)
            state.journal.attempt(batch_id)
            state.journal.close(batch_id, BatchStatus.ACCEPTED)

    threads = [threading.Thread(target=deliver, args=(first,)) for first in range(0, 40, 10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [batch.number for batch in state.journal.batches(run.id)] == list(range(40))
    assert state.journal.totals(run.id) == JournalTotals(requests=40, retries=0)


def test_what_was_journaled_is_on_disk_when_the_process_is_killed_a_moment_later(
    state: State, spawn: Spawn
) -> None:
    run, _ = started(state, 1)
    child = spawn(
        """
batch = lambda start: BatchRange(operation=Operation.ADD, kind="EMAIL", start=start, count=1000)
first = state.journal.open(sys.argv[2], batch(0), 1)
state.journal.attempt(first)
state.journal.close(first, BatchStatus.ACCEPTED, Receipt(accepted=True, request_id="r1", http_status=200))
second = state.journal.open(sys.argv[2], batch(1000), 2)
state.journal.attempt(second)
say("sent")
time.sleep(60)
""",
        run.id,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "sent\n"
    child.send_signal(signal.SIGKILL)
    child.wait(30)
    assert [outcome.status for outcome in state.journal.outcomes(run.id)] == [
        BatchStatus.ACCEPTED,
        BatchStatus.UNKNOWN,
    ]
    assert state.journal.totals(run.id).requests == 2
    assert state.runs.unfinished(AUDIENCE) == (run,)


def test_a_run_that_was_fenced_off_may_not_send_but_may_still_tell_what_it_was_answered(
    state: State, clock: Clock
) -> None:
    run, _ = started(state, 1)
    batch_id = state.journal.open(run.id, a_batch(), 1)
    clock.move(61)
    leased(state)
    for send in (
        lambda: state.journal.open(run.id, a_batch(1_000), 2),
        lambda: state.journal.attempt(batch_id),
    ):
        with pytest.raises(InternalFault) as caught:
            send()
        assert caught.value.code is Code.LEASE_LOST
    state.journal.close(batch_id, BatchStatus.ACCEPTED)
    assert [outcome.status for outcome in state.journal.outcomes(run.id)] == [BatchStatus.ACCEPTED]


def test_a_commit_points_to_the_new_files_and_saves_the_run(state: State) -> None:
    run, lease = started(state, 1)
    assert state.ledgers.current(AUDIENCE).version == 0
    added = dataclasses.replace(BASE, part=LedgerPart.ADDED, path="a/2.parquet", rows=1)
    committed = dataclasses.replace(run, status=RunStatus.COMMITTED)
    assert state.ledgers.commit(lease, AUDIENCE, (BASE, added), committed).version == 1
    kept = dataclasses.replace(committed, claims=BASE.rows + 1, held=BASE.rows + 1)
    assert state.runs.get(run.id) == kept
    assert state.ledgers.current(AUDIENCE).files == (BASE, added)
    # What becomes known of it afterwards leaves them as they are.
    state.runs.save(dataclasses.replace(committed, seconds=2.0))
    assert state.runs.get(run.id) == dataclasses.replace(kept, seconds=2.0)
    assert state.ledgers.commit(lease, AUDIENCE, (added,), committed).version == 2
    assert state.ledgers.current(AUDIENCE).files == (added,)
    assert state.ledgers.referenced() == {"a/2.parquet"}
    elsewhere = dataclasses.replace(AUDIENCE, origin="http://127.0.0.1:8080")
    assert state.ledgers.current(elsewhere).files == ()
    assert [version.version for version in state.ledgers.all()] == [2]


def test_a_commit_keeps_the_exports_own_claims_and_the_total_of_that_version(state: State) -> None:
    others = dataclasses.replace(BASE, export_id="e2", path="b/1.parquet", rows=40)
    ended = dataclasses.replace(others, part=LedgerPart.ENDED, path="b/2.parquet", rows=4)
    run, lease = started(state, 1)
    state.ledgers.commit(lease, AUDIENCE, (BASE, others, ended), run)
    kept = state.runs.get(run.id)
    assert (kept.claims, kept.held) == (3, 39)
    (again,) = state.runs.committed(AUDIENCE)
    assert (again.claims, again.held) == (3, 39)


def test_a_commit_under_a_lost_or_wrong_lease_changes_nothing(state: State, clock: Clock) -> None:
    run, lease = started(state, 1)
    state.ledgers.commit(lease, AUDIENCE, (BASE,), run)
    other = state.leases.take(str(dataclasses.replace(AUDIENCE, audience_id="9")), this_process("a"), 60)
    clock.move(61)
    newer = leased(state)
    committed = dataclasses.replace(run, status=RunStatus.COMMITTED)
    for wrong in (lease, other):
        with pytest.raises(InternalFault) as caught:
            state.ledgers.commit(wrong, AUDIENCE, (), committed)
        assert caught.value.code is Code.LEASE_LOST
    state.leases.release(newer)
    with pytest.raises(InternalFault):
        state.ledgers.commit(newer, AUDIENCE, (), committed)
    assert state.ledgers.current(AUDIENCE).files == (BASE,)
    assert state.runs.get(run.id).status is RunStatus.DELIVERING


def test_a_commit_of_a_run_that_was_never_started_changes_nothing(state: State) -> None:
    lease = leased(state)
    with pytest.raises(InternalFault):
        state.ledgers.commit(lease, AUDIENCE, (BASE,), a_run(1))
    assert state.ledgers.current(AUDIENCE).version == 0


def test_only_runs_that_left_something_are_unfinished(state: State, clock: Clock) -> None:
    committed, lease = started(state, 1)
    state.ledgers.commit(lease, AUDIENCE, (), dataclasses.replace(committed, status=RunStatus.COMMITTED))
    failed_before_sending = a_run(2, RunStatus.FAILED)
    state.runs.start(failed_before_sending, audience=AUDIENCE, fence=lease.fence)
    state.runs.start(dataclasses.replace(a_run(3, RunStatus.PLANNING), dry_run=True), audience=AUDIENCE)
    died = a_run(4)
    state.runs.start(died, audience=AUDIENCE, fence=lease.fence)
    failed_to_commit = a_run(5)
    state.runs.start(failed_to_commit, audience=AUDIENCE, fence=lease.fence)
    state.journal.open(failed_to_commit.id, a_batch(), 1)
    failed_to_commit = dataclasses.replace(failed_to_commit, status=RunStatus.FAILED)
    state.runs.save(failed_to_commit)
    asking = a_run(6)
    state.runs.start(asking, audience=AUDIENCE, fence=lease.fence)
    assert state.runs.unfinished(AUDIENCE, besides=asking.id) == (died, failed_to_commit)
    assert state.runs.unfinished(dataclasses.replace(AUDIENCE, audience_id="9")) == ()


def test_a_settled_run_stays_settled_though_it_wakes_up(state: State, clock: Clock) -> None:
    run, _ = started(state, 1)
    clock.move(61)
    lease = leased(state)
    settled = dataclasses.replace(run, status=RunStatus.FAILED, settled_by="20261123-02")
    state.ledgers.commit(lease, AUDIENCE, (BASE,), settled)
    assert state.runs.unfinished(AUDIENCE) == ()
    state.runs.save(dataclasses.replace(run, status=RunStatus.CANCELED))
    assert state.runs.get(run.id).settled_by == "20261123-02"
    assert state.runs.unfinished(AUDIENCE) == ()
    with pytest.raises(InternalFault):
        state.journal.open(run.id, a_batch(), 7)


def test_a_process_killed_within_a_transaction_leaves_the_old_ledger(
    state: State, spawn: Spawn, place: Place
) -> None:
    run, lease = started(state, 1)
    state.ledgers.commit(lease, AUDIENCE, (BASE,), run)
    child = spawn(
        """
from sqlalchemy import delete
from cdp_core.store.tables import ledger_files
with state.transaction():
    with state._database.write() as connection:
        connection.execute(delete(ledger_files))
    say("deleted", state.ledgers.referenced())
    time.sleep(60)
"""
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "deleted frozenset()\n"
    child.send_signal(signal.SIGKILL)
    child.wait(30)
    assert state.ledgers.current(AUDIENCE).files == (BASE,)
    with State.open(place) as anew:
        assert anew.ledgers.current(AUDIENCE).version == 1
