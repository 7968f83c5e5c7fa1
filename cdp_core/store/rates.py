"""Rate limits that every process and thread shares: who wants to send takes the next free moment.

A key's newest moments are kept. A request may go when the one so many before it went long enough ago,
so that no second ever holds more than the limit, and what a second has room for goes at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import Connection, insert, select, update

from cdp_core.store.database import Repository
from cdp_core.store.tables import rates

# Requests that leave in time do not all take equally long to arrive.
_SLACK = 1.05
# Moments kept of one key, however high its limit; more would only cost time.
_MOST_KEPT = 50


@dataclass(frozen=True, slots=True)
class _Row:
    """A key's newest moments, oldest first, until when nobody sends, and when that was so (all in seconds
    since the epoch)."""

    moments: tuple[float, ...]
    barred_until: float
    seen_at: float


class Rates(Repository):
    def reserve(self, key: str, per_second: float) -> float:
        """Take the next free moment for one request, and say how many seconds away it is."""
        most = max(1, min(int(per_second), _MOST_KEPT))
        window = _SLACK * most / per_second
        # A limit need not outlive a power cut, and waiting for the disk would slow every request.
        with self._database.write(durable=False) as connection:
            row = self._row(connection, key)
            start = max(row.seen_at, row.barred_until, *row.moments[-1:])
            if len(row.moments) >= most:
                start = max(start, row.moments[-most] + window)
            _store(connection, key, replace(row, moments=(*row.moments, start)[-_MOST_KEPT:]))
        return start - row.seen_at

    def penalise(self, key: str, seconds: float) -> None:
        """Nobody sends under this key for so long: the service has said that it is too much."""
        with self._database.write(durable=False) as connection:
            row = self._row(connection, key)
            until = max(row.barred_until, row.seen_at + seconds)
            _store(connection, key, replace(row, barred_until=until))

    def _row(self, connection: Connection, key: str) -> _Row:
        now = self._database.now().timestamp()
        kept = connection.execute(select(rates).where(rates.c.key == key).with_for_update()).one_or_none()
        if kept is None:
            return _Row((), now, now)
        # A clock that was set back would otherwise make everybody wait until it has caught up.
        set_back = max(0.0, kept.seen_at - now)
        return _Row(tuple(each - set_back for each in kept.moments), kept.barred_until - set_back, now)


def _store(connection: Connection, key: str, row: _Row) -> None:
    values = {"moments": list(row.moments), "barred_until": row.barred_until, "seen_at": row.seen_at}
    changed = connection.execute(update(rates).where(rates.c.key == key).values(**values))
    if not changed.rowcount:
        connection.execute(insert(rates).values(key=key, **values))
