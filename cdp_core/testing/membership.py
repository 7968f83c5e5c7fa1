"""Who is in an audience after a batch, and what the receipt of it may say."""

from __future__ import annotations

from cdp_core.contract.destination import Batch
from cdp_core.contract.faults import DestinationFault
from cdp_core.model.delivery import Operation, Receipt
from cdp_core.testing.stage import Stage


class Membership:
    def test_who_is_added_is_there(self, stage: Stage) -> None:
        with stage.opened() as found:
            require_taken(found.destination.deliver(stage.batch(Operation.ADD, range(7))))
        assert stage.held() == stage.expected(range(7))

    def test_sending_again_is_harmless(self, stage: Stage) -> None:
        """After a lost answer the same batch goes again."""
        for _ in range(2):
            with stage.opened() as found:
                batch = stage.batch(Operation.ADD, range(5))
                require_taken(found.destination.deliver(batch))
                require_taken(found.destination.deliver(batch))
        assert sorted(map(repr, stage.stand_in.held())) == sorted(map(repr, stage.expected(range(5))))

    def test_who_is_removed_is_gone_and_nobody_else(self, stage: Stage) -> None:
        with stage.opened() as found:
            require_taken(found.destination.deliver(stage.batch(Operation.ADD, range(9))))
        if Operation.REMOVE not in stage.spec.capabilities.operations:
            assert stage.held() == stage.expected(range(9))
            return
        for _ in range(2):
            # The second time they are gone already, which is no reason to refuse them.
            with stage.opened() as found:
                require_taken(found.destination.deliver(stage.batch(Operation.REMOVE, range(4))))
            assert stage.held() == stage.expected(range(4, 9))

    def test_emptying_empties(self, stage: Stage) -> None:
        """Where it is declared; where it is not, adding leaves who is there."""
        with stage.opened() as found:
            require_taken(found.destination.deliver(stage.batch(Operation.ADD, range(5))))
            if Operation.REMOVE_ALL in stage.spec.capabilities.operations:
                require_taken(found.destination.remove_all())
        empties = Operation.REMOVE_ALL in stage.spec.capabilities.operations
        assert stage.held() == stage.expected(() if empties else range(5))

    def test_a_batch_at_the_limit_is_taken_whole(self, stage: Stage) -> None:
        """`batch_limit` is no more than what the service takes."""
        limit = stage.spec.capabilities.batch_limit
        with stage.opened() as found:
            require_taken(found.destination.deliver(stage.batch(Operation.ADD, range(limit))))
        assert len(stage.held()) == limit

    def test_a_batch_above_the_limit_is_never_taken_in_part(self, stage: Stage) -> None:
        """It is refused, or it is all there: a receipt for a part of it would lose the rest in silence."""
        above = stage.spec.capabilities.batch_limit + 1
        accepted = False
        try:
            with stage.opened() as found:
                accepted = found.destination.deliver(stage.batch(Operation.ADD, range(above))).accepted
        except (DestinationFault, ValueError):
            pass
        assert len(stage.held()) == (above if accepted else 0)

    def test_a_receipt_says_no_more_than_the_service(self, stage: Stage) -> None:
        with stage.opened() as found:
            batch = stage.batch(Operation.ADD, range(5))
            receipt = found.destination.deliver(batch)
        require_honest(receipt, batch)
        assert receipt.accepted
        refused = set(receipt.refused)
        assert stage.held() == stage.expected(set(range(5)) - refused)
        if stage.spec.capabilities.answers == "batch":
            assert not refused, "the service is said to answer for batches alone"


def require_honest(receipt: Receipt, batch: Batch) -> None:
    assert isinstance(receipt, Receipt)
    assert isinstance(receipt.request_id, str)
    assert isinstance(receipt.message, str)
    assert all(0 <= place < len(batch.digests) for place in receipt.refused), "a place outside of the batch"
    assert all(reason.strip() for reason in receipt.refused.values()), "somebody is refused without a reason"
    assert receipt.accepted or receipt.message.strip(), "a batch is refused without a reason"


def require_taken(receipt: Receipt) -> None:
    assert receipt.accepted, f"refused: {receipt.message}"
    assert not receipt.refused, f"refused: {receipt.refused}"
