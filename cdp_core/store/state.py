"""The state database, opened: its repositories, transactions over several of them, and named locks."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from sqlalchemy import Connection

from cdp_core.errors import Code, HeldFault, InvalidFault, TemporaryFault
from cdp_core.model.lease import Lease
from cdp_core.store import backend, schema
from cdp_core.store.alerts import Alerts
from cdp_core.store.audit import Audit
from cdp_core.store.backend import Place
from cdp_core.store.connections import Connections
from cdp_core.store.consents import Consents
from cdp_core.store.database import Clock, Database, utc_now
from cdp_core.store.dead_letters import DeadLetters
from cdp_core.store.erasures import Erasures
from cdp_core.store.exports import Exports
from cdp_core.store.grants import Grants
from cdp_core.store.journal import Journal
from cdp_core.store.leases import Leases
from cdp_core.store.ledgers import Ledgers
from cdp_core.store.new_audiences import NewAudiences
from cdp_core.store.plans import Plans
from cdp_core.store.processes import this_process
from cdp_core.store.purges import Purges
from cdp_core.store.rates import Rates
from cdp_core.store.runs import Runs
from cdp_core.store.schedules import DueRuns, Schedules
from cdp_core.store.sealed_secrets import SealedSecrets
from cdp_core.store.segments import Segments
from cdp_core.store.signatures import Signatures
from cdp_core.store.suppressions import Suppressions
from cdp_core.store.withdrawals import Withdrawals

BUSY_SECONDS = 15.0
_LOOK_AGAIN = 0.05


class State:
    """Made with `create` or `open`; close it, or use it as a context manager. Shared between threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.segments = Segments(database)
        self.exports = Exports(database)
        self.connections = Connections(database, self.exports)
        self.new_audiences = NewAudiences(database)
        self.consents = Consents(database)
        self.grants = Grants(database)
        self.plans = Plans(database)
        self.signatures = Signatures(database)
        self.runs = Runs(database)
        self.journal = Journal(database)
        self.leases = Leases(database)
        self.dead_letters = DeadLetters(database)
        self.ledgers = Ledgers(database, self.leases, self.runs, self.dead_letters)
        self.rates = Rates(database)
        self.schedules = Schedules(database)
        self.due_runs = DueRuns(database, self.leases)
        self.suppressions = Suppressions(database)
        self.erasures = Erasures(database)
        self.withdrawals = Withdrawals(database)
        self.purges = Purges(database)
        self.secrets = SealedSecrets(database)
        self.audit = Audit(database)
        self.alerts = Alerts(database)

    @classmethod
    def create(
        cls,
        place: Place,
        *,
        fill: Callable[[Self, Connection], None] = lambda state, connection: None,
        replacing: Callable[[Self, Connection], bool] | None = None,
        clock: Clock = utc_now,
        busy_seconds: float = BUSY_SECONDS,
    ) -> Self:
        """Make a new, empty state; raises `InvalidFault` where there is one, unless `replacing` says of it
        that it may go. `fill` puts something in; all of this happens or nothing."""
        found = backend.made(place, busy_seconds)
        database = Database(found, clock=clock, busy_seconds=busy_seconds)
        made = cls(database)
        try:
            with database.write() as connection:
                try:
                    found.make_room(connection)
                except InvalidFault as fault:
                    if fault.code is not Code.WORKSPACE_EXISTS or replacing is None:
                        raise
                    schema.is_current(connection, found.where)
                    if not replacing(made, connection):
                        raise
                    found.clear(connection)
                schema.upgrade(connection)
                fill(made, connection)
        except BaseException:
            database.close()
            found.undo_making()
            raise
        return made

    @classmethod
    def open(cls, place: Place, *, clock: Clock = utc_now, busy_seconds: float = BUSY_SECONDS) -> Self:
        """Open the state, brought to today's version. A lost one is a fault: an empty one in its
        place would forget what audiences hold."""
        found = backend.at(place, busy_seconds)
        database = Database(found, clock=clock, busy_seconds=busy_seconds)
        try:
            with database.read() as connection:
                found.require_ours(connection)
                current = schema.is_current(connection, found.where)
            if not current:
                with database.write() as connection:
                    # Another process may have been quicker.
                    if not schema.is_current(connection, found.where):
                        schema.upgrade(connection)
        except BaseException:
            database.close()
            raise
        return cls(database)

    @property
    def shared(self) -> bool:
        """Whether several machines may use it."""
        return self._database.shared

    @property
    def where(self) -> str:
        """The file, or the server's URL, which holds no password."""
        return self._database.where

    @contextmanager
    def as_it_is(self) -> Iterator[Connection]:
        """All tables in one view that does not change under the reader."""
        with self._database.read() as connection:
            yield connection

    @contextmanager
    def standing_still(self) -> Iterator[Connection]:
        """All tables, while nobody else can write; what is written here is written together."""
        with self._database.write() as connection:
            yield connection

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What the repositories write within, in this thread, is written together or not at all."""
        with self._database.write():
            yield

    @contextmanager
    def lock(self, name: str, *, wait_seconds: float = 60.0, ttl: float = 120.0) -> Iterator[Lease]:
        """Keep other threads and processes out for the time of a block of at most `ttl` seconds.

        Raises `TemporaryFault` where somebody else stays in it for longer than one waits.
        """
        lease = self._locked(f"lock {name}", wait_seconds, ttl)
        try:
            yield lease
        finally:
            self.leases.release(lease)

    def _locked(self, name: str, wait_seconds: float, ttl: float) -> Lease:
        holder = this_process()
        until = time.monotonic() + wait_seconds
        while True:
            try:
                return self.leases.take(name, holder, ttl)
            except HeldFault as held:
                if time.monotonic() >= until:
                    raise TemporaryFault(
                        Code.STATE_BUSY,
                        held.message,
                        where=self._database.where,
                        hint="run again; if it stays so, look for a cdp process that hangs",
                    ) from None
            time.sleep(_LOOK_AGAIN * random.uniform(0.5, 1.0))  # noqa: S311 (spreads out, hides nothing)

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
