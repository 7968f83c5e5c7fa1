"""The digests that are never sent.

Each has a number that is never given twice, and the higher the later it was committed: who has read them
all can ask for those that have come since.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select

from cdp_core.model.suppression import Suppression
from cdp_core.store import backend
from cdp_core.store.database import Repository
from cdp_core.store.tables import suppressions


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressedDigests:
    """The digests of each kind, one after another; `newest` is the highest number among all there are."""

    newest: int
    kinds: Mapping[str, bytes]


class Suppressions(Repository):
    def add(self, digests: Iterable[tuple[str, bytes]], *, note: str, by: str, at: datetime) -> int:
        """Keep (kind, digest)s, all of them or none; how many were not there before."""
        # What is there keeps its number: a plan that has taken it out need not be looked at again.
        same = {"note": note, "added_by": by, "added_at": at}
        with self._database.write() as connection:
            before = _rows(connection)
            backend.insert_missing(connection, suppressions, ("kind", "digest"), digests, same)
            return _rows(connection) - before

    def remove(self, kind: str, digest: bytes) -> bool:
        """Whether it was there."""
        this = (suppressions.c.kind == kind) & (suppressions.c.digest == digest)
        with self._database.write() as connection:
            return bool(connection.execute(delete(suppressions).where(this)).rowcount)

    def get(self, kind: str, digest: bytes) -> Suppression | None:
        this = (suppressions.c.kind == kind) & (suppressions.c.digest == digest)
        with self._database.read() as connection:
            row = connection.execute(select(suppressions).where(this)).one_or_none()
        return _suppression(row) if row else None

    def digests(self, after: int = 0) -> SuppressedDigests:
        """All of them, or those whose number is higher than `after`."""
        query = select(suppressions.c.kind, suppressions.c.digest)
        with self._database.read() as connection:
            newest = connection.scalar(select(func.max(suppressions.c.number))) or 0
            found: dict[str, list[bytes]] = {}
            if newest > after:
                for kind, digest in connection.execute(query.where(suppressions.c.number > after)):
                    found.setdefault(kind, []).append(digest)
        return SuppressedDigests(
            newest=max(newest, after), kinds={kind: b"".join(each) for kind, each in found.items()}
        )

    def newest_first(self, *, limit: int, kind: str | None = None) -> tuple[Suppression, ...]:
        query = select(suppressions).order_by(suppressions.c.number.desc()).limit(limit)
        if kind is not None:
            query = query.where(suppressions.c.kind == kind)
        with self._database.read() as connection:
            return tuple(_suppression(row) for row in connection.execute(query))

    def count(self) -> Mapping[str, int]:
        """By kind."""
        query = select(suppressions.c.kind, func.count()).group_by(suppressions.c.kind)
        with self._database.read() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}


def _rows(connection: Connection) -> int:
    return connection.scalar(select(func.count()).select_from(suppressions)) or 0


def _suppression(row: Row[Any]) -> Suppression:
    return Suppression(
        kind=row.kind, digest=row.digest, note=row.note, added_by=row.added_by, added_at=row.added_at
    )
