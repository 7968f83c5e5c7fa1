"""A plan that empties the audience first: its order, and what ends it before anything is added."""

from __future__ import annotations

import threading

import pytest

from cdp_core.contract.destination import Batch, Destination
from cdp_core.contract.faults import (
    CredentialsRejected,
    DestinationFault,
    NeverSent,
    RightsRefused,
    ServiceFailed,
    Throttled,
    Unanswered,
)
from cdp_core.errors import CdpError, Code
from cdp_core.model.delivery import BatchRange, BatchStatus, Operation, Receipt
from delivering import PlanOf, Service, deliver, digests

ORDER = [Operation.REMOVE, Operation.REMOVE_ALL, Operation.ADD]


def plan() -> PlanOf:
    return PlanOf(additions=digests(8), removals=digests(2, "owed"), emptied=5)


def failing(fault: DestinationFault, times: int) -> Service:
    """A service that answers to the emptying with a fault, so many times."""
    left = [fault] * times

    def script(batch: Batch, _call: int) -> None:
        if batch.operation is Operation.REMOVE_ALL and left:
            raise left.pop()

    return Service(script)


def test_what_is_owed_goes_first_then_everything_and_then_all_is_added() -> None:
    delivered = deliver(plan())
    assert delivered.end.fault is None
    assert delivered.service.order == ORDER
    assert delivered.service.members == set(digests(8))
    assert delivered.journal.ranges["2"] == BatchRange(
        operation=Operation.REMOVE_ALL, kind="", start=0, count=5
    )
    about = [line for line, number in delivered.journal.lines if number == "2"]
    assert about == ["open", "attempt", "close"]
    assert sum(delivered.progress) == 2 + 5 + 8


def test_an_audience_is_emptied_also_where_nothing_of_ours_goes_and_nothing_comes() -> None:
    delivered = deliver(PlanOf(additions=digests(0), emptied=0))
    assert delivered.service.order == [Operation.REMOVE_ALL]


@pytest.mark.parametrize(
    "fault", [Throttled("slow down"), ServiceFailed("500"), Unanswered("cut"), NeverSent("no route")]
)
def test_an_emptying_is_tried_again_before_anything_is_added(fault: DestinationFault) -> None:
    delivered = deliver(plan(), failing(fault, 2))
    assert delivered.end.fault is None
    assert delivered.service.order == ORDER
    assert delivered.journal.attempts("2") == 3


def test_a_token_that_has_run_out_is_renewed_for_the_emptying_too() -> None:
    delivered = deliver(plan(), failing(CredentialsRejected("401"), 1))
    assert (len(delivered.renewals), delivered.service.order) == (1, ORDER)


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (RightsRefused("403"), BatchStatus.REFUSED),
        (CredentialsRejected("401"), BatchStatus.REFUSED),
        (Unanswered("cut"), BatchStatus.UNKNOWN),
        (NeverSent("no route"), BatchStatus.NOT_SENT),
    ],
)
def test_where_it_is_not_sure_that_the_audience_is_empty_nothing_is_added(
    fault: DestinationFault, status: BatchStatus
) -> None:
    delivered = deliver(plan(), failing(fault, 99))
    assert delivered.end.fault is fault
    assert delivered.service.order == [Operation.REMOVE]
    assert delivered.journal.statuses["2"] is status
    assert "3" not in delivered.journal.ranges


class Unwilling(Service):
    """Refuses to be emptied, in a receipt."""

    def remove_all(self) -> Receipt:
        return Receipt(accepted=False, http_status=400, message="not this one")


def test_a_refusal_is_no_batch_to_halve_and_ends_the_delivery_with_the_services_words() -> None:
    delivered = deliver(plan(), Unwilling())
    assert isinstance(delivered.end.fault, CdpError)
    assert delivered.end.fault.code is Code.NOT_EMPTIED
    assert "not this one" in delivered.end.fault.message
    assert delivered.journal.statuses["2"] is BatchStatus.REFUSED
    assert delivered.journal.half_of == {"1": None, "2": None}
    assert delivered.service.order == [Operation.REMOVE]


def test_a_run_that_is_stopped_before_the_emptying_empties_nothing() -> None:
    stop = threading.Event()
    service = Service(lambda batch, _call: stop.set())
    delivered = deliver(plan(), service, stop=stop)
    assert delivered.end.interrupted
    assert service.order == [Operation.REMOVE]


def test_a_destination_that_declares_no_emptying_is_not_asked_for_one() -> None:
    with pytest.raises(NotImplementedError, match="Service declares no remove-all"):
        Destination.remove_all(Service())
