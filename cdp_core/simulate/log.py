"""The log of requests: what was asked for and what came of it, never a body, a query or a token."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedRequest:
    """`at` is in seconds since the epoch by the stand-in's clock; `status` is None where the connection
    was cut; `route` and `fault` are empty where there was none; `items` is what the handler counted."""

    at: float
    method: str
    path: str
    route: str
    status: int | None
    items: int
    fault: str

    def summary(self) -> dict[str, Any]:
        return asdict(self)


class RequestLog:
    """The last requests, oldest first."""

    def __init__(self, *, length: int) -> None:
        self._requests: deque[LoggedRequest] = deque(maxlen=length)
        self._lock = threading.Lock()

    def add(self, request: LoggedRequest) -> None:
        with self._lock:
            self._requests.append(request)

    def requests(self) -> list[LoggedRequest]:
        with self._lock:
            return list(self._requests)

    def clear(self) -> None:
        with self._lock:
            self._requests.clear()
