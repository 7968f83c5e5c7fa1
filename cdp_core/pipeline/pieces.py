"""What delivery has in hand: a batch of the plan or a half of one, and what of it is still to be sent."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cdp_core.contract.destination import Batch
from cdp_core.contract.digests import DigestBlock
from cdp_core.model.delivery import BatchOutcome, BatchRange, BatchStatus, Operation

NOTHING = DigestBlock(b"")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A batch of the plan or a half of one; `half_of` is the number of the refused batch then. One that
    the service may have applied already, with the batch that it is a half of, is `opened` (its number and
    its id in the journal) before that batch is closed. What empties the audience has no digests."""

    batch: BatchRange
    digests: DigestBlock
    half_of: int | None = None
    opened: tuple[int, str] | None = None

    @classmethod
    def emptying(cls, claims: int) -> Piece:
        """What empties the audience, and so many claims go with it."""
        batch = BatchRange(operation=Operation.REMOVE_ALL, kind="", start=0, count=claims)
        return cls(batch=batch, digests=NOTHING)

    @property
    def empties(self) -> bool:
        return self.batch.operation is Operation.REMOVE_ALL

    def halves(self, number: int) -> tuple[Piece, ...]:
        """The two of this one, which was sent under `number`."""
        first = len(self.digests) // 2
        return self._part(0, first, number), self._part(first, len(self.digests) - first, number)

    def _part(self, start: int, count: int, number: int) -> Piece:
        batch = dataclasses.replace(self.batch, start=self.batch.start + start, count=count)
        return Piece(batch=batch, digests=self.digests.slice(start, count), half_of=number)


class UnderWay:
    """A piece that is being sent: what of it may still be, and whether the service may have it already."""

    def __init__(self, piece: Piece, journaled: str) -> None:
        self.piece = piece
        self.journaled = journaled
        self.perhaps_applied = piece.opened is not None
        self._left_out: frozenset[int] = frozenset()

    @property
    def request(self) -> Batch:
        piece = self.piece
        digests = piece.digests.without(self._left_out) if self._left_out else piece.digests
        return Batch(operation=piece.batch.operation, kind=piece.batch.kind, digests=digests)

    def leave_out(self, places: Iterable[int]) -> tuple[BatchOutcome, ...]:
        """Take some digests out; what becomes of those that were not taken out before."""
        more = sorted(set(places) - self._left_out)
        self._left_out |= frozenset(more)
        status = BatchStatus.UNKNOWN if self.perhaps_applied else BatchStatus.LEFT_OUT
        batch = self.piece.batch
        return tuple(
            BatchOutcome(
                range=dataclasses.replace(batch, start=batch.start + start, count=count), status=status
            )
            for start, count in _runs(more)
        )

    def set_apart(self, refused: Mapping[int, str]) -> tuple[tuple[BatchRange, str], ...]:
        """The digests that the service refuses within a request that it takes: neighbours with one reason
        together."""
        sent = [place for place in range(len(self.piece.digests)) if place not in self._left_out]
        reasons = {sent[place]: said for place, said in refused.items() if 0 <= place < len(sent)}
        batch, found = self.piece.batch, []
        for reason in dict.fromkeys(reasons.values()):
            same = sorted(place for place, said in reasons.items() if said == reason)
            found += [
                (dataclasses.replace(batch, start=batch.start + start, count=count), reason)
                for start, count in _runs(same)
            ]
        return tuple(found)


def _runs(places: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Sorted places as (first, how many) without a gap."""
    for _, run in itertools.groupby(enumerate(places), key=lambda numbered: numbered[1] - numbered[0]):
        together = [place for _, place in run]
        yield together[0], len(together)
