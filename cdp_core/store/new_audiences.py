"""Audiences that were asked for: written down before the service is asked, since it takes no idempotency key.

A lost answer, or a process that died before its export was kept, leaves an entry; whoever asks for the
same name on the same connection again finds it, and with its marker what the service may have made.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select, update

from cdp_core.store.database import Repository
from cdp_core.store.tables import new_audiences


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """An audience that is asked for. `marker` stands in its description at the service."""

    marker: str
    connection_id: str
    name: str
    retention_in_days: int | None
    requested_by: str
    requested_at: datetime


class NewAudiences(Repository):
    def find(self, connection_id: str, name: str) -> Wish | None:
        """What was asked for under that name and no export has yet."""
        this = (new_audiences.c.connection_id == connection_id) & (new_audiences.c.name == name)
        with self._database.read() as connection:
            row = connection.execute(select(new_audiences).where(this)).one_or_none()
        return None if row is None else Wish(**row._mapping)

    def keep(self, wish: Wish) -> None:
        values = {name: getattr(wish, name) for name in Wish.__dataclass_fields__}
        with self._database.write() as connection:
            connection.execute(insert(new_audiences).values(**values))

    def amend(self, wish: Wish) -> None:
        """What is asked for has changed before it was made."""
        this = update(new_audiences).where(new_audiences.c.marker == wish.marker)
        with self._database.write() as connection:
            connection.execute(this.values(retention_in_days=wish.retention_in_days))

    def forget(self, marker: str) -> None:
        """An export has it now, or the service has refused to make it."""
        with self._database.write() as connection:
            connection.execute(delete(new_audiences).where(new_audiences.c.marker == marker))
