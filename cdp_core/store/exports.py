"""Exports as they are kept, with the segments that they are of, in their order."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, Select, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from cdp_core.model.configuration import Export, Match
from cdp_core.model.policy import Policy
from cdp_core.store.database import Repository
from cdp_core.store.naming import gone, missing, taken
from cdp_core.store.tables import connections, export_segments, exports, segments


class Exports(Repository):
    def add(self, export: Export) -> None:
        with self._database.write() as connection:
            _require_parts(connection, export)
            created_at = export.created_at or self._database.now()
            try:
                connection.execute(insert(exports).values(**_values(export), created_at=created_at))
            except IntegrityError:
                raise taken("export", export.name) from None
            _write_segments(connection, export)

    def update(self, export: Export) -> None:
        """Replace everything but the id and the moment of creation."""
        with self._database.write() as connection:
            _require_parts(connection, export)
            change = update(exports).where(exports.c.id == export.id).values(**_values(export))
            try:
                found = connection.execute(change).rowcount
            except IntegrityError:
                raise taken("export", export.name) from None
            if not found:
                raise gone("export", export.id)
            connection.execute(delete(export_segments).where(export_segments.c.export_id == export.id))
            _write_segments(connection, export)

    def get(self, name: str) -> Export:
        """The export of that name; raises `InvalidFault` with the names that are near."""
        with self._database.read() as connection:
            found = _exports(connection, select(exports).where(exports.c.name == name))
            if not found:
                raise missing("export", name, connection.scalars(select(exports.c.name)))
        return found[0]

    def by_id(self, export_id: str) -> Export:
        with self._database.read() as connection:
            found = _exports(connection, select(exports).where(exports.c.id == export_id))
        if not found:
            raise gone("export", export_id)
        return found[0]

    def all(self) -> tuple[Export, ...]:
        """By name."""
        with self._database.read() as connection:
            return _exports(connection, select(exports).order_by(exports.c.name))

    def remove(self, export_id: str) -> None:
        """The configuration goes; plans, runs and their history stay."""
        with self._database.write() as connection:
            connection.execute(delete(exports).where(exports.c.id == export_id))


def _require_parts(connection: Connection, export: Export) -> None:
    """What an export refers to must be there: the database would say so, but not which one is missing."""
    if export.connection_id is not None:
        found = select(connections.c.id).where(connections.c.id == export.connection_id)
        if connection.scalar(found) is None:
            raise gone("connection", export.connection_id)
    known = set(connection.scalars(select(segments.c.id).where(segments.c.id.in_(export.segment_ids))))
    for segment_id in export.segment_ids:
        if segment_id not in known:
            raise gone("segment", segment_id)


def _write_segments(connection: Connection, export: Export) -> None:
    rows = [
        {"export_id": export.id, "position": position, "segment_id": segment_id}
        for position, segment_id in enumerate(dict.fromkeys(export.segment_ids))
    ]
    if rows:
        connection.execute(insert(export_segments), rows)


def _exports(connection: Connection, query: Select[Any]) -> tuple[Export, ...]:
    rows = connection.execute(query).all()
    of = select(export_segments).order_by(export_segments.c.position)
    members: dict[str, list[str]] = {}
    for row in connection.execute(of.where(export_segments.c.export_id.in_([row.id for row in rows]))):
        members.setdefault(row.export_id, []).append(row.segment_id)
    return tuple(_export(row, members.get(row.id, [])) for row in rows)


def _values(export: Export) -> dict[str, Any]:
    return {
        "id": export.id,
        "name": export.name,
        "destination": export.destination,
        "connection_id": export.connection_id,
        "settings": dict(export.settings),
        "matching": [[match.kind, match.field] for match in export.matching],
        "policy": export.policy.as_dict(),
        "grouped_as": export.group,
        "created_by": export.created_by,
    }


def _export(row: Row[Any], segment_ids: list[str]) -> Export:
    return Export(
        id=row.id,
        name=row.name,
        destination=row.destination,
        connection_id=row.connection_id,
        settings=row.settings,
        matching=tuple(Match(kind=kind, field=field) for kind, field in row.matching),
        segment_ids=tuple(segment_ids),
        policy=Policy.from_dict(row.policy),
        group=row.grouped_as,
        created_by=row.created_by,
        created_at=row.created_at,
    )
