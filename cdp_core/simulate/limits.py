"""Rate limits of a stand-in: a token bucket for each key that a limit finds in a request."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cdp_core.simulate.clock import Clock
from cdp_core.simulate.messages import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """At most `per_second` requests for each `key`, and `burst` at once (`per_second` unless given).

    `key` returns None for a request that the limit does not count. Where `retry_after` is set, a refusal says
    in that header after how many whole seconds there is room again.
    """

    name: str
    per_second: float
    key: Callable[[Request], str | None]
    burst: float | None = None
    retry_after: bool = False

    @property
    def capacity(self) -> float:
        return self.per_second if self.burst is None else self.burst


class RateLimits:
    """Several limits that a request must all be within; one that is refused uses up none of them."""

    def __init__(self, limits: Iterable[Limit], clock: Clock) -> None:
        self.limits = tuple(limits)
        self._clock = clock
        self._lock = threading.Lock()
        # (limit, key) to what is left in the bucket, and when that was so.
        self._buckets: dict[tuple[str, str], tuple[float, float]] = {}

    def exceeded(self, request: Request) -> Limit | None:
        """Takes from every bucket, or returns the limit that is used up and takes from none."""
        now = self._clock.monotonic()
        with self._lock:
            levels: dict[tuple[str, str], tuple[float, float]] = {}
            for limit in self.limits:
                key = limit.key(request)
                if key is None:
                    continue
                left, since = self._buckets.get((limit.name, key), (limit.capacity, now))
                left = min(limit.capacity, left + (now - since) * limit.per_second)
                if left < 1:
                    return limit
                levels[limit.name, key] = (left - 1, now)
            self._buckets.update(levels)
        return None

    def wait(self, limit: Limit, request: Request) -> int:
        """Whole seconds, at least one, until the limit has room for the request."""
        now = self._clock.monotonic()
        with self._lock:
            left, since = self._buckets.get((limit.name, limit.key(request) or ""), (limit.capacity, now))
        return max(1, math.ceil((1 - left) / limit.per_second - (now - since)))
