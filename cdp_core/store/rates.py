"""Rate limits that every process and thread shares: who wants to send takes the next free moment.

It is the generic cell rate algorithm (ITU-T I.371): a key has one moment, the earliest at which the
next request may go, and each reservation moves it on by the limit's interval.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, insert, select, update

from cdp_core.store.database import Repository
from cdp_core.store.tables import rates


class _Slot(NamedTuple):
    """When a key's next request is due, and now; both in seconds since the epoch."""

    due: float
    now: float
    known: bool


class Rates(Repository):
    def reserve(self, key: str, per_second: float, burst: int = 1) -> float:
        """Take the next free moment for one request, and say how many seconds away it is.

        After a pause, up to `burst` requests go at once.
        """
        interval = 1.0 / per_second
        # A limit need not outlive a power cut, and waiting for the disk would slow every request.
        with self._database.write(durable=False) as connection:
            slot = self._slot(connection, key)
            start = max(slot.due, slot.now)
            _store(connection, key, slot, start + interval)
        return max(0.0, start - slot.now - (burst - 1) * interval)

    def penalise(self, key: str, seconds: float) -> None:
        """Nobody sends under this key for so long: the service has said that it is too much."""
        with self._database.write(durable=False) as connection:
            slot = self._slot(connection, key)
            _store(connection, key, slot, max(slot.due, slot.now + seconds))

    def _slot(self, connection: Connection, key: str) -> _Slot:
        now = self._database.now().timestamp()
        row = connection.execute(select(rates).where(rates.c.key == key).with_for_update()).one_or_none()
        if row is None:
            return _Slot(now, now, known=False)
        # A clock that was set back would otherwise make everybody wait until it has caught up.
        set_back = max(0.0, row.seen_at - now)
        return _Slot(row.next_at - set_back, now, known=True)


def _store(connection: Connection, key: str, slot: _Slot, due: float) -> None:
    values = {"next_at": due, "seen_at": slot.now}
    if slot.known:
        connection.execute(update(rates).where(rates.c.key == key).values(**values))
    else:
        connection.execute(insert(rates).values(key=key, **values))
