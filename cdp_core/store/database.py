"""Transactions on the state: many readers, one writer, and what several repositories write together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from sqlalchemy import Connection

from cdp_core.store.backend import Backend

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


class Database:
    """Thread-safe. A transaction that is begun within another of the same thread is part of that one."""

    def __init__(self, backend: Backend, *, clock: Clock, busy_seconds: float) -> None:
        self.where = backend.where
        self.shared = backend.shared
        self.now = clock
        self._backend = backend
        self._busy_seconds = busy_seconds
        self._thread = threading.local()
        # Threads queue here: SQLite's own waiting sleeps for up to 100 ms at a time.
        self._turn = threading.Lock()

    def moment(self, connection: Connection) -> datetime:
        """Now, by the one clock that all who share the state go by."""
        common = self._backend.clock(connection) if self.now is utc_now else None
        return common or self.now()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One view of the state that does not change under the reader."""
        if (joined := self._joined) is not None:
            yield joined
            return
        with self._backend.reading() as connection:
            yield connection

    @contextmanager
    def write(self, *, durable: bool = True) -> Iterator[Connection]:
        """All of it or nothing; `durable` is on disk, power cut or not, when this ends.

        Raises `TemporaryFault` where another process writes for longer than one waits.
        """
        if (joined := self._joined) is not None:
            yield joined
            return
        if not self._turn.acquire(timeout=self._busy_seconds):
            raise self._backend.busy()
        try:
            with self._backend.writing(durable=durable) as connection:
                self._thread.connection = connection
                try:
                    yield connection
                finally:
                    self._thread.connection = None
        finally:
            self._turn.release()

    def close(self) -> None:
        self._backend.close()

    @property
    def _joined(self) -> Connection | None:
        joined: Connection | None = getattr(self._thread, "connection", None)
        return joined


class Repository:
    """One subject of the state, over the database that all of them share."""

    def __init__(self, database: Database) -> None:
        self._database = database
