"""Alerts, written down before they are sent: what could not be sent is tried again with the next one."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from cdp_core.alerts.ways import Ways
from cdp_core.errors import CdpError, InvalidFault
from cdp_core.model.alert import Alert, AlertKind
from cdp_core.model.configuration import Export
from cdp_core.model.names import as_typed
from cdp_core.model.schedule import DueRun
from cdp_core.rules.alerting import after
from cdp_core.store.state import State

# Yesterday's news is not sent late at night: `cdp alerts list` has it.
GIVEN_UP_AFTER = timedelta(hours=24)

log = logging.getLogger("cdp.alerts")


class Alerting:
    def __init__(self, state: State, ways: Ways, *, unusual_share: float) -> None:
        self._state = state
        self._ways = ways
        self._share = unusual_share

    def after(self, export: Export, due: DueRun, sizes: Sequence[int], *, now: datetime) -> None:
        """Tell what a due run has changed. That it cannot be told is no failure of the run."""
        if not self._ways.names:
            return
        before = self._state.alerts.standing(export.id)
        standing, told = after(before, due, sizes, share=self._share)
        alerts = [
            Alert(
                id=uuid.uuid4().hex,
                at=now,
                kind=each.kind,
                export=export.name,
                message=each.message,
                hint=_hint(each.kind, export, due),
                run_id=due.run_id,
                waiting=self._ways.names,
            )
            for each in told
        ]
        self._state.alerts.record(export.id, standing, alerts)
        self.send_waiting(now)

    def send_waiting(self, now: datetime) -> None:
        """Send what has not been sent yet by every way, the oldest first."""
        for alert in self._state.alerts.waiting(since=now - GIVEN_UP_AFTER):
            left = tuple(
                way for way in alert.waiting if way in self._ways.names and not self._sent(alert, way)
            )
            self._state.alerts.leave(alert.id, left)

    def test(self, now: datetime) -> dict[str, CdpError | None]:
        """Send a test by every way; what stood in the way of each, None where nothing did."""
        alert = Alert(
            id=uuid.uuid4().hex, at=now, kind=AlertKind.TEST, export="", message="Alerts of cdp arrive here."
        )
        found: dict[str, CdpError | None] = {}
        for way in self._ways.names:
            try:
                self._ways.send(alert, way)
                found[way] = None
            except CdpError as fault:
                found[way] = fault
        return found

    def _sent(self, alert: Alert, way: str) -> bool:
        """Whether nothing is to be tried again."""
        try:
            self._ways.send(alert, way)
        except CdpError as fault:
            log.warning("%s", fault, extra={"event": "alert-not-sent", "export": alert.export})
            return isinstance(fault, InvalidFault)
        return True


def _hint(kind: AlertKind, export: Export, due: DueRun) -> str:
    if kind is AlertKind.UNUSUAL or kind is AlertKind.RECOVERED:
        return f"cdp export history {as_typed(export.name)}"
    if kind is AlertKind.MISSED:
        return "cdp scheduler start"
    return f"cdp export show-run {due.run_id}" if due.run_id else f"cdp export run {as_typed(export.name)}"
