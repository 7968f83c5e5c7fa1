"""Retention: what is kept long enough is purged, by hand or once a day by the scheduler."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from cdp_core.app.desk import Desk, act
from cdp_core.errors import HeldFault
from cdp_core.model.access import Action, Resource
from cdp_core.model.log import LogEvent
from cdp_core.model.retention import Purged
from cdp_core.runner.purging import Purging
from cdp_core.runner.services import Services
from cdp_core.runner.watch import LeaseWatch
from cdp_core.store.processes import this_process

# In seconds, between two looks whether a day has passed.
LOOK = 600.0
DAY = timedelta(days=1)
_LEASE = "purge"

log = logging.getLogger("cdp.retention")


class Retention:
    def __init__(self, desk: Desk, services: Services) -> None:
        self.desk = desk
        self._services = services

    def resource(self, name: str, arguments: Mapping[str, Any]) -> Resource:
        return Resource(kind="workspace", name=str(self._services.workspace.folder))

    @act(Action.WORKSPACE_PURGE)
    def purge(self, *, dry_run: bool = False) -> Purged:
        """Take away what is older than the settings say; with `dry_run` only count it. Raises `HeldFault`
        where somebody purges already."""
        holder = this_process(person=self.desk.actor.real)
        with LeaseWatch(self.desk.state, _LEASE, holder, threading.Event()):
            done = Purging(self._services, self.desk.actor).all(self.desk.now(), dry_run=dry_run)
        self.desk.note(**done.counts(), skipped=sorted(done.skipped), dry_run=dry_run)
        return done

    def _if_due(self) -> None:
        """Once a day, by whichever machine comes first."""
        last = self.desk.state.purges.last()
        if last is not None and self.desk.now() - last < DAY:
            return
        try:
            done = self.purge()
        except HeldFault:
            return
        counts = done.counts()
        each = ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in counts.items() if number)
        log.info("purged: %s", each or "nothing is old enough", extra=LogEvent.PURGED.about(**counts))


class Upkeep:
    """Purges once a day while a scheduler runs. The desk is its own: entries of the audit log are not mixed
    with those of runs."""

    def __init__(self, make: Callable[[], Retention], *, look: float = LOOK) -> None:
        self._retention = make()
        self._look = look

    def once(self) -> None:
        """A purge that is due."""
        try:
            self._retention._if_due()
        except Exception:  # a fault of ours ends neither the thread nor the scheduler
            log.exception("nothing was purged", extra=LogEvent.NOT_PURGED.about())

    def step(self, stop: threading.Event) -> float:
        """A purge that is due; how many seconds until the next look."""
        self.once()
        return self._look
