"""Dead letters in the state: by audience and export, taken over with the ledger, and gone with them."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import pytest

from cdp_core.errors import InternalFault
from cdp_core.model.configuration import Export
from cdp_core.model.delivery import AudienceKey, BatchRange, BatchStatus, Operation
from cdp_core.model.journal import NO_LETTERS, DeadLetter, DeadLetterChange, JournalTotals
from cdp_core.model.lease import Lease
from cdp_core.model.run import Run, RunStatus
from cdp_core.store.processes import this_process
from cdp_core.store.state import State

AUDIENCE = AudienceKey("snapchat", "https://ads.example:443", "5677923948298240")
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def letter(number: int, operation: Operation = Operation.ADD, reason: str = "invalid data") -> DeadLetter:
    return DeadLetter(
        operation=operation,
        kind="EMAIL",
        digest=bytes([number]) * 32,
        reason=reason,
        request_id="r-1",
        http_status=400,
        run_id="run-1",
        at=NOON,
    )


def waiting(*letters: DeadLetter) -> frozenset[tuple[Operation, str, bytes]]:
    return frozenset((each.operation, each.kind, each.digest) for each in letters)


@pytest.fixture
def export(state: State) -> Export:
    made = Export(
        id="e1",
        name="Loyal",
        destination="snapchat",
        connection_id=None,
        settings={},
        matching=(),
        segment_ids=(),
        created_by="anna",
        created_at=NOON,
    )
    state.exports.add(made)
    return made


def test_they_come_stay_change_and_go(state: State, export: Export) -> None:
    one, two, gone = letter(1), letter(2), letter(3, Operation.REMOVE)
    state.dead_letters.change(AUDIENCE, export.id, DeadLetterChange(refused=(gone, two, one)))
    assert state.dead_letters.of(AUDIENCE, export.id) == (one, two, gone)
    again = dataclasses.replace(one, reason="still invalid", run_id="run-2")
    state.dead_letters.change(
        AUDIENCE, export.id, DeadLetterChange(waiting=waiting(one, gone), refused=(again,))
    )
    assert state.dead_letters.of(AUDIENCE, export.id) == (again, gone)
    state.dead_letters.change(AUDIENCE, export.id, DeadLetterChange(waiting=None, refused=(two,)))
    assert state.dead_letters.of(AUDIENCE, export.id) == (again, two, gone)
    state.dead_letters.change(AUDIENCE, export.id, NO_LETTERS)
    assert state.dead_letters.of(AUDIENCE, export.id) == ()


def test_each_audience_and_each_export_has_its_own(state: State, export: Export) -> None:
    other = dataclasses.replace(AUDIENCE, origin="https://simulator.example")
    state.exports.add(dataclasses.replace(export, id="e2", name="Other"))
    state.dead_letters.change(AUDIENCE, "e1", DeadLetterChange(refused=(letter(1),)))
    state.dead_letters.change(other, "e1", DeadLetterChange(refused=(letter(2),)))
    state.dead_letters.change(AUDIENCE, "e2", DeadLetterChange(refused=(letter(3),)))
    state.dead_letters.change(AUDIENCE, "e1", NO_LETTERS)
    assert state.dead_letters.of(AUDIENCE, "e1") == ()
    assert state.dead_letters.of(other, "e1") == (letter(2),)
    assert state.dead_letters.of(AUDIENCE, "e2") == (letter(3),)


def test_they_go_with_their_export_and_none_come_for_one_that_is_gone(state: State, export: Export) -> None:
    state.dead_letters.change(AUDIENCE, export.id, DeadLetterChange(refused=(letter(1),)))
    state.exports.remove(export.id)
    assert state.dead_letters.of(AUDIENCE, export.id) == ()
    state.dead_letters.change(AUDIENCE, export.id, DeadLetterChange(refused=(letter(1),)))
    assert state.dead_letters.of(AUDIENCE, export.id) == ()


def started(state: State) -> tuple[Run, Lease]:
    lease = state.leases.take(str(AUDIENCE), this_process("anna"), 60)
    run = Run(
        id="run-1",
        export_id="e1",
        export_name="Loyal",
        status=RunStatus.DELIVERING,
        actor="anna",
        started_at=NOON,
    )
    state.runs.start(run, audience=AUDIENCE, fence=lease.fence)
    return run, lease


def test_they_are_taken_over_with_the_ledger_or_not_at_all(state: State, export: Export) -> None:
    run, lease = started(state)
    change = DeadLetterChange(refused=(letter(1),))
    state.leases.release(lease)
    newer = state.leases.take(str(AUDIENCE), this_process("bob"), 60)
    with pytest.raises(InternalFault):
        state.ledgers.commit(lease, AUDIENCE, (), run, change)
    assert state.dead_letters.of(AUDIENCE, "e1") == ()
    state.ledgers.commit(newer, AUDIENCE, (), run, change)
    assert state.dead_letters.of(AUDIENCE, "e1") == (letter(1),)
    state.ledgers.commit(newer, AUDIENCE, (), run)
    assert state.dead_letters.of(AUDIENCE, "e1") == ()


def test_the_journal_keeps_what_is_half_of_what_and_counts_the_halves_that_were_sent(state: State) -> None:
    run, _ = started(state)
    whole = BatchRange(operation=Operation.ADD, kind="EMAIL", start=0, count=4, again=True)
    half = dataclasses.replace(whole, count=2)
    first = state.journal.open(run.id, whole, 1)
    state.journal.attempt(first)
    state.journal.close(first, BatchStatus.HALVED)
    sent = state.journal.open(run.id, half, 2, half_of=1)
    state.journal.attempt(sent)
    state.journal.attempt(sent)
    state.journal.open(run.id, dataclasses.replace(half, start=2), 3, half_of=1)
    found = state.journal.batches(run.id)
    assert [(batch.range, batch.half_of) for batch in found] == [
        (whole, None),
        (half, 1),
        (dataclasses.replace(half, start=2), 1),
    ]
    assert state.journal.totals(run.id) == JournalTotals(requests=3, retries=1, halves=1)
