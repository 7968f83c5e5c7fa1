"""Receipts of runs that took out people whose consent was withdrawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, insert, select

from cdp_core.model.delivery import AudienceKey
from cdp_core.model.erasure import Withdrawal, WithdrawnBatch
from cdp_core.store.database import Repository
from cdp_core.store.tables import runs, withdrawals


class Withdrawals(Repository):
    def record(
        self, run_id: str, *, at: datetime, kinds: Mapping[str, int], batches: Sequence[WithdrawnBatch]
    ) -> None:
        """In the place of what was recorded of that run before."""
        with self._database.write() as connection:
            connection.execute(delete(withdrawals).where(withdrawals.c.run_id == run_id))
            kept = [batch.as_kept() for batch in batches]
            connection.execute(
                insert(withdrawals).values(run_id=run_id, at=at, kinds=dict(kinds), batches=kept)
            )

    def newest(self, limit: int) -> tuple[Withdrawal, ...]:
        columns = (runs.c.export_name, runs.c.destination, runs.c.origin, runs.c.audience_id)
        query = select(withdrawals, *columns).join(runs, runs.c.id == withdrawals.c.run_id)
        newest = query.order_by(withdrawals.c.at.desc(), withdrawals.c.run_id.desc()).limit(limit)
        with self._database.read() as connection:
            return tuple(map(_withdrawal, connection.execute(newest).all()))

    def count(self) -> int:
        with self._database.read() as connection:
            return connection.scalar(select(func.count()).select_from(withdrawals)) or 0


def _withdrawal(row: Row[Any]) -> Withdrawal:
    return Withdrawal(
        run_id=row.run_id,
        export=row.export_name,
        audience=str(AudienceKey(row.destination, row.origin, row.audience_id)),
        at=row.at,
        kinds=row.kinds,
        removals=tuple(map(WithdrawnBatch.from_kept, row.batches)),
    )
