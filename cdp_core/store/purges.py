"""Purges: when there was one, and what ledgers stand on that is not kept any more."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Table, and_, delete, func, insert, select, true

from cdp_core.model.delivery import AudienceKey
from cdp_core.model.retention import Forgone, Purged
from cdp_core.store.database import Repository
from cdp_core.store.tables import dead_letters, erasures, forgone, plans, purges, runs, withdrawals


class Purges(Repository):
    def last(self) -> datetime | None:
        """When the newest one was made."""
        with self._database.read() as connection:
            found: datetime | None = connection.scalar(select(func.max(purges.c.at)))
        return found

    def made(self, at: datetime, by: str, purged: Purged) -> None:
        with self._database.write() as connection:
            connection.execute(insert(purges).values(at=at, by=by, counts=purged.counts()))

    def forgone(self, audience: AudienceKey) -> Forgone | None:
        """What the audience's ledger stands on besides the runs that are kept."""
        with self._database.read() as connection:
            row = connection.execute(select(forgone).where(_of(audience))).one_or_none()
        if row is None:
            return None
        return Forgone(runs=row.runs, added=row.added, removed=row.removed, until=row.until)

    def drop_runs(self, audience: AudienceKey, ids: Collection[str], more: Forgone | None) -> None:
        """Take away runs with their batches and plans' records; `more` is what the ledger stands on of
        them."""
        with self._database.write() as connection:
            before = self.forgone(audience)
            if more is not None:
                connection.execute(delete(forgone).where(_of(audience)))
                values = dataclasses.asdict(audience) | {
                    "runs": more.runs + (before.runs if before else 0),
                    "added": more.added + (before.added if before else 0),
                    "removed": more.removed + (before.removed if before else 0),
                    "until": max(more.until, before.until) if before else more.until,
                }
                connection.execute(insert(forgone).values(**values))
            connection.execute(delete(plans).where(plans.c.run_id.in_(ids)))
            connection.execute(delete(runs).where(runs.c.id.in_(ids)))

    def dead_letters(self, before: datetime, *, dry_run: bool) -> int:
        return self._gone(dead_letters, dead_letters.c.at < before, dry_run=dry_run)

    def erasures(self, before: datetime, *, dry_run: bool) -> int:
        """Receipts of those that have ended."""
        return self._gone(erasures, erasures.c.ended_at < before, dry_run=dry_run)

    def withdrawals(self, before: datetime, *, dry_run: bool) -> int:
        return self._gone(withdrawals, withdrawals.c.at < before, dry_run=dry_run)

    def with_receipts(self, since: datetime | None) -> frozenset[str]:
        """Runs that a receipt of withdrawn consent is about, of those that are kept `since` then."""
        kept = true() if since is None else withdrawals.c.at >= since
        with self._database.read() as connection:
            return frozenset(connection.scalars(select(withdrawals.c.run_id).where(kept)))

    def _gone(self, table: Table, old: ColumnElement[bool], *, dry_run: bool) -> int:
        with self._database.write() as connection:
            if dry_run:
                return connection.scalar(select(func.count()).select_from(table).where(old)) or 0
            return connection.execute(delete(table).where(old)).rowcount


def _of(audience: AudienceKey) -> ColumnElement[bool]:
    return and_(
        forgone.c.destination == audience.destination,
        forgone.c.origin == audience.origin,
        forgone.c.audience_id == audience.audience_id,
    )
