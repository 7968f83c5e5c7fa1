"""What a delivery stands on: the plan that it reads, the journal that it keeps, the pace that it goes at, and
the screen that it asks at the moment of sending."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from cdp_core.contract.digests import DigestBlock
from cdp_core.model.delivery import BatchOutcome, BatchRange, BatchStatus, Operation, Receipt


class BatchSource(Protocol):
    """A plan, as far as delivery needs it: its digests in the file's order."""

    def blocks(
        self, operation: Operation, kind: str, size: int, *, again: bool
    ) -> Iterator[tuple[BatchRange, DigestBlock]]: ...

    @property
    def kinds(self) -> tuple[str, ...]: ...

    @property
    def emptied(self) -> int | None: ...


class Journal(Protocol):
    """Where a batch is written down; each call is on disk when it returns."""

    def open(self, run_id: str, batch: BatchRange, number: int, *, half_of: int | None = None) -> str: ...

    def leave_out(self, batch_id: str, left_out: Sequence[BatchOutcome]) -> None: ...

    def attempt(self, batch_id: str) -> None: ...

    def close(
        self, batch_id: str, status: BatchStatus, receipt: Receipt | None = None, message: str = ""
    ) -> None: ...


class Pace(Protocol):
    """The rate limit: how many seconds to wait before the next request, shared by all who use the token."""

    def reserve(self) -> float: ...

    def penalise(self, seconds: float) -> None: ...


# Of a kind's digests, the places (from 0) of those that are not to be added any more. Threads share it.
Screen = Callable[[str, DigestBlock], Iterable[int]]
