"""An audience that was made a moment ago: waited for while it refuses, and no longer than allowed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cdp_core.contract.destination import Batch
from cdp_core.contract.faults import AudienceGone, DestinationFault, RightsRefused
from cdp_core.model.delivery import BatchStatus, Receipt
from delivering import PlanOf, Service, deliver, digests


class Newborn(Service):
    """Refuses the first requests, by a fault or by its answer."""

    def __init__(self, times: int, refusal: Callable[[], Receipt]) -> None:
        super().__init__()
        self._left = times
        self._refusal = refusal

    def deliver(self, batch: Batch) -> Receipt:
        with self._guard:
            refuses = self._left > 0
            self._left -= 1
        return self._refusal() if refuses else super().deliver(batch)


def raising(fault: DestinationFault) -> Callable[[], Receipt]:
    def refuse() -> Receipt:
        raise fault

    return refuse


def answering() -> Receipt:
    return Receipt(accepted=False, http_status=400, message="not yet")


REFUSALS = [raising(AudienceGone("404")), raising(RightsRefused("403")), answering]


@pytest.mark.parametrize("refusal", REFUSALS)
def test_it_is_waited_for_more_often_than_patience_allows(refusal: Callable[[], Receipt]) -> None:
    done = deliver(PlanOf(digests(35)), Newborn(30, refusal), newborn_seconds=30)
    assert done.service.members == set(digests(35))
    assert set(done.journal.statuses.values()) == {BatchStatus.ACCEPTED}
    assert done.end.fault is None
    assert sum(done.journal.attempts(number) for number in done.journal.ranges) == 34


@pytest.mark.parametrize("refusal", REFUSALS)
def test_an_audience_of_some_age_is_not_waited_for(refusal: Callable[[], Receipt]) -> None:
    done = deliver(PlanOf(digests(1)), Newborn(1, refusal))
    assert done.service.members == set()
    assert done.journal.attempts() == 1


@pytest.mark.parametrize("refusal", REFUSALS)
def test_it_is_waited_for_only_so_long(refusal: Callable[[], Receipt]) -> None:
    done = deliver(PlanOf(digests(1)), Newborn(10**9, refusal), newborn_seconds=0.05)
    assert done.service.members == set()
    assert set(done.journal.statuses.values()) <= {BatchStatus.REFUSED, BatchStatus.DEAD_LETTER}
    assert done.journal.attempts() > 1


def test_what_has_taken_members_once_is_no_newborn_any_more() -> None:
    def then_gone(batch: Batch, call: int) -> None:
        if call == 2:
            raise AudienceGone("deleted")

    done = deliver(PlanOf(digests(35)), Service(then_gone), newborn_seconds=30, concurrency=1)
    assert isinstance(done.end.fault, AudienceGone)
    assert list(done.journal.statuses.values()).count(BatchStatus.ACCEPTED) == 1
