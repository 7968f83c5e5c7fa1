"""Digests that the service refused when they stood alone, until it takes them or nobody wants them."""

from __future__ import annotations

import dataclasses

from sqlalchemy import ColumnElement, and_, delete, func, insert, select

from cdp_core.model.delivery import AudienceKey, Operation
from cdp_core.model.journal import DeadLetter, DeadLetterChange
from cdp_core.store.database import Repository
from cdp_core.store.tables import dead_letters, exports


class DeadLetters(Repository):
    def of(self, audience: AudienceKey, export_id: str) -> tuple[DeadLetter, ...]:
        """An export's for its audience, in the order of their digests."""
        query = select(dead_letters).where(_of(audience, export_id)).order_by(dead_letters.c.digest)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return tuple(
            DeadLetter(
                operation=Operation(row.operation),
                kind=row.kind,
                digest=row.digest,
                reason=row.reason,
                request_id=row.request_id,
                http_status=row.http_status,
                run_id=row.run_id,
                at=row.at,
            )
            for row in rows
        )

    def change(self, audience: AudienceKey, export_id: str, change: DeadLetterChange) -> None:
        """Take over what a run made of them. An export that was removed meanwhile has none any more."""
        kept = {_key(letter): letter for letter in self.of(audience, export_id)}
        after = {
            key: letter for key, letter in kept.items() if change.waiting is None or key in change.waiting
        }
        after |= {_key(letter): letter for letter in change.refused}
        if after == kept:
            return
        about = dataclasses.asdict(audience) | {"export_id": export_id}
        rows = [
            about | dataclasses.asdict(letter) | {"operation": str(letter.operation)}
            for letter in after.values()
        ]
        with self._database.write() as connection:
            connection.execute(delete(dead_letters).where(_of(audience, export_id)))
            known = connection.scalar(select(exports.c.id).where(exports.c.id == export_id))
            if rows and known:
                connection.execute(insert(dead_letters), rows)

    def number(self, audience: AudienceKey, kind: str, digest: bytes) -> int:
        """How many there are of a digest."""
        its = and_(_at(audience), dead_letters.c.kind == kind, dead_letters.c.digest == digest)
        with self._database.read() as connection:
            return connection.scalar(select(func.count()).select_from(dead_letters).where(its)) or 0

    def forget(self, audience: AudienceKey, kind: str, digest: bytes) -> int:
        """Nothing of a digest is kept, whatever export it was refused for; how many there were."""
        its = and_(_at(audience), dead_letters.c.kind == kind, dead_letters.c.digest == digest)
        with self._database.write() as connection:
            return connection.execute(delete(dead_letters).where(its)).rowcount


def _key(letter: DeadLetter) -> tuple[Operation, str, bytes]:
    return letter.operation, letter.kind, letter.digest


def _of(audience: AudienceKey, export_id: str) -> ColumnElement[bool]:
    return and_(_at(audience), dead_letters.c.export_id == export_id)


def _at(audience: AudienceKey) -> ColumnElement[bool]:
    return and_(
        dead_letters.c.destination == audience.destination,
        dead_letters.c.origin == audience.origin,
        dead_letters.c.audience_id == audience.audience_id,
    )
