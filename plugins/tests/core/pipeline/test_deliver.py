"""Delivery: what is journaled when, what is tried again, and what ends it."""

import threading
from collections.abc import Callable

import pytest

from cdp_core.contract.destination import Batch
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
from cdp_core.model.delivery import BatchStatus, Operation
from cdp_core.pipeline.deliver import Delivery, DeliveryEnd
from delivering import QUICK, Notebook, PlanOf, Service, Unhurried, deliver, digests


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
