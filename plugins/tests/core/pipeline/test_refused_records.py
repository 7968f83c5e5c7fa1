"""A service that answers for each record: what it refuses of a batch that it takes is set apart at once."""

from __future__ import annotations

import dataclasses

import pytest

from cdp_core.contract.destination import Batch
from cdp_core.contract.digests import DigestBlock
from cdp_core.contract.faults import Unanswered
from cdp_core.model.delivery import BatchOutcome, BatchStatus, Operation, Receipt
from cdp_core.model.journal import JournalTotals
from cdp_core.runner.outcome import counted
from delivering import Delivered, PlanOf, Service, deliver, digests


class Precise(Service):
    """Takes a batch without the bad digests in it, and names these by their places."""

    def __init__(self, bad: set[bytes], loses: int = 0) -> None:
        super().__init__()
        self.bad = bad
        self.loses = loses

    def deliver(self, batch: Batch) -> Receipt:
        listed = list(batch.digests)
        good = dataclasses.replace(
            batch, digests=batch.digests.without(at for at, each in enumerate(listed) if each in self.bad)
        )
        receipt = super().deliver(good)
        if self.calls <= self.loses:
            raise Unanswered("cut")
        refused = {at: "no hash" for at, each in enumerate(listed) if each in self.bad}
        return dataclasses.replace(receipt, refused=refused, http_status=200)


def ranges(done: Delivered, status: BatchStatus) -> list[tuple[int, int]]:
    journal = done.journal
    return sorted(
        (journal.ranges[number].start, journal.ranges[number].count)
        for number, ended in journal.statuses.items()
        if ended is status
    )


def test_the_rest_is_accepted_and_each_refused_record_is_a_dead_letter_without_a_request() -> None:
    plan = PlanOf(digests(20))
    listed = list(plan.additions)
    bad = {listed[3], listed[4], listed[15]}
    done = deliver(plan, Precise(bad), concurrency=1)
    assert done.service.members == set(listed) - bad
    assert done.service.calls == 2
    assert ranges(done, BatchStatus.ACCEPTED) == [(0, 10), (10, 10)]
    assert ranges(done, BatchStatus.DEAD_LETTER) == [(3, 2), (15, 1)]
    letters = [n for n, ended in done.journal.statuses.items() if ended is BatchStatus.DEAD_LETTER]
    receipts = [done.journal.receipts[number] for number in letters]
    assert {(each.message, each.accepted) for each in receipts if each} == {("no hash", False)}
    assert sum(done.progress) == 20


def test_places_count_what_was_sent_where_something_was_left_out() -> None:
    plan = PlanOf(digests(10))
    listed = list(plan.additions)
    suppressed = listed[2]

    def screen(kind: str, block: DigestBlock) -> list[int]:
        return [at for at, each in enumerate(block) if each == suppressed]

    done = deliver(plan, Precise({listed[7]}), screen=screen)
    assert ranges(done, BatchStatus.DEAD_LETTER) == [(7, 1)]
    assert done.service.members == set(listed) - {suppressed, listed[7]}


def test_after_an_attempt_that_may_have_been_applied_a_refused_record_is_unknown() -> None:
    plan = PlanOf(digests(10))
    listed = list(plan.additions)
    done = deliver(plan, Precise({listed[5]}, loses=1))
    assert ranges(done, BatchStatus.DEAD_LETTER) == []
    (left,) = done.journal.left_out["1"]
    assert (left.range.start, left.range.count, left.status) == (5, 1, BatchStatus.UNKNOWN)


@pytest.mark.parametrize("operation", [Operation.ADD, Operation.REMOVE])
def test_the_sums_balance(operation: Operation) -> None:
    block = digests(30)
    plan = PlanOf(block) if operation is Operation.ADD else PlanOf(digests(0), removals=block)
    done = deliver(plan, Precise(set(list(block)[4:9])), size=30)
    found = []
    for number, batch in done.journal.ranges.items():
        left = {each.range.start: each for each in done.journal.left_out.get(number, ())}
        rest = batch.count - sum(each.range.count for each in left.values())
        took = BatchOutcome(
            range=dataclasses.replace(batch, count=rest), status=done.journal.statuses[number]
        )
        found += [*left.values(), took]
    counts = counted(30, found, JournalTotals())
    assert (counts.accepted, counts.dead_letters, counts.not_sent) == (25, 5, 0)
