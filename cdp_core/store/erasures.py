"""Erasures and what came of each claim that they end: the receipts."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, insert, select, true, update

from cdp_core.errors import Code, InvalidFault
from cdp_core.model.delivery import AudienceKey
from cdp_core.model.erasure import Erasure, Forgotten, Identifier, Removal
from cdp_core.store.database import Repository
from cdp_core.store.tables import erasure_removals, erasures

_OF_A_CLAIM = ("export_id", "kind", "digest", "confirmed", "tries", "run_id", "batch", "request_id")
_OF_ITS_ANSWER = ("http_status", "message", "sent_at", "answered_at")


class Erasures(Repository):
    def add(self, erasure: Erasure) -> None:
        with self._database.write() as connection:
            connection.execute(
                insert(erasures).values(
                    id=erasure.id,
                    kind=erasure.given.kind,
                    digest=erasure.given.digest,
                    identifiers=[[each.kind, each.digest.hex()] for each in erasure.identifiers],
                    not_found=list(erasure.not_found),
                    row_keys=[key.hex() for key in erasure.keys],
                    secret=erasure.secret,
                    pending=[dataclasses.astuple(each) for each in erasure.pending],
                    note=erasure.note,
                    asked_by=erasure.asked_by,
                    asked_at=erasure.asked_at,
                    ended_at=erasure.ended_at,
                    forgotten=erasure.forgotten.as_dict(),
                )
            )

    def get(self, erasure_id: str) -> Erasure:
        """The one of that id, or the only one whose id begins so."""
        begins = erasures.c.id.startswith(erasure_id, autoescape=True)
        with self._database.read() as connection:
            rows = connection.execute(select(erasures).where(begins).order_by(erasures.c.id).limit(10)).all()
            for row in rows:
                if len(rows) == 1 or row.id == erasure_id:
                    return _erasure(connection, row)
        hint = f"it could be any of: {', '.join(row.id for row in rows)}" if rows else "cdp erase list"
        raise InvalidFault(Code.NOT_FOUND, f"there is no single receipt {erasure_id!r}", hint=hint)

    def of(self, given: Identifier) -> tuple[Erasure, ...]:
        """Those that were asked for by this identifier, the newest first."""
        its = and_(erasures.c.kind == given.kind, erasures.c.digest == given.digest)
        return self._found(its)

    def open(self) -> tuple[Erasure, ...]:
        """Those that have not ended, the oldest first."""
        return self._found(erasures.c.ended_at.is_(None))[::-1]

    def newest(self, limit: int) -> tuple[Erasure, ...]:
        return self._found(true(), limit)

    def tell(self, erasure_id: str, removals: Iterable[Removal]) -> None:
        """Write down what came of claims, in the place of what was known of each."""
        table = erasure_removals.c
        with self._database.write() as connection:
            for each in removals:
                audience = dataclasses.asdict(each.audience)
                about = {"erasure_id": erasure_id, **audience}
                about |= {name: getattr(each, name) for name in ("export_id", "kind", "digest")}
                this = and_(*(table[name] == value for name, value in about.items()))
                connection.execute(delete(erasure_removals).where(this))
                known = {name: getattr(each, name) for name in (*_OF_A_CLAIM, *_OF_ITS_ANSWER)}
                connection.execute(insert(erasure_removals).values(**about | known, export_name=each.export))

    def forgot(self, erasure_id: str, more: Forgotten) -> None:
        """Count what the workspace keeps no more."""
        its = erasures.c.id == erasure_id
        with self._database.write() as connection:
            before = connection.scalar(select(erasures.c.forgotten).where(its)) or {}
            after = Forgotten(**before) + more
            connection.execute(update(erasures).where(its).values(forgotten=after.as_dict()))

    def widen(self, before: Erasure, now: Erasure) -> None:
        """The same person is asked for once more: what has been found since counts too, everywhere."""
        identifiers = {*before.identifiers, *now.identifiers}
        with self._database.write() as connection:
            connection.execute(
                update(erasures)
                .where(erasures.c.id == before.id)
                .values(
                    identifiers=sorted([each.kind, each.digest.hex()] for each in identifiers),
                    not_found=sorted(
                        {*before.not_found, *now.not_found} - {each.kind for each in identifiers}
                    ),
                    row_keys=sorted(key.hex() for key in {*before.keys, *now.keys}),
                    pending=[dataclasses.astuple(each) for each in {*before.pending, *now.pending}],
                )
            )

    def done_at(self, erasure_id: str, audience: AudienceKey) -> None:
        """Nothing is left to do at that audience."""
        its = erasures.c.id == erasure_id
        with self._database.write() as connection:
            before = connection.scalar(select(erasures.c.pending).where(its)) or []
            after = [each for each in before if AudienceKey(*each) != audience]
            connection.execute(update(erasures).where(its).values(pending=after))

    def end(self, erasure_id: str, at: datetime) -> None:
        """Nothing is left to do; what would lead back to what was taken away goes."""
        with self._database.write() as connection:
            connection.execute(
                update(erasures)
                .where(erasures.c.id == erasure_id, erasures.c.ended_at.is_(None))
                .values(ended_at=at, row_keys=[], secret=b"")
            )

    def _found(self, which: ColumnElement[bool], limit: int | None = None) -> tuple[Erasure, ...]:
        query = select(erasures).where(which).order_by(erasures.c.asked_at.desc(), erasures.c.id.desc())
        with self._database.read() as connection:
            rows = connection.execute(query.limit(limit)).all()
            return tuple(_erasure(connection, row) for row in rows)


def _erasure(connection: Connection, row: Row[Any]) -> Erasure:
    query = select(erasure_removals).where(erasure_removals.c.erasure_id == row.id)
    names = ("destination", "origin", "audience_id", "export_name", "kind", "digest")
    rows = connection.execute(query.order_by(*(erasure_removals.c[name] for name in names))).all()
    return Erasure(
        id=row.id,
        given=Identifier(kind=row.kind, digest=row.digest),
        identifiers=tuple(
            Identifier(kind=kind, digest=bytes.fromhex(digest)) for kind, digest in row.identifiers
        ),
        not_found=tuple(row.not_found),
        asked_by=row.asked_by,
        asked_at=row.asked_at,
        note=row.note,
        keys=tuple(map(bytes.fromhex, row.row_keys)),
        secret=row.secret,
        pending=tuple(AudienceKey(*each) for each in row.pending),
        ended_at=row.ended_at,
        forgotten=Forgotten(**row.forgotten),
        removals=tuple(map(_removal, rows)),
    )


def _removal(row: Row[Any]) -> Removal:
    known = {name: getattr(row, name) for name in (*_OF_A_CLAIM, *_OF_ITS_ANSWER)}
    audience = AudienceKey(row.destination, row.origin, row.audience_id)
    return Removal(audience=audience, export=row.export_name, **known)
