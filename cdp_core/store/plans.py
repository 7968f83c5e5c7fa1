"""Which plans lie on disk, what each stands on, and the digest that its file must have."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, and_, insert, select, update

from cdp_core.errors import Code, InvalidFault
from cdp_core.model.journal import PlanRecord
from cdp_core.model.run import RunStatus
from cdp_core.store.database import Repository
from cdp_core.store.tables import plans, runs


class Plans(Repository):
    def record(self, plan: PlanRecord) -> None:
        with self._database.write() as connection:
            connection.execute(
                insert(plans).values(
                    id=plan.id,
                    export_id=plan.export_id,
                    run_id=plan.run_id,
                    folder=plan.folder,
                    sha256=plan.sha256,
                    basis=dict(plan.basis),
                    summary=dict(plan.summary),
                    created_at=plan.created_at,
                )
            )

    def get(self, plan_id: str) -> PlanRecord:
        with self._database.read() as connection:
            row = connection.execute(select(plans).where(plans.c.id == plan_id)).one_or_none()
        if row is None:
            raise InvalidFault(
                Code.PLAN_UNKNOWN,
                f"there is no plan {plan_id!r}",
                hint="cdp export plan NAME makes one of an export, and names it",
            )
        return _plan(row)

    def of_export(self, export_id: str) -> tuple[PlanRecord, ...]:
        """The newest first."""
        query = select(plans).where(plans.c.export_id == export_id)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(plans.c.created_at.desc(), plans.c.id)).all()
        return tuple(_plan(row) for row in rows)

    def of_run(self, run_id: str) -> tuple[PlanRecord, ...]:
        """The plan that a run made, and the one that was narrowed from it, where there are any."""
        query = select(plans).where(plans.c.run_id == run_id).order_by(plans.c.id)
        with self._database.read() as connection:
            return tuple(_plan(row) for row in connection.execute(query).all())

    def all(self) -> tuple[PlanRecord, ...]:
        """The oldest first."""
        with self._database.read() as connection:
            found = connection.execute(select(plans).order_by(plans.c.created_at, plans.c.id)).all()
        return tuple(_plan(row) for row in found)

    def folders(self) -> frozenset[str]:
        """Of all plans."""
        with self._database.read() as connection:
            return frozenset(connection.scalars(select(plans.c.folder)))

    def moved(self, plan_id: str, *, folder: str, sha256: str) -> None:
        """The same plan, written anew into another folder."""
        with self._database.write() as connection:
            connection.execute(
                update(plans).where(plans.c.id == plan_id).values(folder=folder, sha256=sha256)
            )

    def last_committed(self, export_id: str) -> PlanRecord | None:
        """The plan of the export's newest run that was committed and had one."""
        committed = and_(runs.c.export_id == export_id, runs.c.status == str(RunStatus.COMMITTED))
        query = select(plans).join(runs, runs.c.plan_id == plans.c.id).where(committed)
        with self._database.read() as connection:
            row = connection.execute(query.order_by(runs.c.started_at.desc(), runs.c.id.desc())).first()
        return None if row is None else _plan(row)

    def latest(self, export_id: str) -> PlanRecord | None:
        return next(iter(self.of_export(export_id)), None)


def _plan(row: Row[Any]) -> PlanRecord:
    return PlanRecord(
        id=row.id,
        export_id=row.export_id,
        run_id=row.run_id,
        folder=row.folder,
        sha256=row.sha256,
        basis=row.basis,
        summary=row.summary,
        created_at=row.created_at,
    )
