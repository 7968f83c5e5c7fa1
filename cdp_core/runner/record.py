"""The record of one run as it goes on: kept in the state, and told to whoever watches."""

from __future__ import annotations

import dataclasses
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from cdp_core.errors import CdpError
from cdp_core.model.access import Actor
from cdp_core.model.configuration import Export
from cdp_core.model.delivery import AudienceKey
from cdp_core.model.journal import NO_LETTERS, DeadLetterChange
from cdp_core.model.lease import Lease
from cdp_core.model.ledger import LedgerFile
from cdp_core.model.run import EventState, Run, RunEvent, RunStatus, Station
from cdp_core.runner.services import Services


class Record:
    def __init__(
        self,
        *,
        services: Services,
        export: Export,
        actor: Actor,
        progress: Callable[[RunEvent], None] | None,
    ) -> None:
        self._services = services
        self.actor = actor
        self._progress = progress
        self._began = time.monotonic()
        self.run = Run(
            id=_run_id(),
            export_id=export.id,
            export_name=export.name,
            status=RunStatus.PLANNING,
            actor=actor.name,
            started_at=datetime.now(UTC),
        )

    def note(self, **known: Any) -> None:
        """Take over what has become known; it is kept with the next `save` or `commit`."""
        self.run = dataclasses.replace(self.run, **known)

    def save(self, status: RunStatus, *, fault: CdpError | None = None, ended: bool = False) -> Run:
        self.note(
            status=status,
            ended_at=datetime.now(UTC) if ended else None,
            seconds=self._seconds(),
            error_code=str(fault.code) if fault else None,
            error=fault.message if fault else None,
            error_hint=fault.hint if fault else None,
        )
        self._services.state.runs.save(self.run)
        return self.run

    def commit(
        self,
        lease: Lease,
        audience: AudienceKey,
        files: tuple[LedgerFile, ...],
        status: RunStatus,
        letters: DeadLetterChange = NO_LETTERS,
    ) -> None:
        """The run's end, the audience's ledger and the export's dead letters (none are left by default),
        in one transaction."""
        ended = dataclasses.replace(
            self.run, status=status, ended_at=datetime.now(UTC), seconds=self._seconds()
        )
        self._services.ledgers.keep(files)
        self._services.state.ledgers.commit(lease, audience, files, ended, letters)
        # Only now: a run whose commit failed is still one that has to be settled.
        self.run = ended
        self._services.ledgers.sweep(audience)

    def tell(
        self, station: Station, state: EventState, done: int = 0, total: int = 0, *, note: str = ""
    ) -> None:
        event = RunEvent(
            run_id=self.run.id,
            export=self.run.export_name,
            station=station,
            state=state,
            done=done,
            total=total,
            note=note,
        )
        if self._progress is not None:
            self._progress(event)
        self._services.catalog.tell(event)

    def announce(self, state: EventState) -> None:
        """Tell observers that the run has begun or ended, as it stands."""
        ended = self.run if state == "ended" else None
        event = RunEvent(
            run_id=self.run.id, export=self.run.export_name, station=Station.RUN, state=state, run=ended
        )
        self._services.catalog.tell(event)

    def counting(self, station: Station, total: int) -> Callable[[int], None]:
        """Adds up and tells what several threads have done."""
        guard = threading.Lock()
        done = 0

        def count(more: int) -> None:
            nonlocal done
            with guard:
                done += more
                self.tell(station, "progress", done, total)

        return count

    def _seconds(self) -> float:
        return round(time.monotonic() - self._began, 3)


def _run_id() -> str:
    """Sorts by time, and is short enough to type: 20261123-0259-7d1fce."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:6]}"
