"""Keeps a lease alive while its holder works, and tells it when the lease was lost."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

from cdp_core.errors import CdpError, TemporaryFault
from cdp_core.model.delivery import AudienceKey
from cdp_core.model.lease import Holder, Lease
from cdp_core.store.state import State

TTL = 60.0
BEAT = 15.0


class LeaseWatch:
    """Takes the lease on entry (raises `HeldFault` where somebody holds it), renews it every `BEAT`
    seconds, releases it on exit. `lost` is set, and `stop` with it, where somebody fenced it off."""

    def __init__(self, state: State, name: AudienceKey | str, holder: Holder, stop: threading.Event) -> None:
        self._state = state
        self._name = str(name)
        self._holder = holder
        self._stop = stop
        self._done = threading.Event()
        self.lost = threading.Event()

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
        while not self._done.wait(BEAT):
            try:
                self.lease = self._state.leases.renew(self.lease, TTL)
            except TemporaryFault:
                # A busy state: the lease outlives some beats, and the next one asks again.
                continue
            except CdpError:
                self.lost.set()
                self._stop.set()
                return
