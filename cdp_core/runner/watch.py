"""Keeps a lease alive while its holder works, and tells it when the lease was lost or somebody asks it to
stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from cdp_core.errors import CdpError, TemporaryFault
from cdp_core.model.delivery import AudienceKey
from cdp_core.model.lease import Holder, Lease
from cdp_core.store.state import State

TTL = 60.0
BEAT = 15.0
# How long it takes at the most until a holder sees that it is asked to stop.
LOOK = 1.0


class LeaseWatch:
    """Takes the lease on entry (raises `HeldFault` where somebody holds it), renews it every `BEAT`
    seconds, releases it on exit. `lost` is set, and `stop` with it, where somebody fenced it off;
    `canceled_by`, and `stop` with it, where somebody asks its run to end; `forbidden`, and `stop` with it,
    where `objection` has something against its going on."""

    def __init__(
        self,
        state: State,
        name: AudienceKey | str,
        holder: Holder,
        stop: threading.Event,
        *,
        objection: Callable[[], CdpError | None] = lambda: None,
    ) -> None:
        self._state = state
        self._name = str(name)
        self._holder = holder
        self._stop = stop
        self._done = threading.Event()
        self.lost = threading.Event()
        self.canceled_by = ""
        self.forbidden: CdpError | None = None
        self._objection = objection

    def __enter__(self) -> Self:
        self.lease: Lease = self._state.leases.take(self._name, self._holder, TTL)
        self._thread = threading.Thread(target=self._beat, name="lease", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()
        if not self.lost.is_set():
            self._state.leases.release(self.lease)

    def _beat(self) -> None:
        renewed = time.monotonic()
        while not self._done.wait(LOOK):
            try:
                self._look()
                if time.monotonic() - renewed >= BEAT:
                    self.lease = self._state.leases.renew(self.lease, TTL)
                    renewed = time.monotonic()
            except TemporaryFault:
                # A busy state: the lease outlives some beats, and the next one asks again.
                continue
            except CdpError:
                self.lost.set()
                self._stop.set()
                return

    def _look(self) -> None:
        if not self.canceled_by and (person := self._state.leases.stop_asked_by(self.lease)):
            self.canceled_by = person
            self._stop.set()
        self.look_for_objections()

    def look_for_objections(self) -> None:
        """Look now, and not only at the next beat."""
        if self.forbidden is None and (fault := self._objection()) is not None:
            self.forbidden = fault
            self._stop.set()
