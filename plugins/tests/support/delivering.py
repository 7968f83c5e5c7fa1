"""Delivery without a service or a state: a plan, a journal and a destination in memory."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from cdp_core.contract.destination import Batch, Destination, NewAudience
from cdp_core.contract.digests import DigestBlock
from cdp_core.model.delivery import (
    Audience,
    BatchOutcome,
    BatchRange,
    BatchStatus,
    Operation,
    Patience,
    Receipt,
)
from cdp_core.pipeline.deliver import MOST_HALVES, Delivery, DeliveryEnd
from cdp_core.pipeline.ports import BatchSource, Screen

SAID = "Snapchat answered 400: invalid data"
QUICK = Patience(attempts=4, first_wait=0.001, longest_wait=0.002)


def digests(count: int, salt: str = "") -> DigestBlock:
    return DigestBlock(b"".join(hashlib.sha256(f"{salt}{n}".encode()).digest() for n in range(count)))


@dataclass
class PlanOf:
    """Additions and removals of one kind, in memory; `again` are additions that were refused before."""

    additions: DigestBlock
    removals: DigestBlock = field(default_factory=lambda: digests(0))
    again: DigestBlock = field(default_factory=lambda: digests(0))
    kinds: tuple[str, ...] = ("EMAIL",)
    emptied: int | None = None

    def part(self, operation: Operation, *, again: bool) -> DigestBlock:
        if operation is Operation.ADD:
            return self.again if again else self.additions
        return digests(0) if again else self.removals

    def blocks(
        self, operation: Operation, kind: str, size: int, *, again: bool
    ) -> Iterator[tuple[BatchRange, DigestBlock]]:
        held = self.part(operation, again=again)
        for start in range(0, len(held), size):
            count = min(size, len(held) - start)
            yield (
                BatchRange(operation=operation, kind=kind, start=start, count=count, again=again),
                held.slice(start, count),
            )


class Notebook:
    """A journal that remembers in which order things happened."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []
        self.ranges: dict[str, BatchRange] = {}
        self.statuses: dict[str, BatchStatus] = {}
        self.receipts: dict[str, Receipt | None] = {}
        self.half_of: dict[str, int | None] = {}
        self.left_out: dict[str, list[BatchOutcome]] = {}
        self._guard = threading.Lock()

    def open(self, run_id: str, batch: BatchRange, number: int, *, half_of: int | None = None) -> str:
        with self._guard:
            assert str(number) not in self.ranges
            self.ranges[str(number)] = batch
            self.half_of[str(number)] = half_of
        self.lines.append(("open", str(number)))
        return str(number)

    def leave_out(self, batch_id: str, left_out: Sequence[BatchOutcome]) -> None:
        self.lines.append(("leave out", batch_id))
        self.left_out.setdefault(batch_id, []).extend(left_out)

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

    def remove_all(self) -> Receipt:
        with self._guard:
            self.calls += 1
            call = self.calls
        if self._script:
            self._script(Batch(operation=Operation.REMOVE_ALL, kind="", digests=digests(0)), call)
        self.order.append(Operation.REMOVE_ALL)
        self.members.clear()
        return Receipt(accepted=True, request_id=f"r-{call}", http_status=200)

    def verify(self) -> Audience:
        return Audience(id="1")

    def audiences(self) -> Iterator[Audience]:
        yield Audience(id="1")

    def create_audience(self, request: NewAudience) -> Audience:
        return Audience(id="2", name=request.name)

    def audience_status(self) -> Audience:
        return Audience(id="1")


class Choosy(Service):
    """Refuses a batch whole where it holds a bad digest, as services do that answer for a batch."""

    def __init__(self, bad: Iterable[bytes]) -> None:
        super().__init__()
        self.bad = frozenset(bad)
        self.refusals = 0

    def deliver(self, batch: Batch) -> Receipt:
        if self.bad.isdisjoint(batch.digests):
            return super().deliver(batch)
        with self._guard:
            self.calls += 1
            self.refusals += 1
        return Receipt(accepted=False, http_status=400, message=SAID, request_id=f"r-{self.calls}")


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
    plan: BatchSource,
    service: Service | None = None,
    *,
    size: int = 10,
    stop: threading.Event | None = None,
    renew: Callable[[], None] | None = None,
    concurrency: int = 4,
    most_halves: int = MOST_HALVES,
    screen: Screen = lambda kind, digests: (),
    newborn_seconds: float = 0.0,
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
        newborn_seconds=newborn_seconds,
        progress=progress.append,
        stop=stop or threading.Event(),
        screen=screen,
        patience=QUICK,
        most_halves=most_halves,
    ).run()
    return Delivered(end, journal, service, pace, progress, renewals)
