"""Leases: one holder at a time for a name, across processes and machines.

A lease ends when it is released, when its time is up, or when its process is seen to have died. Its
fence number tells the newest holder from one that was taken for dead and wakes up again.
"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from cdp_core.errors import Code, HeldFault, InternalFault
from cdp_core.model.lease import Holder, Lease
from cdp_core.store.database import Repository
from cdp_core.store.processes import is_local, may_live
from cdp_core.store.tables import leases


class Leases(Repository):
    def take(self, name: str, holder: Holder, ttl: float) -> Lease:
        """Hold `name` for `ttl` seconds from now; an audience's name is `str(AudienceKey)`.

        Raises `HeldFault`, saying who and since when, where somebody holds it.
        """
        if not self._database.shared:
            # One machine's: of a process that was there before it started anew, no end has to be waited for.
            holder = replace(holder, machine="")
        with self._database.write() as connection:
            now = self._database.moment(connection)
            row = _row(connection, name)
            if row is not None and row.held and row.expires_at > now and may_live(_holder(row)):
                raise _held(_lease(row))
            lease = Lease(
                name=name,
                fence=row.fence + 1 if row else 1,
                holder=holder,
                taken_at=now,
                expires_at=now + timedelta(seconds=ttl),
            )
            if row is None:
                connection.execute(insert(leases).values(**_values(lease)))
            else:
                connection.execute(update(leases).where(leases.c.name == name).values(**_values(lease)))
        return lease

    def renew(self, lease: Lease, ttl: float) -> Lease:
        """Hold it for `ttl` seconds from now; raises `InternalFault` where somebody else has taken it."""
        # Losing a renewal in a power cut costs nothing: the holder is gone then too.
        with self._database.write(durable=False) as connection:
            self._require(connection, lease)
            expires_at = self._database.moment(connection) + timedelta(seconds=ttl)
            change = update(leases).where(leases.c.name == lease.name)
            connection.execute(change.values(expires_at=expires_at))
        return Lease(
            name=lease.name,
            fence=lease.fence,
            holder=lease.holder,
            taken_at=lease.taken_at,
            expires_at=expires_at,
        )

    def ask_to_stop(self, name: str, *, run_id: str, person: str) -> bool:
        """Ask the run that holds `name` to stop; whether it holds it still. See `stop_asked_by`."""
        with self._database.write() as connection:
            its = update(leases).where(leases.c.name == name, leases.c.held, leases.c.run_id == run_id)
            return bool(connection.execute(its.values(stop_asked_by=person)).rowcount)

    def stop_asked_by(self, lease: Lease) -> str:
        """Who asks the lease's holder to stop; empty where nobody does."""
        mine = (leases.c.name == lease.name, leases.c.fence == lease.fence)
        with self._database.read() as connection:
            return connection.execute(select(leases.c.stop_asked_by).where(*mine)).scalar_one_or_none() or ""

    def holder(self, name: str) -> Holder | None:
        """Who holds it, and is not certainly gone."""
        with self._database.read() as connection:
            row = _row(connection, name)
            now = self._database.moment(connection)
        if row is None or not row.held or row.expires_at <= now:
            return None
        holder = _holder(row)
        return holder if may_live(holder) else None

    def is_held(self, name: str) -> bool:
        return self.holder(name) is not None

    def check(self, lease: Lease) -> None:
        """Raise `InternalFault` where the lease is not held any more."""
        with self._database.read() as connection:
            self._require(connection, lease)

    def holders(self, *, overdue: bool = False) -> tuple[Holder, ...]:
        """Who holds a lease, without those who are gone.

        Of this machine's processes that can be seen; of others a lease whose time is up tells it, unless
        `overdue` asks for those too, who may wake up and go on.
        """
        with self._database.read() as connection:
            rows = connection.execute(select(leases).where(leases.c.held)).all()
            now = self._database.moment(connection)
        held = [(_holder(row), row.expires_at) for row in rows]
        return tuple(
            holder
            for holder, until in held
            if may_live(holder) and (overdue or until > now or is_local(holder))
        )

    def let_go(self) -> None:
        """Nobody holds any lease: of a copy of the state, in which nobody is at work."""
        with self._database.write() as connection:
            connection.execute(update(leases).values(held=False))

    def release(self, lease: Lease) -> None:
        """Let go of it; where somebody else has taken it, nothing happens."""
        with self._database.write() as connection:
            mine = update(leases).where(leases.c.name == lease.name, leases.c.fence == lease.fence)
            connection.execute(mine.values(held=False))

    def _require(self, connection: Connection, lease: Lease) -> None:
        row = _row(connection, lease.name)
        if row is None or not row.held or row.fence != lease.fence:
            by = f"; {_holder(row)} has it" if row is not None and row.held else ""
            raise InternalFault(
                Code.LEASE_LOST,
                f"the lease on the {lease.name} was lost{by}",
                hint="run again: what was sent is settled by the run that took over",
            )


def _row(connection: Connection, name: str) -> Row[Any] | None:
    return connection.execute(select(leases).where(leases.c.name == name)).one_or_none()


def _held(lease: Lease) -> HeldFault:
    holder = lease.holder
    if holder.pid == os.getpid():
        way_out = "this very process holds it"
    else:
        way_out = (
            f"wait until it ends; if it hangs, stop process {holder.pid} on {holder.host}, and the next "
            "run settles what it left"
        )
    return HeldFault(
        Code.AUDIENCE_HELD,
        f"the {lease.name} is held by {holder} since {lease.taken_at:%Y-%m-%d %H:%M:%S} UTC",
        where=f"run {holder.run_id}" if holder.run_id else "",
        hint=f"{way_out}; it is free at {lease.expires_at:%H:%M:%S} UTC at the latest unless it is renewed",
    )


def _values(lease: Lease) -> dict[str, Any]:
    return {
        "name": lease.name,
        "fence": lease.fence,
        "held": True,
        "person": lease.holder.person,
        "pid": lease.holder.pid,
        "host": lease.holder.host,
        "process_started_at": lease.holder.started_at,
        "run_id": lease.holder.run_id,
        "machine": lease.holder.machine,
        "taken_at": lease.taken_at,
        "expires_at": lease.expires_at,
        "stop_asked_by": "",
    }


def _holder(row: Row[Any]) -> Holder:
    return Holder(
        person=row.person,
        pid=row.pid,
        host=row.host,
        started_at=row.process_started_at,
        run_id=row.run_id,
        machine=row.machine,
    )


def _lease(row: Row[Any]) -> Lease:
    return Lease(
        name=row.name,
        fence=row.fence,
        holder=_holder(row),
        taken_at=row.taken_at,
        expires_at=row.expires_at,
    )
