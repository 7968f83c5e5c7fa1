"""Telemetry of a workspace: opened with the first event of a run, so that no other command pays for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

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

    @hookimpl
    def cdp_run_event(self, event: RunEvent) -> None:
        if self._observer is None:
            self._opened = self._open()
            self._observer = Observer(
                self._opened.tracer, self._opened.meter, batches=self._batches, token_age=self._token_age
            )
        if event.export in self._lags:
            self._observer.late(event.export, self._lags.pop(event.export))
        self._observer.cdp_run_event(event)

    def due(self, export: str, *, lag: float) -> None:
        """A scheduled run of the export begins now, so many seconds after it was due."""
        self._lags[export] = lag

    def close(self) -> None:
        """Send what is left."""
        if self._opened is not None:
            self._opened.close()
