"""Segments as they are kept."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from cdp_core.errors import Code, InvalidFault
from cdp_core.model.configuration import KeptResult, Segment
from cdp_core.store.database import Repository
from cdp_core.store.naming import gone, missing, taken
from cdp_core.store.tables import export_segments, exports, segments


class Segments(Repository):
    def add(self, segment: Segment) -> None:
        with self._database.write() as connection:
            try:
                connection.execute(
                    insert(segments).values(
                        id=segment.id,
                        name=segment.name,
                        condition=segment.where,
                        sql=segment.sql,
                        created_by=segment.created_by,
                        created_at=segment.created_at or self._database.now(),
                        active=segment.active,
                        kept=_kept(segment.kept),
                    )
                )
            except IntegrityError:
                raise taken("segment", segment.name) from None

    def get(self, name: str) -> Segment:
        """The segment of that name; raises `InvalidFault` with the names that are near."""
        with self._database.read() as connection:
            row = connection.execute(select(segments).where(segments.c.name == name)).one_or_none()
            if row is None:
                raise missing("segment", name, connection.scalars(select(segments.c.name)))
        return _segment(row)

    def by_id(self, segment_id: str) -> Segment:
        with self._database.read() as connection:
            row = connection.execute(select(segments).where(segments.c.id == segment_id)).one_or_none()
        if row is None:
            raise gone("segment", segment_id)
        return _segment(row)

    def all(self) -> tuple[Segment, ...]:
        """By name."""
        with self._database.read() as connection:
            rows = connection.execute(select(segments).order_by(segments.c.name)).all()
        return tuple(_segment(row) for row in rows)

    def update(self, segment: Segment) -> None:
        """Replace the query and what a static one keeps."""
        with self._database.write() as connection:
            its = update(segments).where(segments.c.id == segment.id)
            changed = its.values(condition=segment.where, sql=segment.sql, kept=_kept(segment.kept))
            if not connection.execute(changed).rowcount:
                raise gone("segment", segment.id)

    def switch(self, segment_id: str, *, active: bool) -> None:
        with self._database.write() as connection:
            its = update(segments).where(segments.c.id == segment_id)
            connection.execute(its.values(active=active))

    def keep(self, segment_id: str, result: KeptResult) -> None:
        """From now on a static segment's members are those of this result."""
        with self._database.write() as connection:
            its = update(segments).where(segments.c.id == segment_id)
            connection.execute(its.values(kept=_kept(result)))

    def dependents(self, segment_id: str) -> tuple[str, ...]:
        """Names of the exports that use it."""
        with self._database.read() as connection:
            return _dependents(connection, segment_id)

    def remove(self, segment_id: str) -> None:
        """Raises `InvalidFault` while an export uses it."""
        with self._database.write() as connection:
            if users := _dependents(connection, segment_id):
                raise InvalidFault(
                    Code.IN_USE,
                    f"the segment is used by: {', '.join(users)}",
                    hint="edit or remove these exports first",
                )
            connection.execute(delete(segments).where(segments.c.id == segment_id))


def _dependents(connection: Connection, segment_id: str) -> tuple[str, ...]:
    found = (
        select(exports.c.name)
        .join(export_segments, export_segments.c.export_id == exports.c.id)
        .where(export_segments.c.segment_id == segment_id)
        .order_by(exports.c.name)
    )
    return tuple(connection.scalars(found))


def _segment(row: Row[Any]) -> Segment:
    return Segment(
        id=row.id,
        name=row.name,
        where=row.condition,
        sql=row.sql,
        created_by=row.created_by,
        created_at=row.created_at,
        active=row.active,
        kept=_result(row.kept),
    )


def _kept(result: KeptResult | None) -> dict[str, Any] | None:
    return None if result is None else {**dataclasses.asdict(result), "at": result.at.isoformat()}


def _result(kept: dict[str, Any] | None) -> KeptResult | None:
    return None if kept is None else KeptResult(**kept | {"at": datetime.fromisoformat(kept["at"])})
