"""Which roles each person and each group has been granted, and what that makes of somebody who acts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Row, and_, delete, insert, or_, select

from cdp_core.errors import Code, InvalidFault
from cdp_core.model.access import Actor, Grant
from cdp_core.store import logins
from cdp_core.store.database import Repository
from cdp_core.store.tables import grants


class Grants(Repository):
    def grant(self, person: str, role: str, *, by: str, at: datetime | None = None) -> None:
        """Give a person a role for the whole workspace; see `give`."""
        self.give(Grant(holder=person, role=role), by=by, at=at)

    def give(self, given: Grant, *, by: str, at: datetime | None = None) -> None:
        """What the holder has already stays as it was granted first."""
        with self._database.write() as connection:
            if connection.scalar(select(grants.c.role).where(_is(given))) is None:
                values = {
                    "holder_kind": given.holder_kind,
                    "holder": given.holder,
                    "role": given.role,
                    "scope": given.scope,
                    "about": given.about,
                    "granted_by": by,
                }
                connection.execute(insert(grants).values(**values, granted_at=at or self._database.now()))

    def revoke(self, person: str, role: str) -> None:
        self.take(Grant(holder=person, role=role))

    def take(self, taken: Grant) -> None:
        """Raises `InvalidFault` where there is no such grant."""
        with self._database.write() as connection:
            if not connection.execute(delete(grants).where(_is(taken))).rowcount:
                raise InvalidFault(
                    Code.NOT_FOUND,
                    f"{taken.holder} does not have the role {taken.role!r}",
                    hint="see `cdp role list`",
                )

    def has(self, asked: Grant) -> bool:
        """Whether just this was granted."""
        with self._database.read() as connection:
            return connection.scalar(select(grants.c.role).where(_is(asked))) is not None

    def of(self, person: str) -> frozenset[str]:
        """The roles of a person in the whole workspace, their own and those of their groups."""
        return self.actor(person).roles

    def actor(self, person: str, *, real: str | None = None) -> Actor:
        """The person with what is granted to them and to their groups today; `real` is who sits at the
        keyboard, where that is somebody else."""
        held = self._held(person)
        return Actor(
            name=person,
            real=real or person,
            roles=frozenset(grant.role for grant in held if grant.scope == "workspace"),
            grants=held,
        )

    def _held(self, person: str) -> tuple[Grant, ...]:
        theirs = and_(grants.c.holder_kind == "person", grants.c.holder == person)
        query = select(grants).where(or_(theirs, grants.c.holder_kind == "group"))
        with self._database.read() as connection:
            found = [_grant(row) for row in connection.execute(query.order_by(*_ORDER))]
        if all(grant.holder_kind == "person" for grant in found):
            return tuple(found)
        # A directory may take its time: it is asked only where a group has been granted something.
        groups = logins.groups_of(person)
        return tuple(grant for grant in found if grant.holder_kind == "person" or grant.holder in groups)

    def every(self) -> tuple[Grant, ...]:
        """All grants there are; people before groups, by name."""
        with self._database.read() as connection:
            return tuple(_grant(row) for row in connection.execute(select(grants).order_by(*_ORDER)))

    def forget(self, scope: str, about: str) -> None:
        """Take back what was granted for a connection or a segment alone, which is no more."""
        with self._database.write() as connection:
            connection.execute(delete(grants).where(grants.c.scope == scope, grants.c.about == about))

    def all(self) -> dict[str, frozenset[str]]:
        """The roles that people themselves have in the whole workspace, by person."""
        held: dict[str, set[str]] = {}
        for grant in self.every():
            if grant.holder_kind == "person" and grant.scope == "workspace":
                held.setdefault(grant.holder, set()).add(grant.role)
        return {person: frozenset(roles) for person, roles in held.items()}


_ORDER = (grants.c.holder_kind.desc(), grants.c.holder, grants.c.scope.desc(), grants.c.role, grants.c.about)


def _is(grant: Grant) -> ColumnElement[bool]:
    return and_(
        grants.c.holder_kind == grant.holder_kind,
        grants.c.holder == grant.holder,
        grants.c.role == grant.role,
        grants.c.scope == grant.scope,
        grants.c.about == grant.about,
    )


def _grant(row: Row[tuple[object, ...]]) -> Grant:
    return Grant(
        holder=row.holder, role=row.role, holder_kind=row.holder_kind, scope=row.scope, about=row.about
    )
