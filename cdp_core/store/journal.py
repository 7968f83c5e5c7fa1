"""The journal of batches: each is written down before it is sent, each attempt too, and the answer after.

What is on disk here when a process dies is what the next run settles, so every call is on disk when
it returns. A run that was fenced off gets `InternalFault` instead of leave to send.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, func, insert, select, update

from cdp_core.errors import Code, InternalFault
from cdp_core.model.delivery import AudienceKey, BatchOutcome, BatchRange, BatchStatus, Operation, Receipt
from cdp_core.model.journal import BatchRecord, JournalTotals
from cdp_core.store.database import Repository
from cdp_core.store.tables import batches, leases, runs


class Journal(Repository):
    def open(self, run_id: str, batch: BatchRange, number: int, *, half_of: int | None = None) -> str:
        """Write a batch down before anything of it is sent; gives its id. No two of a run have one number."""
        with self._database.write() as connection:
            _require_lease(connection, run_id)
            connection.execute(
                insert(batches).values(
                    run_id=run_id,
                    number=number,
                    half_of=half_of,
                    operation=str(batch.operation),
                    kind=batch.kind,
                    again=batch.again,
                    start=batch.start,
                    digests=batch.count,
                    status=str(BatchStatus.JOURNALED),
                    attempts=0,
                    request_id="",
                    http_status=0,
                    message="",
                    opened_at=self._database.now(),
                )
            )
        return f"{run_id}/{number}"

    def attempt(self, batch_id: str) -> None:
        """Count an attempt, just before it goes out."""
        with self._database.write() as connection:
            _require_lease(connection, _parts(batch_id)[0])
            self._change(connection, batch_id, attempts=batches.c.attempts + 1, sent_at=self._database.now())

    def close(
        self, batch_id: str, status: BatchStatus, receipt: Receipt | None = None, message: str = ""
    ) -> None:
        """Write down what became of a batch: an answer stays an answer, whoever holds the lease by now."""
        receipt = receipt or Receipt(accepted=status is BatchStatus.ACCEPTED)
        with self._database.write() as connection:
            self._change(
                connection,
                batch_id,
                status=str(status),
                request_id=receipt.request_id,
                http_status=receipt.http_status,
                message=message or receipt.message,
                answered_at=self._database.now(),
            )

    def leave_out(self, batch_id: str, left_out: Sequence[BatchOutcome]) -> None:
        """Write down what an open batch leaves out from its next attempt on, in addition to what it did."""
        run_id, number = _parts(batch_id)
        this = and_(batches.c.run_id == run_id, batches.c.number == number)
        with self._database.write() as connection:
            before = connection.scalar(select(batches.c.left_out).where(this)) or []
            more = [[each.range.start, each.range.count, str(each.status)] for each in left_out]
            self._change(connection, batch_id, left_out=[*before, *more])

    def outcomes(self, run_id: str) -> tuple[BatchOutcome, ...]:
        """What became of each batch, in the order of their numbers; without a receipt it is unknown."""
        journaled = self.batches(run_id)
        halves = Counter(batch.half_of for batch in journaled)
        return tuple(
            outcome for batch in journaled for outcome in _outcomes(batch, halved=halves[batch.number] == 2)
        )

    def batches(self, run_id: str) -> tuple[BatchRecord, ...]:
        """In the order of their numbers."""
        query = select(batches).where(batches.c.run_id == run_id).order_by(batches.c.number)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return tuple(_batch(row) for row in rows)

    def last_accepted(self, audience: AudienceKey) -> datetime | None:
        """When the service last took a change of the audience from any export; None where it never did."""
        about = and_(
            runs.c.destination == audience.destination,
            runs.c.origin == audience.origin,
            runs.c.audience_id == audience.audience_id,
            batches.c.status == str(BatchStatus.ACCEPTED),
        )
        query = select(batches.c.answered_at).join(runs, runs.c.id == batches.c.run_id).where(about)
        newest = query.order_by(batches.c.answered_at.desc()).limit(1)
        with self._database.read() as connection:
            found: datetime | None = connection.scalar(newest)
        return found

    def totals(self, run_id: str) -> JournalTotals:
        query = select(
            func.coalesce(func.sum(batches.c.attempts), 0),
            func.count().filter(batches.c.attempts > 0),
            func.count().filter(batches.c.attempts > 0, batches.c.half_of.is_not(None)),
        ).where(batches.c.run_id == run_id)
        with self._database.read() as connection:
            requests, sent, halves = connection.execute(query).one()
        return JournalTotals(requests=requests, retries=requests - sent, halves=halves)

    def _change(self, connection: Connection, batch_id: str, **values: Any) -> None:
        run_id, number = _parts(batch_id)
        still_open = and_(
            batches.c.run_id == run_id,
            batches.c.number == number,
            batches.c.status == str(BatchStatus.JOURNALED),
        )
        if not connection.execute(update(batches).where(still_open).values(**values)).rowcount:
            raise InternalFault(Code.UNEXPECTED, f"batch {batch_id} is not open")


def _outcomes(batch: BatchRecord, *, halved: bool) -> Iterator[BatchOutcome]:
    """What became of a batch's range: of what it left out, and of all that lies between. Where its halves
    are there, which may be before it is closed, they tell of all that."""
    status = BatchStatus.UNKNOWN if batch.status is BatchStatus.JOURNALED else batch.status
    if halved or status is BatchStatus.HALVED:
        yield BatchOutcome(range=batch.range, status=BatchStatus.HALVED)
        return
    at, end = batch.range.start, batch.range.start + batch.range.count
    for left in sorted(batch.left_out, key=lambda each: each.range.start):
        if left.range.start > at:
            yield BatchOutcome(
                range=replace(batch.range, start=at, count=left.range.start - at), status=status
            )
        yield left
        at = left.range.start + left.range.count
    # What empties an audience need not concern any digest.
    if at < end or not batch.range.count:
        yield BatchOutcome(range=replace(batch.range, start=at, count=end - at), status=status)


def _parts(batch_id: str) -> tuple[str, int]:
    run_id, _, number = batch_id.rpartition("/")
    return run_id, int(number)


def _require_lease(connection: Connection, run_id: str) -> None:
    """Raise `InternalFault` where somebody has taken the audience since the run began."""
    query = select(runs.c.destination, runs.c.origin, runs.c.audience_id, runs.c.fence)
    run = connection.execute(query.where(runs.c.id == run_id)).one_or_none()
    if run is None or run.fence is None:
        return
    audience = AudienceKey(run.destination, run.origin, run.audience_id)
    newest = connection.scalar(select(leases.c.fence).where(leases.c.name == str(audience)))
    if newest is not None and newest > run.fence:
        raise InternalFault(
            Code.LEASE_LOST,
            f"another run has taken the {audience} meanwhile; nothing more is sent",
            where=f"run {run_id}",
            hint="run again: what this run had sent is settled by the one that took over",
        )


def _batch(row: Row[Any]) -> BatchRecord:
    whole = BatchRange(
        operation=Operation(row.operation),
        kind=row.kind,
        start=row.start,
        count=row.digests,
        again=row.again,
    )
    return BatchRecord(
        id=f"{row.run_id}/{row.number}",
        run_id=row.run_id,
        number=row.number,
        half_of=row.half_of,
        range=whole,
        status=BatchStatus(row.status),
        left_out=tuple(
            BatchOutcome(range=replace(whole, start=start, count=count), status=BatchStatus(status))
            for start, count, status in row.left_out
        ),
        attempts=row.attempts,
        request_id=row.request_id,
        http_status=row.http_status,
        message=row.message,
        opened_at=row.opened_at,
        sent_at=row.sent_at,
        answered_at=row.answered_at,
    )
