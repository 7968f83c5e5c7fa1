"""Which files are an audience's ledger. The files are never changed; one transaction points to new ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, insert, select, update

from cdp_core.errors import Code, InternalFault
from cdp_core.model.delivery import AudienceKey
from cdp_core.model.journal import NO_LETTERS, DeadLetterChange
from cdp_core.model.lease import Lease
from cdp_core.model.ledger import LedgerFile
from cdp_core.model.run import Run
from cdp_core.store.database import Database, Repository
from cdp_core.store.dead_letters import DeadLetters
from cdp_core.store.leases import Leases
from cdp_core.store.runs import Runs
from cdp_core.store.tables import forgone, ledger_files, ledgers, runs


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerVersion:
    """An audience's ledger at one commit; version 0 is that of an audience that nothing was sent to yet."""

    audience: AudienceKey
    version: int
    files: tuple[LedgerFile, ...]


class Ledgers(Repository):
    def __init__(self, database: Database, leases: Leases, history: Runs, dead_letters: DeadLetters) -> None:
        super().__init__(database)
        self._leases = leases
        self._history = history
        self._dead_letters = dead_letters

    def current(self, audience: AudienceKey) -> LedgerVersion:
        with self._database.read() as connection:
            return _current(connection, audience)

    def all(self) -> tuple[LedgerVersion, ...]:
        """Every audience's ledger."""
        query = select(ledgers.c.destination, ledgers.c.origin, ledgers.c.audience_id)
        with self._database.read() as connection:
            return tuple(_current(connection, AudienceKey(*row)) for row in connection.execute(query).all())

    def commit(
        self,
        lease: Lease,
        audience: AudienceKey,
        files: Sequence[LedgerFile],
        run: Run,
        letters: DeadLetterChange = NO_LETTERS,
    ) -> LedgerVersion:
        """Point to `files`, save the run whose receipts they hold, and take over what it made of its
        export's dead letters (by default none are left): all or nothing.

        The run may be the lease holder's own, or a dead one that it settles (`settled_by`). Raises
        `InternalFault` where the lease is not the audience's, or was lost to somebody else.
        """
        _require_lease_on(audience, lease)
        with self._database.write() as connection:
            self._leases.check(lease)
            after = _point(connection, audience, files)
            self._history.save(run)
            self._dead_letters.change(audience, run.export_id, letters)
            told = update(runs).where(runs.c.id == run.id)
            claims = sum(file.claims for file in files if file.export_id == run.export_id)
            held = sum(file.claims for file in files)
            connection.execute(told.values(ledger_version=after.version, claims=claims, held=held))
        return after

    def mend(
        self,
        lease: Lease,
        audience: AudienceKey,
        files: Sequence[LedgerFile],
        *,
        given_up: Sequence[Run] = (),
        forget: bool = False,
    ) -> LedgerVersion:
        """Point to `files` in place of those of the last commit, and save the runs that nobody can settle
        any more, in one transaction. `forget` takes the receipts of every run so far out of what a ledger
        is rebuilt from. Raises `InternalFault` as `commit` does."""
        _require_lease_on(audience, lease)
        with self._database.write() as connection:
            self._leases.check(lease)
            after = _point(connection, audience, files)
            for run in given_up:
                self._history.save(run)
            ids = [run.id for run in given_up]
            lost = update(runs).where(runs.c.id.in_(ids))
            connection.execute(lost.values(ledger_version=0 if forget else after.version))
            if forget:
                connection.execute(delete(forgone).where(_of(audience, forgone)))
                told = and_(_of(audience, runs), runs.c.ledger_version.is_not(None))
                connection.execute(update(runs).where(told).values(ledger_version=0))
        return after

    def referenced(self) -> frozenset[str]:
        """Paths of all files that some ledger points to; the others are nobody's."""
        with self._database.read() as connection:
            return frozenset(connection.scalars(select(ledger_files.c.path)))


def _require_lease_on(audience: AudienceKey, lease: Lease) -> None:
    if lease.name != str(audience):
        raise InternalFault(Code.LEASE_LOST, f"the lease is on the {lease.name}, not on the {audience}")


def _point(connection: Connection, audience: AudienceKey, files: Sequence[LedgerFile]) -> LedgerVersion:
    """Make `files` the audience's, under the next version."""
    key = dataclasses.asdict(audience)
    before = _current(connection, audience)
    after = LedgerVersion(audience=audience, version=before.version + 1, files=tuple(files))
    if before.version == 0:
        connection.execute(insert(ledgers).values(**key, version=after.version))
    else:
        connection.execute(update(ledgers).where(_of(audience, ledgers)).values(version=after.version))
    connection.execute(delete(ledger_files).where(_of(audience, ledger_files)))
    rows = [
        {**key, "position": position, "path": file.path, "file": file.as_dict()}
        for position, file in enumerate(files)
    ]
    if rows:
        connection.execute(insert(ledger_files), rows)
    return after


def _of(audience: AudienceKey, table: Table) -> ColumnElement[bool]:
    return and_(
        table.c.destination == audience.destination,
        table.c.origin == audience.origin,
        table.c.audience_id == audience.audience_id,
    )


def _current(connection: Connection, audience: AudienceKey) -> LedgerVersion:
    version = connection.scalar(select(ledgers.c.version).where(_of(audience, ledgers)))
    query = select(ledger_files.c.file).where(_of(audience, ledger_files))
    files = connection.scalars(query.order_by(ledger_files.c.position))
    return LedgerVersion(
        audience=audience, version=version or 0, files=tuple(LedgerFile.from_dict(file) for file in files)
    )
