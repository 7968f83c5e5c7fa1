"""Telemetry of a workspace: opened with the first event of a run, so that no other command pays for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from cdp_core.contract.hookspecs import hookimpl
from cdp_core.model.journal import BatchRecord
from cdp_core.model.run import RunEvent
from cdp_core.telemetry.observer import Observer
from cdp_core.telemetry.providers import Providers, providers


class Telemetry:
    """An observer among the plugins. Where OpenTelemetry cannot be opened it fails, is named in the log and
    left out, as any observer is."""

    def __init__(
        self,
        *,
        batches: Callable[[str], Iterable[BatchRecord]],
        token_age: Callable[[str], float | None],
        open_providers: Callable[[], Providers] = providers,
    ) -> None:
        self._batches = batches
        self._token_age = token_age
        self._open = open_providers
        self._opened: Providers | None = None
        self._observer: Observer | None = None
        self._lags: dict[str, float] = {}
        self._opening = threading.Lock()

    @hookimpl
    def cdp_run_event(self, event: RunEvent) -> None:
        # Several threads of a run tell of it.
        with self._opening:
            if self._observer is None:
                self._opened = self._open()
                self._observer = Observer(
                    self._opened.tracer, self._opened.meter, batches=self._batches, token_age=self._token_age
                )
            lag = self._lags.pop(event.export, None)
        if lag is not None:
            self._observer.late(event.export, lag)
        self._observer.cdp_run_event(event)

    @contextmanager
    def due(self, export: str, *, lag: float) -> Iterator[None]:
        """A scheduled run of the export begins within, so many seconds after it was due. Where none does, the
        next one is not told of it."""
        self._lags[export] = lag
        try:
            yield
        finally:
            self._lags.pop(export, None)

    def close(self) -> None:
        """Send what is left."""
        if self._opened is not None:
            self._opened.close()
