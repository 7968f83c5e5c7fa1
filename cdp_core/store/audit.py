"""The audit log: every act of the facade, each entry carrying the digest of the one before.

A changed, missing or moved entry breaks the chain; how many entries there are, and the newest one's
digest, are kept apart, so that a cut end is noticed too. Whoever can write the database file can also
rewrite the whole chain: the head that `verify` gives, kept elsewhere, is what shows that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from cdp_core.model.access import Action
from cdp_core.model.audit import AuditEntry, AuditHead, AuditOutcome, AuditVerdict
from cdp_core.store.database import Repository
from cdp_core.store.tables import audit, audit_head

_START = ""
_AT_A_TIME = 1_000


class Audit(Repository):
    def append(
        self,
        *,
        actor: str,
        real: str,
        action: str,
        object: str,  # noqa: A002 (the log's own word)
        outcome: str,
        details: Mapping[str, Any] | None = None,
        at: datetime | None = None,
    ) -> AuditEntry:
        """Add an entry, on disk when this returns. `details` hold no secret and no raw identifier."""
        with self._database.write() as connection:
            head = connection.execute(select(audit_head)).one_or_none()
            entry = {
                "seq": (head.entries if head else 0) + 1,
                "at": (at or self._database.now()).astimezone(UTC),
                "actor": actor,
                "real": real,
                "action": action,
                "object": object,
                "outcome": str(AuditOutcome(outcome)),
                "details": json.loads(json.dumps(dict(details or {}), default=str, allow_nan=False)),
                "previous": head.digest if head else _START,
            }
            entry["digest"] = _digest(entry)
            connection.execute(insert(audit).values(**entry))
            _move_head(connection, entry, first=head is None)
        return _entry(entry)

    def entries(
        self,
        *,
        limit: int = 50,
        actor: str | None = None,
        action: str | None = None,
        object: str | None = None,  # noqa: A002
        outcome: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> tuple[AuditEntry, ...]:
        """The newest first; of who acts, either of the two names may be asked for."""
        query = select(audit).order_by(audit.c.seq.desc()).limit(limit)
        if actor is not None:
            query = query.where((audit.c.actor == actor) | (audit.c.real == actor))
        for column, wanted in (
            (audit.c.action, action),
            (audit.c.object, object),
            (audit.c.outcome, outcome),
        ):
            if wanted is not None:
                query = query.where(column == str(wanted))
        if since is not None:
            query = query.where(audit.c.at >= since)
        if until is not None:
            query = query.where(audit.c.at < until)
        with self._database.read() as connection:
            return tuple(_entry(_fields(row)) for row in connection.execute(query))

    def all(self) -> Iterator[AuditEntry]:
        """Every entry, the oldest first."""
        with self._database.read() as connection:
            reader = connection.execution_options(yield_per=_AT_A_TIME)
            with closing(reader.execute(select(audit).order_by(audit.c.seq))) as rows:
                for row in rows:
                    yield _entry(_fields(row))

    def head(self) -> AuditHead | None:
        """None where nothing was written yet."""
        with self._database.read() as connection:
            head = connection.execute(select(audit_head)).one_or_none()
        return AuditHead(entries=head.entries, digest=head.digest) if head else None

    def first_digest(self) -> str:
        """Of the entry that the state began with, or that it was brought back from a backup with: no two
        states have the same, but copies of one."""
        began = (audit.c.seq == 1) | (audit.c.action == str(Action.WORKSPACE_RESTORE))
        query = select(audit.c.digest).where(began).order_by(audit.c.seq.desc()).limit(1)
        with self._database.read() as connection:
            return connection.scalar(query) or ""

    def has(self, known: AuditHead) -> bool:
        """Whether this is a log that had that head once, whatever was added since."""
        query = select(audit.c.digest).where(audit.c.seq == known.entries)
        with self._database.read() as connection:
            return connection.scalar(query) == known.digest

    def verify(self, known: AuditHead | None = None) -> AuditVerdict:
        """Whether the log holds together, and the first entry that does not; whether it is the log that had
        the head `known` once, which shows where somebody has written all of it anew."""
        with self._database.read() as connection:
            options = {"yield_per": _AT_A_TIME}
            query = select(audit).order_by(audit.c.seq)
            with closing(connection.execute(query, execution_options=options)) as rows:
                count, newest, bad, problem = _follow(rows)
            head = connection.execute(select(audit_head)).one_or_none()
        if not problem:
            bad, problem = _against_head(count, newest, head)
        if not problem and known is not None:
            bad, problem = self._against(known, count)
        return AuditVerdict(ok=not problem, entries=count, head=newest, first_bad=bad, problem=problem)

    def _against(self, known: AuditHead, count: int) -> tuple[int | None, str]:
        if known.entries > count:
            return count + 1, f"the log had {known.entries} entries, and now there are {count}"
        if not self.has(known):
            return known.entries, f"entry {known.entries} is not the one whose digest was kept"
        return None, ""


def _follow(rows: Iterable[Row[Any]]) -> tuple[int, str, int | None, str]:
    """(entries that hold, the last one's digest, the first that does not hold, what is wrong with it)."""
    count, previous = 0, _START
    for row in rows:
        entry = _fields(row)
        if entry["seq"] != count + 1:
            return count, previous, count + 1, f"entry {count + 1} is missing"
        if entry["digest"] != _digest(entry):
            return count, previous, count + 1, f"entry {count + 1} was changed"
        if entry["previous"] != previous:
            return count, previous, count + 1, f"entry {count + 1} does not follow the one before it"
        count, previous = count + 1, entry["digest"]
    return count, previous, None, ""


def _against_head(count: int, newest: str, head: Row[Any] | None) -> tuple[int | None, str]:
    known, digest = (head.entries, head.digest) if head else (0, _START)
    if known != count:
        return min(known, count) + 1, f"the log had {known} entries, and now there are {count}"
    if digest != newest:
        return count, f"entry {count} is not the one that the log ended with"
    return None, ""


def _move_head(connection: Connection, entry: Mapping[str, Any], *, first: bool) -> None:
    values = {"entries": entry["seq"], "digest": entry["digest"]}
    if first:
        connection.execute(insert(audit_head).values(id=1, **values))
    else:
        connection.execute(update(audit_head).values(**values))


def _digest(entry: Mapping[str, Any]) -> str:
    """SHA-256, in hexadecimal, of the entry's canonical JSON without its own digest."""
    said = {name: value for name, value in entry.items() if name != "digest"}
    said["at"] = entry["at"].isoformat(timespec="microseconds")
    return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _fields(row: Row[Any]) -> dict[str, Any]:
    return dict(row._mapping)


def _entry(entry: Mapping[str, Any]) -> AuditEntry:
    return AuditEntry(**{**entry, "outcome": AuditOutcome(entry["outcome"])})
