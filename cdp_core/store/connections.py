"""Connections as they are kept: settings and references to secrets, never a secret."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from cdp_core.errors import Code, InvalidFault
from cdp_core.model.configuration import Connection, ConnectionStatus, Export
from cdp_core.model.names import as_typed
from cdp_core.store.database import Database, Repository
from cdp_core.store.exports import Exports
from cdp_core.store.naming import gone, missing, taken
from cdp_core.store.tables import connections


class Connections(Repository):
    def __init__(self, database: Database, exports: Exports) -> None:
        super().__init__(database)
        self._exports = exports

    def add(self, kept: Connection) -> None:
        with self._database.write() as connection:
            created_at = kept.created_at or self._database.now()
            try:
                connection.execute(insert(connections).values(**_values(kept), created_at=created_at))
            except IntegrityError:
                raise taken("connection", kept.name) from None

    def update(self, kept: Connection) -> None:
        """Replace everything but the id and the moment of creation."""
        with self._database.write() as connection:
            change = update(connections).where(connections.c.id == kept.id).values(**_values(kept))
            try:
                found = connection.execute(change).rowcount
            except IntegrityError:
                raise taken("connection", kept.name) from None
            if not found:
                raise gone("connection", kept.id)

    def get(self, name: str) -> Connection:
        """The connection of that name; raises `InvalidFault` with the names that are near."""
        with self._database.read() as connection:
            row = connection.execute(select(connections).where(connections.c.name == name)).one_or_none()
            if row is None:
                raise missing("connection", name, connection.scalars(select(connections.c.name)))
        return _connection(row)

    def by_id(self, connection_id: str) -> Connection:
        with self._database.read() as connection:
            found = select(connections).where(connections.c.id == connection_id)
            row = connection.execute(found).one_or_none()
        if row is None:
            raise gone("connection", connection_id)
        return _connection(row)

    def all(self) -> tuple[Connection, ...]:
        """By name."""
        with self._database.read() as connection:
            rows = connection.execute(select(connections).order_by(connections.c.name)).all()
        return tuple(_connection(row) for row in rows)

    def exports_of(self, connection_id: str) -> tuple[Export, ...]:
        """The exports that go over it, by name."""
        return tuple(export for export in self._exports.all() if export.connection_id == connection_id)

    def remove(self, connection_id: str) -> None:
        """Raises `InvalidFault` while an export uses it. What was agreed to for it stays on record."""
        with self._database.write() as connection:
            if users := [export.name for export in self.exports_of(connection_id)]:
                raise InvalidFault(
                    Code.IN_USE,
                    f"the connection is used by: {', '.join(users)}",
                    hint=f"cdp export detach {as_typed(users[0])}, or cdp export remove",
                )
            connection.execute(delete(connections).where(connections.c.id == connection_id))


def _values(kept: Connection) -> dict[str, Any]:
    return {
        "id": kept.id,
        "name": kept.name,
        "type": kept.type,
        "settings": dict(kept.settings),
        "shared_with": sorted(kept.shared_with),
        "status": str(kept.status),
        "identity": dict(kept.identity),
        "export_user": kept.export_user,
        "created_by": kept.created_by,
        "authenticated_at": kept.authenticated_at,
    }


def _connection(row: Row[Any]) -> Connection:
    return Connection(
        id=row.id,
        name=row.name,
        type=row.type,
        settings=row.settings,
        shared_with=frozenset(row.shared_with),
        status=ConnectionStatus(row.status),
        identity=row.identity,
        export_user=row.export_user,
        created_by=row.created_by,
        created_at=row.created_at,
        authenticated_at=row.authenticated_at,
    )
