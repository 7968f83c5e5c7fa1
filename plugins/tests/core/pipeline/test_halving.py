"""Halving: a refused digest ends up alone, its neighbours go through, and it costs few requests."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp_core.contract.destination import Batch
from cdp_core.contract.digests import DigestBlock
from cdp_core.contract.faults import AudienceGone, ServiceFailed, Unanswered
from cdp_core.model.delivery import BatchOutcome, BatchRange, BatchStatus, Operation, Receipt
from cdp_core.model.journal import JournalTotals
from cdp_core.runner.outcome import counted
from delivering import SAID, Choosy, Delivered, PlanOf, Service, deliver, digests


def pick(block: DigestBlock, *numbers: int) -> set[bytes]:
    listed = list(block)
    return {listed[number] for number in numbers}


def with_status(done: Delivered, plan: PlanOf, status: BatchStatus) -> list[bytes]:
    """The digests of all batches that ended so."""
    found = []
    for number, ended in done.journal.statuses.items():
        batch = done.journal.ranges[number]
        if ended is status:
            held = plan.part(batch.operation, again=batch.again)
            found += list(held.slice(batch.start, batch.count))
    return found


def halves(done: Delivered) -> int:
    return sum(number is not None for number in done.journal.half_of.values())


def bound(bad: int, size: int) -> int:
    """Each bad digest is on one path down, and each step on it is two requests."""
    return 2 * bad * math.ceil(math.log2(size)) if size > 1 else 0


def test_one_bad_digest_among_100_000_stands_alone_after_at_most_34_further_requests() -> None:
    plan = PlanOf(digests(100_000))
    bad = pick(plan.additions, 77_777)
    done = deliver(plan, Choosy(bad), size=100_000)
    assert done.service.members == set(plan.additions) - bad
    assert with_status(done, plan, BatchStatus.DEAD_LETTER) == list(bad)
    assert halves(done) <= bound(1, 100_000) == 34
    assert sum(done.progress) == 100_000
    assert done.end.fault is None
    [alone] = [n for n, status in done.journal.statuses.items() if status is BatchStatus.DEAD_LETTER]
    receipt = done.journal.receipts[alone]
    assert receipt is not None
    assert (receipt.message, receipt.http_status) == (SAID, 400)


@given(
    st.integers(1, 300).flatmap(lambda size: st.tuples(st.just(size), st.sets(st.integers(0, size - 1)))),
    st.integers(1, 128),
    st.integers(1, 4),
)
def test_what_is_accepted_is_exactly_what_is_wanted_without_what_is_bad(
    drawn: tuple[int, set[int]], size: int, concurrency: int
) -> None:
    count, numbers = drawn
    plan = PlanOf(digests(count))
    bad = pick(plan.additions, *numbers)
    done = deliver(plan, Choosy(bad), size=size, concurrency=concurrency)
    assert done.service.members == set(plan.additions) - bad
    assert sorted(with_status(done, plan, BatchStatus.DEAD_LETTER)) == sorted(bad)
    assert sorted(with_status(done, plan, BatchStatus.ACCEPTED)) == sorted(set(plan.additions) - bad)
    assert halves(done) <= bound(len(bad), min(size, count))
    assert sum(done.progress) == count


@given(st.sets(st.integers(0, 199)), st.sets(st.integers(0, 49)), st.integers(1, 100), st.integers(0, 40))
def test_the_further_requests_never_exceed_their_bound_and_the_sums_balance(
    numbers: set[int], again: set[int], size: int, most: int
) -> None:
    plan = PlanOf(digests(200), again=digests(50, "again"))
    bad = pick(plan.additions, *numbers) | pick(plan.again, *again)
    done = deliver(plan, Choosy(bad), size=size, most_halves=most, concurrency=3)
    for part in (False, True):
        assert (
            sum(
                parent is not None and done.journal.ranges[number].again is part
                for number, parent in done.journal.half_of.items()
            )
            <= most
        )
    outcomes = [
        BatchOutcome(range=done.journal.ranges[number], status=status)
        for number, status in done.journal.statuses.items()
    ]
    counts = counted(250, outcomes, JournalTotals())
    assert counts.balances
    assert counts.not_sent == counts.unknown == 0
    assert counts.accepted == len(done.service.members)
    assert bad.isdisjoint(done.service.members)
    assert set(with_status(done, plan, BatchStatus.DEAD_LETTER)) <= bad
    assert counts.dead_letters == len(with_status(done, plan, BatchStatus.DEAD_LETTER))
    assert counts.refused >= len(bad)


def test_where_all_are_bad_the_bound_ends_it_and_the_rest_is_refused_whole() -> None:
    plan = PlanOf(digests(10_000))
    done = deliver(plan, Choosy(plan.additions), size=1_000, most_halves=100)
    assert halves(done) == 100
    assert done.service.calls == 110
    assert done.service.members == set()
    alone = with_status(done, plan, BatchStatus.DEAD_LETTER)
    refused = with_status(done, plan, BatchStatus.REFUSED)
    assert alone
    assert sorted(alone + refused) == sorted(plan.additions)


def test_a_bad_removal_leaves_its_neighbours_removed() -> None:
    gone = digests(1_000, "gone")
    bad = pick(gone, 3, 998)
    service = Choosy(bad)
    service.members = set(gone)
    done = deliver(PlanOf(digests(0), gone), service, size=1_000)
    assert service.members == bad
    assert set(with_status(done, PlanOf(digests(0), gone), BatchStatus.DEAD_LETTER)) == bad


def test_what_was_refused_before_goes_in_batches_of_its_own_after_the_others() -> None:
    plan = PlanOf(digests(25), removals=digests(5, "gone"), again=digests(4, "again"))
    done = deliver(plan, concurrency=1)
    assert [done.journal.ranges[str(number)] for number in range(1, 6)] == [
        *(
            BatchRange(operation=Operation.ADD, kind="EMAIL", start=start, count=count)
            for start, count in ((0, 10), (10, 10), (20, 5))
        ),
        BatchRange(operation=Operation.ADD, kind="EMAIL", start=0, count=4, again=True),
        BatchRange(operation=Operation.REMOVE, kind="EMAIL", start=0, count=5),
    ]


def test_halves_name_the_batch_that_they_are_halves_of_and_lie_within_it() -> None:
    plan = PlanOf(digests(64))
    done = deliver(plan, Choosy(pick(plan.additions, 5, 60)), size=64)
    for number, parent in done.journal.half_of.items():
        if parent is None:
            assert number == "1"
            continue
        outer, inner = done.journal.ranges[str(parent)], done.journal.ranges[number]
        assert done.journal.statuses[str(parent)] is BatchStatus.HALVED
        assert outer.start <= inner.start
        assert inner.start + inner.count <= outer.start + outer.count
        assert inner.count in (outer.count // 2, outer.count - outer.count // 2)


def test_each_half_is_journaled_before_it_is_sent() -> None:
    plan = PlanOf(digests(8))
    done = deliver(plan, Choosy(pick(plan.additions, 2)), size=8)
    for number in done.journal.ranges:
        places = [done.journal.lines.index((step, number)) for step in ("open", "attempt", "close")]
        assert places == sorted(places)


def test_a_fault_while_halving_ends_the_delivery_and_the_halves_left_are_not_opened() -> None:
    plan = PlanOf(digests(8))
    bad = pick(plan.additions, 0)

    class Vanishing(Choosy):
        def deliver(self, batch: Batch) -> Receipt:
            if len(batch.digests) == 2:
                raise AudienceGone("gone", http_status=404)
            return super().deliver(batch)

    done = deliver(plan, Vanishing(bad), size=8)
    assert isinstance(done.end.fault, AudienceGone)
    assert [done.journal.ranges[number].count for number in done.journal.ranges] == [8, 4, 2]
    assert list(done.journal.statuses.values()) == [
        BatchStatus.HALVED,
        BatchStatus.HALVED,
        BatchStatus.REFUSED,
    ]
    counts = counted(
        8,
        (
            BatchOutcome(range=done.journal.ranges[number], status=status)
            for number, status in done.journal.statuses.items()
        ),
        JournalTotals(),
    )
    assert (counts.refused, counts.not_sent, counts.dead_letters) == (2, 6, 0)


def test_a_stop_while_halving_ends_after_the_request_in_flight() -> None:
    stop = threading.Event()
    plan = PlanOf(digests(8))

    class Stopping(Choosy):
        def deliver(self, batch: Batch) -> Receipt:
            stop.set()
            return super().deliver(batch)

    done = deliver(plan, Stopping(pick(plan.additions, 0)), size=8, stop=stop)
    assert done.end.interrupted
    assert list(done.journal.statuses.values()) == [BatchStatus.HALVED]
    assert done.service.calls == 1


@pytest.mark.parametrize("times", [1, 2])
def test_a_half_whose_answer_was_lost_is_sent_again_and_what_is_refused_of_it_is_perhaps_there(
    times: int,
) -> None:
    plan = PlanOf(digests(16))
    bad = pick(plan.additions, 9)

    class Cut(Choosy):
        left = times

        def deliver(self, batch: Batch) -> Receipt:
            receipt = super().deliver(batch)
            if len(batch.digests) == 4 and self.left:
                self.left -= 1
                raise Unanswered("cut")
            return receipt

    done = deliver(plan, Cut(bad), size=16)
    assert done.service.members == set(plan.additions) - bad
    assert with_status(done, plan, BatchStatus.UNKNOWN) == list(bad)
    assert with_status(done, plan, BatchStatus.DEAD_LETTER) == []


class Applied(Service):
    """Applies the first request and fails, and refuses every later one; `then` is called at each refusal."""

    def __init__(self, then: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self._then = then

    def deliver(self, batch: Batch) -> Receipt:
        self.calls += 1
        if self.calls == 1:
            self.members |= set(batch.digests)
            raise ServiceFailed("502")
        self._then()
        return Receipt(accepted=False, http_status=400, message=SAID)


@pytest.mark.parametrize(("people", "most_halves"), [(1, 0), (4, 0), (4, 2), (4, 100)])
def test_what_an_earlier_attempt_may_have_applied_is_perhaps_there_however_it_is_halved_and_refused(
    people: int, most_halves: int
) -> None:
    plan = PlanOf(digests(people))
    done = deliver(plan, Applied(), most_halves=most_halves)
    assert with_status(done, plan, BatchStatus.UNKNOWN) == list(plan.additions)
    assert set(done.journal.statuses.values()) <= {BatchStatus.UNKNOWN, BatchStatus.HALVED}


def test_halves_that_were_perhaps_applied_and_are_not_come_to_are_perhaps_there() -> None:
    plan, stop = PlanOf(digests(8)), threading.Event()
    done = deliver(plan, Applied(stop.set), stop=stop)
    assert done.service.calls == 2
    assert with_status(done, plan, BatchStatus.UNKNOWN) == list(plan.additions)
    assert [step for step, _ in done.journal.lines[-5:]] == ["open", "open", "close", "close", "close"]
