"""Alerts as they are kept, and how each export stood when the last of them was sent."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from cdp_core.model.alert import Alert, AlertKind, Standing
from cdp_core.store.database import Repository
from cdp_core.store.tables import alert_standings, alerts


class Alerts(Repository):
    def standing(self, export_id: str) -> Standing:
        query = select(alert_standings).where(alert_standings.c.export_id == export_id)
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return Standing() if row is None else Standing(trouble=row.trouble, unusual=row.unusual)

    def record(self, export_id: str, standing: Standing, told: Iterable[Alert]) -> None:
        """How the export stands, and what is to be told of it, in one transaction."""
        with self._database.write() as connection:
            connection.execute(delete(alert_standings).where(alert_standings.c.export_id == export_id))
            values = dataclasses.asdict(standing)
            connection.execute(insert(alert_standings).values(export_id=export_id, **values))
            for alert in told:
                kept = dataclasses.asdict(alert) | {"kind": str(alert.kind), "waiting": list(alert.waiting)}
                connection.execute(insert(alerts).values(**kept))

    def waiting(self, *, since: datetime) -> tuple[Alert, ...]:
        """Those that have still to be sent by some way, the oldest first."""
        query = select(alerts).where(alerts.c.at >= since).order_by(alerts.c.at, alerts.c.id)
        with self._database.read() as connection:
            found = map(_alert, connection.execute(query).all())
        return tuple(alert for alert in found if alert.waiting)

    def sent(self, alert_id: str, way: str) -> None:
        """By this way it has not to be sent any more; what was said of the others meanwhile stays."""
        its = alerts.c.id == alert_id
        with self._database.write() as connection:
            waiting = connection.execute(select(alerts.c.waiting).where(its).with_for_update()).scalar_one()
            left = [each for each in waiting if each != way]
            connection.execute(update(alerts).where(its).values(waiting=left))

    def newest(self, limit: int) -> tuple[Alert, ...]:
        query = select(alerts).order_by(alerts.c.at.desc(), alerts.c.id).limit(limit)
        with self._database.read() as connection:
            return tuple(map(_alert, connection.execute(query).all()))


def _alert(row: Row[Any]) -> Alert:
    kept = dict(row._mapping)
    return Alert(**kept | {"kind": AlertKind(row.kind), "waiting": tuple(row.waiting)})
