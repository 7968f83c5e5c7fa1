"""Schedules as they are kept, and what became of each moment at which an export was due."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, insert, or_, select, update

from cdp_core.errors import ExitStatus
from cdp_core.model.lease import Lease
from cdp_core.model.schedule import DueOutcome, DueRun, Recurrence, Schedule
from cdp_core.store.database import Database, Repository
from cdp_core.store.leases import Leases
from cdp_core.store.tables import due_runs, schedules

_REFRESH = "refresh"


class Schedules(Repository):
    """The refresh's own schedule has no export; an export that has none follows the refresh."""

    def refresh(self) -> Schedule:
        """Off until somebody sets it."""
        with self._database.read() as connection:
            return _of(connection, _REFRESH) or Schedule(active=False)

    def of(self, export_id: str) -> Schedule:
        with self._database.read() as connection:
            return _of(connection, export_id) or Schedule()

    def set_refresh(self, schedule: Schedule) -> None:
        self._set(_REFRESH, None, schedule)

    def set(self, export_id: str, schedule: Schedule) -> None:
        self._set(export_id, export_id, schedule)

    def follow_refresh(self) -> None:
        """Take every export's own recurrence away; whether it is on stays."""
        with self._database.write() as connection:
            own = update(schedules).where(schedules.c.export_id.is_not(None))
            connection.execute(own.values(recurrence=None))

    def _set(self, scope: str, export_id: str | None, schedule: Schedule) -> None:
        kept = dataclasses.asdict(schedule)
        kept["recurrence"] = None if schedule.recurrence is None else schedule.recurrence.as_dict()
        with self._database.write() as connection:
            connection.execute(delete(schedules).where(schedules.c.scope == scope))
            connection.execute(insert(schedules).values(scope=scope, export_id=export_id, **kept))


class DueRuns(Repository):
    """Whoever runs an export that is due holds a lease, and only that holder writes here: one that stalled
    and wakes up is fenced off."""

    def __init__(self, database: Database, leases: Leases) -> None:
        super().__init__(database)
        self._leases = leases

    def newest(self, export_id: str) -> DueRun | None:
        query = select(due_runs).where(due_runs.c.export_id == export_id)
        with self._database.read() as connection:
            row = connection.execute(query.order_by(due_runs.c.due_at.desc()).limit(1)).one_or_none()
        return None if row is None else _due_run(row)

    def at_fault_before(self, export_id: str, due_at: datetime) -> DueRun | None:
        """The newest before a moment for which somebody had to look (`DueRun.is_at_fault`)."""
        skipped = and_(
            due_runs.c.outcome == str(DueOutcome.SKIPPED), due_runs.c.exit_status == int(ExitStatus.INVALID)
        )
        query = select(due_runs).where(
            due_runs.c.export_id == export_id,
            due_runs.c.due_at < due_at,
            or_(due_runs.c.outcome == str(DueOutcome.FAILED), skipped),
        )
        with self._database.read() as connection:
            row = connection.execute(query.order_by(due_runs.c.due_at.desc()).limit(1)).one_or_none()
        return None if row is None else _due_run(row)

    def all(self, limit: int = 50) -> tuple[DueRun, ...]:
        """The newest first."""
        query = select(due_runs).order_by(due_runs.c.due_at.desc(), due_runs.c.export_id).limit(limit)
        with self._database.read() as connection:
            return tuple(_due_run(row) for row in connection.execute(query).all())

    def save(self, lease: Lease, due: DueRun) -> None:
        """Write down how a due run stands. An earlier one that is still open is superseded. Raises
        `InternalFault` where the lease was lost to somebody else."""
        of_export = due_runs.c.export_id == due.export_id
        values = {**dataclasses.asdict(due), "outcome": str(due.outcome), "updated_at": self._database.now()}
        with self._database.write() as connection:
            self._leases.check(lease)
            connection.execute(
                update(due_runs)
                .where(
                    of_export,
                    due_runs.c.due_at < due.due_at,
                    due_runs.c.outcome.in_([str(each) for each in DueOutcome if each.is_open]),
                )
                .values(outcome=str(DueOutcome.SUPERSEDED), updated_at=self._database.now())
            )
            connection.execute(delete(due_runs).where(of_export, due_runs.c.due_at == due.due_at))
            connection.execute(insert(due_runs).values(**values))


def _of(connection: Connection, scope: str) -> Schedule | None:
    row = connection.execute(select(schedules).where(schedules.c.scope == scope)).one_or_none()
    if row is None:
        return None
    return Schedule(
        recurrence=None if row.recurrence is None else Recurrence.from_dict(row.recurrence),
        active=row.active,
        paused=row.paused,
        paused_at=row.paused_at,
        since=row.since,
        set_by=row.set_by,
    )


def _due_run(row: Row[Any]) -> DueRun:
    kept = {name: value for name, value in row._mapping.items() if name != "outcome"}
    return DueRun(outcome=DueOutcome(row.outcome), **kept)
