"""Rate limits that every process and thread shares: who wants to send takes the next free moment.

A key's newest moments are kept. A request may go when the one so many before it went long enough ago,
so that no second ever holds more than the limit, and what a second has room for goes at once. A request may
stand under several limits, as that of its access token and that of its app: it goes when all have room.

Where a service says that it is too much, nobody goes for a while, and then only half as many as before; every
ten seconds without another such answer give a tenth of the limit back.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, insert, select, update

from cdp_core.store.database import Repository
from cdp_core.store.tables import rates

# Requests that leave in time do not all take equally long to arrive.
_SLACK = 1.05
# Moments kept of one key, however high its limit; more would only cost time.
_MOST_KEPT = 100
# Answers that come together speak of the same second.
_TOGETHER = 1.0
_STEP = 0.1
_STEP_SECONDS = 10.0
_LEAST_SHARE = 0.1
# Seconds since the epoch are floats of about a quarter of a microsecond.
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class _Row:
    """A key's newest moments, oldest first, until when nobody sends, and when that was so (all in seconds
    since the epoch); the share of its limit that was left, and since when."""

    moments: tuple[float, ...]
    barred_until: float
    seen_at: float
    share: float = 1.0
    slowed_at: float = 0.0

    @property
    def share_now(self) -> float:
        steps = (self.seen_at - self.slowed_at) // _STEP_SECONDS
        return min(1.0, self.share + _STEP * steps)

    def window(self, per_second: float) -> _Window:
        """What the limit allows at this time."""
        allowed = per_second * self.share_now
        most = max(1, min(int(allowed), _MOST_KEPT // 2))
        return _Window(self.moments, most, _SLACK * most / allowed)

    def with_moment(self, moment: float) -> _Row:
        return replace(self, moments=tuple(sorted((*self.moments, moment))[-_MOST_KEPT:]))


@dataclass(frozen=True, slots=True)
class _Window:
    """At most so many of a key's moments within so many seconds."""

    moments: tuple[float, ...]
    most: int
    seconds: float

    @property
    def ends(self) -> Iterator[float]:
        """When room comes free."""
        return (moment + self.seconds for moment in self.moments)

    def has_room(self, start: float) -> bool:
        """Some of the moments may lie after it: others wait for a limit that this request does not share."""
        place = bisect_right(self.moments, start)
        near = (
            *self.moments[max(0, place - self.most) : place],
            start,
            *self.moments[place : place + self.most],
        )
        return all(
            later - earlier >= self.seconds - _ROUNDING
            for earlier, later in zip(near, near[self.most :], strict=False)
        )


class Rates(Repository):
    def reserve(self, limits: Mapping[str, float]) -> float:
        """Take the next moment that every limit (its key and its requests per second) has room for, for one
        request, and say how many seconds away it is."""
        # A limit need not outlive a power cut, and waiting for the disk would slow every request.
        with self._database.write(durable=False) as connection:
            rows = {key: self._row(connection, key) for key in sorted(limits)}
            windows = [row.window(limits[key]) for key, row in rows.items()]
            now = next(iter(rows.values())).seen_at
            first = max(now, *(row.barred_until for row in rows.values()))
            later = sorted(end for window in windows for end in window.ends if end > first)
            start = next(
                moment for moment in (first, *later) if all(window.has_room(moment) for window in windows)
            )
            for key, row in rows.items():
                _store(connection, key, row.with_moment(start))
        return start - now

    def penalise(self, barred: str, seconds: float, *, slowed: Sequence[str]) -> None:
        """The service has said that it is too much: nobody sends under the key `barred` for so long, and
        those of `slowed` have half of their limit left."""
        with self._database.write(durable=False) as connection:
            for key in sorted({barred, *slowed}):
                row = self._row(connection, key)
                if key == barred:
                    row = replace(row, barred_until=max(row.barred_until, row.seen_at + seconds))
                if key in slowed and row.seen_at - row.slowed_at >= _TOGETHER:
                    share = max(_LEAST_SHARE, row.share_now / 2)
                    row = replace(row, share=share, slowed_at=row.seen_at)
                _store(connection, key, row)

    def _row(self, connection: Connection, key: str) -> _Row:
        now = self._database.moment(connection).timestamp()
        kept = connection.execute(select(rates).where(rates.c.key == key)).one_or_none()
        if kept is None:
            return _Row((), now, now)
        # A clock that was set back would otherwise make everybody wait until it has caught up.
        set_back = max(0.0, kept.seen_at - now)
        return _Row(
            tuple(each - set_back for each in kept.moments),
            kept.barred_until - set_back,
            now,
            kept.share,
            kept.slowed_at - set_back,
        )


def _store(connection: Connection, key: str, row: _Row) -> None:
    values = {
        "moments": list(row.moments),
        "barred_until": row.barred_until,
        "seen_at": row.seen_at,
        "share": row.share,
        "slowed_at": row.slowed_at,
    }
    changed = connection.execute(update(rates).where(rates.c.key == key).values(**values))
    if not changed.rowcount:
        connection.execute(insert(rates).values(key=key, **values))
