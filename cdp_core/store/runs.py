"""Runs as the history keeps them, and which of them left something for the next one to settle."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, insert, not_, or_, select, true, update

from cdp_core.errors import CdpError, Code, InternalFault, InvalidFault
from cdp_core.model import sentence
from cdp_core.model.accounting import DeliveryCounts, KindCounts
from cdp_core.model.delivery import Audience, AudienceKey
from cdp_core.model.run import Run, RunStatus
from cdp_core.store.database import Repository
from cdp_core.store.tables import batches, runs

_FINAL = [str(status) for status in RunStatus if status.is_final]


class Runs(Repository):
    def start(self, run: Run, *, audience: AudienceKey | None = None, fence: int | None = None) -> None:
        """Write a run down. `fence` is that of the lease under which it works on the audience: once
        somebody else has taken the lease, the run's journal takes nothing more."""
        about = {} if audience is None else dataclasses.asdict(audience)
        with self._database.write() as connection:
            connection.execute(insert(runs).values(**_values(run), **about, fence=fence))

    def save(self, run: Run) -> None:
        """Replace what is known of it. That it was settled stays, though a run that was taken for dead and
        wakes up does not know."""
        with self._database.write() as connection:
            if not connection.execute(
                update(runs).where(runs.c.id == run.id).values(**_values(run))
            ).rowcount:
                raise InternalFault(Code.UNEXPECTED, f"run {run.id} was never started")

    def note_fault(self, run_id: str, fault: CdpError) -> None:
        """Why a run goes no further, where it has not ended: the next one settles it, and keeps that."""
        told = {"error_code": str(fault.code), "error": fault.message, "error_hint": fault.hint}
        open_still = and_(runs.c.id == run_id, runs.c.ended_at.is_(None), runs.c.settled_by.is_(None))
        with self._database.write() as connection:
            connection.execute(update(runs).where(open_still).values(**told))

    def get(self, run_id: str) -> Run:
        """The run of that id, or the only one whose id begins so."""
        begins = runs.c.id.startswith(run_id, autoescape=True)
        with self._database.read() as connection:
            rows = connection.execute(select(runs).where(begins).order_by(runs.c.id).limit(10)).all()
        for row in rows:
            if len(rows) == 1 or row.id == run_id:
                return _run(row)
        if rows:
            hint = "it could be any of: " + ", ".join(row.id for row in rows)
        else:
            hint = "cdp export history NAME shows the runs that an export has"
        raise InvalidFault(Code.NOT_FOUND, f"there is no single run {run_id!r}", hint=hint)

    def of_export(self, export_id: str, limit: int = 20) -> tuple[Run, ...]:
        """The newest first."""
        return self._newest(runs.c.export_id == export_id, limit)

    def of_name(self, export_name: str, limit: int = 20) -> tuple[Run, ...]:
        """The runs of exports that had that name when they ran, the newest first."""
        return self._newest(runs.c.export_name == export_name, limit)

    def all(self, limit: int = 20) -> tuple[Run, ...]:
        """The newest first."""
        return self._newest(true(), limit)

    def search(
        self,
        *,
        export_id: str | None = None,
        export_name: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        statuses: Collection[RunStatus] = (),
        limit: int = 20,
    ) -> tuple[Run, ...]:
        """The newest runs that began in the time and ended so, of an export or of all, the newest first.

        Those that have not ended are among them whatever the statuses: how they stand is not known here.
        """
        which = [
            *([runs.c.export_id == export_id] if export_id is not None else []),
            *([runs.c.export_name == export_name] if export_name is not None else []),
            *([runs.c.started_at >= since] if since is not None else []),
            *([runs.c.started_at < until] if until is not None else []),
        ]
        if not statuses:
            return self._newest(and_(true(), *which), limit)
        open_ones = select(runs).where(runs.c.ended_at.is_(None), *which)
        with self._database.read() as connection:
            found = [_run(row) for row in connection.execute(open_ones).all()]
        wanted = runs.c.status.in_([str(status) for status in statuses])
        found += self._newest(and_(runs.c.ended_at.is_not(None), wanted, *which), limit)
        return tuple(sorted(found, key=lambda run: (run.started_at, run.id), reverse=True))

    def went_through(self, export_id: str, *, since: datetime) -> Run | None:
        """The newest run of an export that began after a moment and was committed; None where none was."""
        committed = and_(
            runs.c.export_id == export_id,
            runs.c.started_at > since,
            runs.c.status == str(RunStatus.COMMITTED),
        )
        return next(iter(self._newest(committed, 1)), None)

    def known(self, ids: Iterable[str]) -> frozenset[str]:
        """Those of the ids that are a run's."""
        with self._database.read() as connection:
            return frozenset(connection.scalars(select(runs.c.id).where(runs.c.id.in_(tuple(ids)))))

    def unfinished(self, audience: AudienceKey, *, besides: str = "") -> tuple[Run, ...]:
        """Runs that took the audience's lease and did not get as far as the ledger, the oldest first.

        Also one that says of itself that it has ended: what it has journaled is in no ledger yet.
        `besides` is the run that asks.
        """
        query = select(runs).where(_unsettled(audience), runs.c.id != besides)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(runs.c.started_at, runs.c.id)).all()
        return tuple(_run(row) for row in rows)

    def committed(self, audience: AudienceKey) -> tuple[Run, ...]:
        """The runs whose receipts are in the audience's ledger, in the order in which they came into it."""
        of = and_(
            runs.c.destination == audience.destination,
            runs.c.origin == audience.origin,
            runs.c.audience_id == audience.audience_id,
            runs.c.ledger_version > 0,
        )
        with self._database.read() as connection:
            rows = connection.execute(select(runs).where(of).order_by(runs.c.ledger_version)).all()
        return tuple(_run(row) for row in rows)

    def of_plan(self, plan_id: str) -> tuple[Run, ...]:
        """The run that made the plan, and those that were to deliver it, the newest first."""
        return self._newest(runs.c.plan_id == plan_id, 100)

    def waiting(self, export_id: str | None = None) -> tuple[Run, ...]:
        """Those whose plans wait for approval, the oldest first; of one export, or of all."""
        query = select(runs).where(runs.c.status == str(RunStatus.WAITING))
        if export_id is not None:
            query = query.where(runs.c.export_id == export_id)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(runs.c.started_at, runs.c.id)).all()
        return tuple(_run(row) for row in rows)

    def on(self, audience: AudienceKey) -> tuple[Run, ...]:
        """All runs that were about an audience, the oldest first."""
        of = and_(
            runs.c.destination == audience.destination,
            runs.c.origin == audience.origin,
            runs.c.audience_id == audience.audience_id,
        )
        with self._database.read() as connection:
            rows = connection.execute(select(runs).where(of).order_by(runs.c.started_at, runs.c.id)).all()
        return tuple(_run(row) for row in rows)

    def audiences(self) -> tuple[AudienceKey, ...]:
        """Every audience that a run was about, whether an export has it still or not."""
        query = select(runs.c.destination, runs.c.origin, runs.c.audience_id).distinct()
        with self._database.read() as connection:
            rows = connection.execute(query.where(runs.c.audience_id.is_not(None))).all()
        return tuple(sorted(AudienceKey(*row) for row in rows))

    def _newest(self, which: ColumnElement[bool], limit: int) -> tuple[Run, ...]:
        query = select(runs).where(which).order_by(runs.c.started_at.desc(), runs.c.id.desc()).limit(limit)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return tuple(_run(row) for row in rows)


def _unsettled(audience: AudienceKey) -> ColumnElement[bool]:
    left_as_plan = and_(runs.c.status == str(RunStatus.PLANNED), runs.c.ended_at.is_not(None))
    journaled = select(batches.c.run_id).where(batches.c.run_id == runs.c.id).exists()
    return and_(
        runs.c.destination == audience.destination,
        runs.c.origin == audience.origin,
        runs.c.audience_id == audience.audience_id,
        runs.c.settled_by.is_(None),
        runs.c.ledger_version.is_(None),
        or_(and_(runs.c.status.not_in(_FINAL), not_(left_as_plan), runs.c.fence.is_not(None)), journaled),
    )


def _values(run: Run) -> dict[str, Any]:
    values = {
        "id": run.id,
        "export_id": run.export_id,
        "export_name": run.export_name,
        "status": str(run.status),
        "actor": run.actor,
        "dry_run": run.dry_run,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "plan_id": run.plan_id,
        "kinds": {kind: counts.as_dict() for kind, counts in run.kinds.items()},
        "members": run.members,
        "profiles": run.profiles,
        "delivered": run.delivered.as_dict(),
        "audience": None if run.audience is None else _kept(run.audience),
        "seconds": run.seconds,
        "resumed_from": run.resumed_from,
        "error_code": run.error_code,
        "error": run.error,
        "error_hint": run.error_hint,
        "drift": [sentence.kept(each) for each in run.drift],
        "skipped": sentence.kept(run.skipped_because) if run.skipped_because else None,
    }
    return values if run.settled_by is None else {**values, "settled_by": run.settled_by}


def _run(row: Row[Any]) -> Run:
    return Run(
        id=row.id,
        export_id=row.export_id,
        export_name=row.export_name,
        status=RunStatus(row.status),
        actor=row.actor,
        started_at=row.started_at,
        dry_run=row.dry_run,
        ended_at=row.ended_at,
        plan_id=row.plan_id,
        kinds={kind: KindCounts(**counts) for kind, counts in row.kinds.items()},
        members=row.members,
        profiles=row.profiles,
        delivered=DeliveryCounts(**row.delivered),
        audience=None if row.audience is None else _audience(row.audience),
        seconds=row.seconds,
        resumed_from=row.resumed_from,
        settled_by=row.settled_by,
        error_code=row.error_code,
        error=row.error,
        error_hint=row.error_hint,
        drift=tuple(map(sentence.from_kept, row.drift or ())),
        skipped_because=sentence.from_kept(row.skipped or ""),
        claims=row.claims,
        held=row.held,
    )


def _kept(audience: Audience) -> dict[str, Any]:
    created = audience.created_at
    return dataclasses.asdict(audience) | {
        "created_at": None if created is None else created.isoformat(),
        "warning": sentence.kept(audience.warning),
    }


def _audience(kept: dict[str, Any]) -> Audience:
    """The inverse of `_kept`; what earlier versions have kept has fewer fields."""
    created = kept.get("created_at")
    return Audience(
        **kept
        | {
            "created_at": None if created is None else datetime.fromisoformat(created),
            "warning": sentence.from_kept(kept.get("warning", "")),
        }
    )
