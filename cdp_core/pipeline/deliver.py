"""Deliver: sends a plan's batches, additions before removals, and journals every attempt.

Where the audience is to be emptied first, the removals that are owed come before that, and nothing is added
unless the service says that it is empty: what it had would be taken for what was added.

Each batch is journaled before it is sent and gets its receipt after, so that a process killed at any
moment leaves on disk what may have reached the service. Several requests are under way at once, all
under one rate limit; the destination sends once, and waiting and trying again happen here.

What was suppressed since it was planned is left out at the moment of sending, each time anew.

A batch that is refused for its content is halved, and each half is a batch of its own, until the bad
digests stand alone; where the service names them in a batch that it takes, they are set apart at once.
Finding k of them among n takes at most some 2·k·log2(n) further requests; after
`MOST_HALVES` of them for what is new, and as many for what was refused before, refused batches stay whole.

An audience that was made a moment ago may refuse members for a while: for `newborn_seconds` after its first
refusal such a batch is sent again, and neither halved nor taken for refused.
"""

from __future__ import annotations

import dataclasses
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass

import tenacity

from cdp_core.contract.destination import Destination
from cdp_core.contract.digests import DigestBlock
from cdp_core.contract.faults import (
    AGAIN,
    PERHAPS_DONE,
    AudienceGone,
    CredentialsRejected,
    DestinationFault,
    NeverSent,
    RightsRefused,
    Throttled,
)
from cdp_core.errors import CdpError, Code, RefusedFault
from cdp_core.model.delivery import (
    OF_DIGESTS,
    BatchOutcome,
    BatchRange,
    BatchStatus,
    Operation,
    Patience,
    Receipt,
)
from cdp_core.pipeline.newborn import LONGEST_PAUSE, NOT_THERE_YET, Newborn, NotYet
from cdp_core.pipeline.pieces import Piece, UnderWay
from cdp_core.pipeline.ports import BatchSource, Journal, Pace, Screen

NEVER_AGAIN = (CredentialsRejected, RightsRefused, AudienceGone)
MOST_HALVES = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryEnd:
    """How a delivery ended: whole (no fault, not interrupted), or why not."""

    fault: DestinationFault | CdpError | None
    interrupted: bool


class _Allowance:
    """How many batches more may be sent; threads share it."""

    def __init__(self, batches: int) -> None:
        self._left = batches
        self._guard = threading.Lock()

    def take(self, batches: int) -> bool:
        with self._guard:
            allowed = self._left >= batches
            self._left -= batches if allowed else 0
            return allowed


class _NothingLeft(Exception):
    """Everything in a batch was suppressed since it was planned."""


class _Barred(Exception):
    """There is no token to send with, or no rows to send, so nothing left; `error` says why."""

    def __init__(self, error: CdpError) -> None:
        super().__init__(str(error))
        self.error = error


class Delivery:
    """One plan on its way. `screen` is asked of every addition at the moment it is sent; `renew` gets a
    newer token after the service refused the one in use;
    `progress` is told how many digests have had their answer; `stop` ends it after the batches in
    flight."""

    def __init__(
        self,
        *,
        run_id: str,
        plan: BatchSource,
        batch_size: int,
        concurrency: int,
        destination: Destination,
        journal: Journal,
        pace: Pace,
        renew: Callable[[], None],
        progress: Callable[[int], None],
        stop: threading.Event,
        screen: Screen = lambda kind, digests: (),
        patience: Patience | None = None,
        most_halves: int = MOST_HALVES,
        newborn_seconds: float = 0.0,
    ) -> None:
        self._run_id = run_id
        self._plan = plan
        self._batch_size = batch_size
        self._concurrency = concurrency
        self._destination = destination
        self._journal = journal
        self._pace = pace
        self._renew = renew
        self._progress = progress
        self._stop = stop
        self._screen = screen
        self._patience = patience or Patience()
        self._allowances = {again: _Allowance(most_halves) for again in (False, True)}
        self._newborn = Newborn(newborn_seconds)
        self._numbers = itertools.count(1)
        self._fault: DestinationFault | CdpError | None = None

    def run(self) -> DeliveryEnd:
        """Send everything, or as much as can be sent; what has no receipt is for the caller to settle."""
        with ThreadPoolExecutor(self._concurrency, thread_name_prefix="deliver") as threads:
            if (claims := self._plan.emptied) is not None:
                self._send_operation(Operation.REMOVE, threads)
                if not self._over:
                    self._send_piece(Piece.emptying(claims))
                self._send_operation(Operation.ADD, threads)
            else:
                for operation in OF_DIGESTS:
                    self._send_operation(operation, threads)
        return DeliveryEnd(fault=self._fault, interrupted=self._stop.is_set())

    def _send_operation(self, operation: Operation, threads: ThreadPoolExecutor) -> None:
        for again in (False, True):
            self._send_all(operation, threads, again=again)

    @property
    def _over(self) -> bool:
        return self._fault is not None or self._stop.is_set()

    def _send_all(self, operation: Operation, threads: ThreadPoolExecutor, *, again: bool) -> None:
        flying: set[Future[None]] = set()
        try:
            for kind in self._plan.kinds:
                for batch, digests in self._plan.blocks(operation, kind, self._batch_size, again=again):
                    # One block waits beside those in flight; more would only fill memory.
                    while len(flying) > self._concurrency:
                        landed, flying = wait(flying, return_when=FIRST_COMPLETED)
                        _raise_faults(landed)
                    if self._over:
                        return
                    flying.add(threads.submit(self._send, batch, digests))
        finally:
            landed, _ = wait(flying)
            _raise_faults(landed)

    def _send(self, batch: BatchRange, digests: DigestBlock) -> None:
        """One batch of the plan, and what halving makes of it, each to its receipt."""
        waiting = [Piece(batch=batch, digests=digests)]
        while waiting and not self._over:
            first, *rest = waiting
            waiting = [*self._send_piece(first), *rest]
        for piece in waiting:
            if piece.opened is not None:
                self._journal.close(piece.opened[1], BatchStatus.UNKNOWN)

    def _send_piece(self, piece: Piece) -> tuple[Piece, ...]:
        """One request, as often as it takes; the halves that are to be sent in its place."""
        number, journaled = piece.opened or self._open(piece)
        under_way = UnderWay(piece, journaled)

        def attempt() -> Receipt:
            try:
                return self._attempt(under_way)
            except PERHAPS_DONE:
                under_way.perhaps_applied = True
                raise

        try:
            receipt = self._trying()(attempt)
        except NEVER_AGAIN as fault:
            self._fault = self._fault or fault
            # An attempt before this one may have been applied, whatever is refused now.
            status = BatchStatus.UNKNOWN if under_way.perhaps_applied else BatchStatus.REFUSED
            self._journal.close(journaled, status, _receipt(fault))
        except DestinationFault as fault:
            self._fault = self._fault or (None if self._stop.is_set() else fault)
            self._journal.close(journaled, _left_open(under_way), _receipt(fault))
        except _Barred as barred:
            self._fault = self._fault or barred.error
            self._journal.close(journaled, _left_open(under_way), message=barred.error.message)
        except _NothingLeft:
            self._journal.close(
                journaled, BatchStatus.UNKNOWN if under_way.perhaps_applied else BatchStatus.LEFT_OUT
            )
            self._progress(piece.batch.count)
        else:
            status = self._status(under_way, receipt)
            halves = piece.halves(number) if status is BatchStatus.HALVED else ()
            if under_way.perhaps_applied:
                # Whatever ends the delivery now, the journal holds what the service may have.
                halves = tuple(dataclasses.replace(half, opened=self._open(half)) for half in halves)
            self._journal.close(journaled, status, receipt)
            if halves:
                return halves
            self._progress(piece.batch.count)
        return ()

    def _open(self, piece: Piece) -> tuple[int, str]:
        number = next(self._numbers)
        return number, self._journal.open(self._run_id, piece.batch, number, half_of=piece.half_of)

    def _set_apart(self, under_way: UnderWay, receipt: Receipt) -> None:
        """Of a batch that the service takes, what it refuses of it: each becomes a batch of its own, which
        was never sent as one."""
        apart = under_way.set_apart(receipt.refused)
        # An attempt before this one may have been applied, whatever is refused now.
        status = BatchStatus.UNKNOWN if under_way.perhaps_applied else BatchStatus.HALVED
        outcomes = [BatchOutcome(range=refused, status=status) for refused, _ in apart]
        self._journal.leave_out(under_way.journaled, outcomes)
        if under_way.perhaps_applied:
            return
        for refused, reason in apart:
            opened = self._journal.open(self._run_id, refused, next(self._numbers))
            said = dataclasses.replace(receipt, accepted=False, message=reason, refused={})
            self._journal.close(opened, BatchStatus.DEAD_LETTER, said)

    def _status(self, under_way: UnderWay, receipt: Receipt) -> BatchStatus:
        """What an answer makes of a batch; a refusal is for its content, or it would be a fault."""
        piece = under_way.piece
        if receipt.accepted:
            if receipt.refused:
                self._set_apart(under_way, receipt)
            return BatchStatus.ACCEPTED
        alone = len(piece.digests) == 1
        if piece.empties:
            self._fault = self._fault or _not_emptied(receipt)
        elif not alone and self._allowances[piece.batch.again].take(2):
            return BatchStatus.HALVED
        if under_way.perhaps_applied:
            return BatchStatus.UNKNOWN
        return BatchStatus.DEAD_LETTER if alone else BatchStatus.REFUSED

    def _attempt(self, under_way: UnderWay) -> Receipt:
        try:
            return self._once(under_way)
        except CredentialsRejected:
            with _credentials():
                self._renew()
            return self._once(under_way)

    def _once(self, under_way: UnderWay) -> Receipt:
        self._sleep(self._pace.reserve())
        if self._over:
            raise NeverSent("the delivery ended before the batch was sent")
        self._leave_out(under_way)
        self._journal.attempt(under_way.journaled)
        try:
            with _credentials():
                if under_way.piece.empties:
                    return self._destination.remove_all()
                receipt = self._destination.deliver(under_way.request)
        except NOT_THERE_YET as fault:
            if self._newborn.still():
                raise NotYet.said(_receipt(fault)) from fault
            raise
        if receipt.accepted:
            self._newborn.grown()
        elif self._newborn.still():
            raise NotYet.said(receipt)
        return receipt

    def _leave_out(self, under_way: UnderWay) -> None:
        piece = under_way.piece
        if piece.batch.operation is not Operation.ADD:
            return
        with _credentials():
            places = self._screen(piece.batch.kind, piece.digests)
        if left_out := under_way.leave_out(places):
            self._journal.leave_out(under_way.journaled, left_out)
        if not len(under_way.request.digests):
            raise _NothingLeft

    def _trying(self) -> tenacity.Retrying:
        return tenacity.Retrying(
            retry=tenacity.retry_if_exception_type((*AGAIN, NotYet)),
            stop=self._enough,
            wait=self._wait,
            sleep=self._sleep,
            reraise=True,
        )

    def _enough(self, state: tenacity.RetryCallState) -> bool:
        """How long a newborn audience is waited for is its own limit."""
        fault = state.outcome.exception() if state.outcome else None
        spent = state.attempt_number >= self._patience.attempts and not isinstance(fault, NotYet)
        return spent or self._over

    def _wait(self, state: tenacity.RetryCallState) -> float:
        """Back-off with jitter, or as long as the service asked for; a throttled token slows everyone."""
        first, longest = self._patience.first_wait, self._patience.longest_wait
        backing_off = tenacity.wait_exponential(multiplier=first, max=longest)
        jittered = (backing_off + tenacity.wait_random(0, first))(state)
        fault = state.outcome.exception() if state.outcome else None
        if isinstance(fault, NotYet):
            return min(jittered, LONGEST_PAUSE)
        if isinstance(fault, Throttled):
            jittered = max(jittered, fault.retry_after or 0.0)
            self._pace.penalise(jittered)
        return jittered

    def _sleep(self, seconds: float) -> None:
        """Wait, but no longer than the delivery itself goes on."""
        until = time.monotonic() + seconds
        while not self._over and (left := until - time.monotonic()) > 0:
            self._stop.wait(min(left, 0.2))


@contextmanager
def _credentials() -> Iterator[None]:
    """An error of ours around a request comes from the token's keeper, or from where rows are read: the
    request did not leave."""
    try:
        yield
    except CdpError as error:
        raise _Barred(error) from error


def _left_open(under_way: UnderWay) -> BatchStatus:
    return BatchStatus.UNKNOWN if under_way.perhaps_applied else BatchStatus.NOT_SENT


def _not_emptied(receipt: Receipt) -> RefusedFault:
    return RefusedFault(
        Code.NOT_EMPTIED,
        f"the service refused to empty the audience, and nothing was added: {receipt.message}",
        hint="`cdp export show-run` has its request id; the mode mirror needs no emptying",
    )


def _receipt(fault: DestinationFault) -> Receipt:
    return Receipt(
        accepted=False,
        request_id=fault.request_id,
        http_status=fault.http_status,
        message=fault.message,
    )


def _raise_faults(landed: set[Future[None]]) -> None:
    """A fault of ours in a thread (a full disk, a locked state) ends the delivery."""
    for future in landed:
        future.result()
