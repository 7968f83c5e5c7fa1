"""Which roles each person has been granted."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, insert, select

from cdp_core.errors import Code, InvalidFault
from cdp_core.store.database import Repository
from cdp_core.store.tables import grants


class Grants(Repository):
    def grant(self, person: str, role: str, *, by: str, at: datetime | None = None) -> None:
        """A role that the person has already stays as it was granted first."""
        with self._database.write() as connection:
            had = select(grants.c.role).where(grants.c.person == person, grants.c.role == role)
            if connection.scalar(had) is None:
                values = {"person": person, "role": role, "granted_by": by}
                connection.execute(insert(grants).values(**values, granted_at=at or self._database.now()))

    def revoke(self, person: str, role: str) -> None:
        with self._database.write() as connection:
            had = delete(grants).where(grants.c.person == person, grants.c.role == role)
            if not connection.execute(had).rowcount:
                raise InvalidFault(
                    Code.NOT_FOUND, f"{person} does not have the role {role!r}", hint="see `cdp role list`"
                )

    def of(self, person: str) -> frozenset[str]:
        with self._database.read() as connection:
            return frozenset(connection.scalars(select(grants.c.role).where(grants.c.person == person)))

    def all(self) -> dict[str, frozenset[str]]:
        """The roles of each person who has any, by person."""
        held: dict[str, set[str]] = {}
        with self._database.read() as connection:
            for row in connection.execute(select(grants).order_by(grants.c.person)):
                held.setdefault(row.person, set()).add(row.role)
        return {person: frozenset(roles) for person, roles in held.items()}
