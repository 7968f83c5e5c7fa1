"""Delivery: what is journaled when, what is tried again, and what ends it."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from cdp_core.contract.destination import Batch, Destination, NewAudience
from cdp_core.contract.digests import DigestBlock
from cdp_core.contract.faults import (
    AudienceGone,
    CredentialsRejected,
    DestinationFault,
    NeverSent,
    RightsRefused,
    ServiceFailed,
    Throttled,
    Unanswered,
)
from cdp_core.errors import Code, ReconnectFault, TemporaryFault
from cdp_core.model.delivery import Audience, BatchRange, BatchStatus, Operation, Patience, Receipt
from cdp_core.pipeline.deliver import Delivery, DeliveryEnd

QUICK = Patience(attempts=4, first_wait=0.001, longest_wait=0.002)


def digests(count: int, salt: str = "") -> DigestBlock:
    return DigestBlock(b"".join(hashlib.sha256(f"{salt}{n}".encode()).digest() for n in range(count)))


@dataclass
class PlanOf:
    """Additions and removals of one kind, in memory."""

    additions: DigestBlock
    removals: DigestBlock = field(default_factory=lambda: digests(0))
    kinds: tuple[str, ...] = ("EMAIL",)

    def blocks(self, operation: Operation, kind: str, size: int) -> Iterator[tuple[BatchRange, DigestBlock]]:
        held = self.additions if operation is Operation.ADD else self.removals
        for start in range(0, len(held), size):
            count = min(size, len(held) - start)
            yield (
                BatchRange(operation=operation, kind=kind, start=start, count=count),
                held.slice(start, count),
            )


class Notebook:
    """A journal that remembers in which order things happened."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []
        self.ranges: dict[str, BatchRange] = {}
        self.statuses: dict[str, BatchStatus] = {}
        self.receipts: dict[str, Receipt | None] = {}

    def open(self, run_id: str, batch: BatchRange, number: int) -> str:
        self.ranges[str(number)] = batch
        self.lines.append(("open", str(number)))
        return str(number)

    def attempt(self, batch_id: str) -> None:
        self.lines.append(("attempt", batch_id))

    def close(
        self, batch_id: str, status: BatchStatus, receipt: Receipt | None = None, message: str = ""
    ) -> None:
        self.lines.append(("close", batch_id))
        self.statuses[batch_id] = status
        self.receipts[batch_id] = receipt

    def attempts(self, batch_id: str = "1") -> int:
        return self.lines.count(("attempt", batch_id))


class Service(Destination):
    """A destination that keeps a set and answers as its script says; without a script, it accepts."""

    def __init__(self, script: Callable[[Batch, int], None] | None = None) -> None:
        self.members: set[bytes] = set()
        self.calls = 0
        self.order: list[Operation] = []
        self.busy = 0
        self.most_busy = 0
        self._script = script
        self._guard = threading.Lock()

    def deliver(self, batch: Batch) -> Receipt:
        with self._guard:
            self.calls += 1
            call = self.calls
            self.busy += 1
            self.most_busy = max(self.busy, self.most_busy)
        try:
            if self._script:
                self._script(batch, call)
            with self._guard:
                self.order.append(batch.operation)
                change = (
                    self.members.update
                    if batch.operation is Operation.ADD
                    else self.members.difference_update
                )
                change(set(batch.digests))
            return Receipt(accepted=True, request_id=f"r-{call}", http_status=200)
        finally:
            with self._guard:
                self.busy -= 1

    def verify(self) -> Audience:
        return Audience(id="1")

    def audiences(self) -> Iterator[Audience]:
        yield Audience(id="1")

    def create_audience(self, request: NewAudience) -> Audience:
        return Audience(id="2", name=request.name)

    def audience_status(self) -> Audience:
        return Audience(id="1")


class Unhurried:
    """A rate limit that lets everything through and remembers penalties."""

    def __init__(self) -> None:
        self.penalties: list[float] = []

    def reserve(self) -> float:
        return 0.0

    def penalise(self, seconds: float) -> None:
        self.penalties.append(seconds)


@dataclass
class Delivered:
    end: DeliveryEnd
    journal: Notebook
    service: Service
    pace: Unhurried
    progress: list[int]
    renewals: list[int]


def deliver(
    plan: PlanOf,
    service: Service | None = None,
    *,
    size: int = 10,
    stop: threading.Event | None = None,
    renew: Callable[[], None] | None = None,
    concurrency: int = 4,
) -> Delivered:
    service = service or Service()
    journal, pace, progress, renewals = Notebook(), Unhurried(), [], []  # type: ignore[var-annotated]

    def counted() -> None:
        renewals.append(1)
        if renew:
            renew()

    end = Delivery(
        run_id="run",
        plan=plan,
        batch_size=size,
        concurrency=concurrency,
        destination=service,
        journal=journal,
        pace=pace,
        renew=counted,
        progress=progress.append,
        stop=stop or threading.Event(),
        patience=QUICK,
    ).run()
    return Delivered(end, journal, service, pace, progress, renewals)


def failing(fault: DestinationFault, times: int = 10**9) -> Callable[[Batch, int], None]:
    def script(batch: Batch, call: int) -> None:
        if call <= times:
            raise fault

    return script


def test_everything_arrives_and_every_batch_has_its_receipt() -> None:
    plan = PlanOf(digests(35))
    done = deliver(plan)
    assert done.service.members == set(plan.additions)
    assert sorted(done.journal.statuses.values()) == [BatchStatus.ACCEPTED] * 4
    assert sum(done.progress) == 35
    assert done.end == DeliveryEnd(fault=None, interrupted=False)
    assert {receipt.request_id for receipt in done.journal.receipts.values() if receipt} == {
        "r-1", "r-2", "r-3", "r-4",
    }  # fmt: skip


def test_a_batch_is_journaled_before_it_is_sent_and_closed_after() -> None:
    seen: list[tuple[str, str]] = []
    done = deliver(PlanOf(digests(1)), Service(lambda batch, call: seen.append(("sent", "1"))))
    assert done.journal.lines == [("open", "1"), ("attempt", "1"), ("close", "1")]
    assert seen == [("sent", "1")]


def test_additions_are_all_answered_before_a_removal_is_sent() -> None:
    done = deliver(PlanOf(digests(50), digests(50, "gone")))
    assert done.service.order == [Operation.ADD] * 5 + [Operation.REMOVE] * 5


def test_several_requests_are_under_way_but_no_more_than_allowed() -> None:
    meeting = threading.Barrier(3, timeout=20)

    def meet(batch: Batch, call: int) -> None:
        meeting.wait()

    done = deliver(PlanOf(digests(60)), Service(meet), concurrency=3)
    assert done.service.most_busy == 3


@pytest.mark.parametrize(
    "fault", [Throttled("slow down"), ServiceFailed("503"), Unanswered("cut"), NeverSent("no route")]
)
def test_what_may_pass_is_tried_again_and_each_attempt_is_counted(fault: DestinationFault) -> None:
    done = deliver(PlanOf(digests(5)), Service(failing(fault, times=2)))
    assert done.journal.attempts() == 3
    assert done.journal.statuses["1"] is BatchStatus.ACCEPTED
    assert done.end.fault is None


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (ServiceFailed("503"), BatchStatus.UNKNOWN),
        (Unanswered("cut"), BatchStatus.UNKNOWN),
        (Throttled("slow down"), BatchStatus.NOT_SENT),
        (NeverSent("no route"), BatchStatus.NOT_SENT),
    ],
)
def test_what_does_not_pass_is_unknown_only_if_it_may_have_been_applied(
    fault: DestinationFault, status: BatchStatus
) -> None:
    done = deliver(PlanOf(digests(5)), Service(failing(fault)))
    assert done.journal.attempts() == QUICK.attempts
    assert done.journal.statuses["1"] is status
    assert done.end.fault is fault


def test_one_perhaps_applied_attempt_makes_the_batch_unknown_whatever_comes_after() -> None:
    def script(batch: Batch, call: int) -> None:
        raise Unanswered("cut") if call == 1 else NeverSent("no route")

    done = deliver(PlanOf(digests(5)), Service(script))
    assert done.journal.statuses["1"] is BatchStatus.UNKNOWN


def test_a_refused_batch_leaves_its_neighbours_alone() -> None:
    class Choosy(Service):
        def deliver(self, batch: Batch) -> Receipt:
            if bad in set(batch.digests):
                return Receipt(accepted=False, http_status=400, message="bad digest")
            return super().deliver(batch)

    plan = PlanOf(digests(30))
    bad = list(plan.additions)[15]
    done = deliver(plan, Choosy())
    assert sorted(done.journal.statuses.values()).count(BatchStatus.REFUSED) == 1
    assert len(done.service.members) == 20
    assert done.end.fault is None


@pytest.mark.parametrize("fault", [RightsRefused("E3002"), AudienceGone("E3003")])
def test_refused_rights_end_the_delivery_at_once(fault: DestinationFault) -> None:
    done = deliver(PlanOf(digests(1000)), Service(failing(fault)), concurrency=1)
    assert done.service.calls == 1
    assert done.end.fault is fault
    assert done.journal.statuses["1"] is BatchStatus.REFUSED


def test_a_401_renews_the_token_once_and_sends_the_same_batch_again() -> None:
    done = deliver(PlanOf(digests(5)), Service(failing(CredentialsRejected("401"), times=1)))
    assert done.renewals == [1]
    assert done.journal.attempts() == 2
    assert done.journal.statuses["1"] is BatchStatus.ACCEPTED


def test_a_second_401_ends_the_delivery() -> None:
    done = deliver(PlanOf(digests(5)), Service(failing(CredentialsRejected("401"))))
    assert done.renewals == [1]
    assert done.service.calls == 2
    assert isinstance(done.end.fault, CredentialsRejected)


def test_a_token_that_cannot_be_renewed_ends_the_delivery_and_nothing_was_sent() -> None:
    revoked = ReconnectFault(Code.RECONNECT, "the grant was revoked")

    def refuse() -> None:
        raise revoked

    done = deliver(
        PlanOf(digests(1000)), Service(failing(CredentialsRejected("401"))), renew=refuse, concurrency=1
    )
    assert done.end.fault is revoked
    assert done.journal.statuses == {"1": BatchStatus.NOT_SENT}


def test_retry_after_is_honoured_and_slows_everyone() -> None:
    done = deliver(PlanOf(digests(5)), Service(failing(Throttled("429", retry_after=0.05), times=1)))
    assert done.pace.penalties == [pytest.approx(0.05, abs=0.001)]


def test_a_stop_ends_after_the_batches_in_flight() -> None:
    stop = threading.Event()

    def script(batch: Batch, call: int) -> None:
        stop.set()

    done = deliver(PlanOf(digests(1000)), Service(script), stop=stop, concurrency=1)
    assert done.end.interrupted
    assert done.end.fault is None
    assert list(done.journal.statuses.values()) == [BatchStatus.ACCEPTED]


def test_a_stop_while_waiting_to_try_again_leaves_the_batch_unknown() -> None:
    stop = threading.Event()

    def script(batch: Batch, call: int) -> None:
        stop.set()
        raise Unanswered("cut")

    done = deliver(PlanOf(digests(5)), Service(script), stop=stop)
    assert done.journal.statuses == {"1": BatchStatus.UNKNOWN}
    assert done.journal.attempts() == 1


def test_a_fault_of_the_journal_is_raised_and_no_further_batch_is_sent() -> None:
    class Full(Notebook):
        def attempt(self, batch_id: str) -> None:
            raise TemporaryFault(Code.STATE_BUSY, "locked")

    service = Service()
    delivery = Delivery(
        run_id="run",
        plan=PlanOf(digests(1000)),
        batch_size=10,
        concurrency=2,
        destination=service,
        journal=Full(),
        pace=Unhurried(),
        renew=lambda: None,
        progress=lambda done: None,
        stop=threading.Event(),
        patience=QUICK,
    )
    with pytest.raises(TemporaryFault):
        delivery.run()
    assert service.calls == 0
