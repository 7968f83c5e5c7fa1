"""Alerts, written down with what they tell of, and sent after: what could not be sent is tried again."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Container, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from cdp_core.alerts.ways import Ways
from cdp_core.errors import CdpError, HeldFault
from cdp_core.model.alert import Alert, AlertKind
from cdp_core.model.configuration import Export
from cdp_core.model.lease import Lease
from cdp_core.model.log import LogEvent
from cdp_core.model.names import as_typed
from cdp_core.model.schedule import DueRun
from cdp_core.rules.alerting import after, leading_on
from cdp_core.store.processes import this_process
from cdp_core.store.state import State

# Yesterday's news is not sent late at night: `cdp alerts list` has it.
GIVEN_UP_AFTER = timedelta(hours=24)
# Whoever sends holds it, for longer than one alert takes by one way.
LEASE, TTL = "alerts", 120.0

log = logging.getLogger("cdp.alerts")


class Alerting:
    def __init__(self, state: State, ways: Ways, *, unusual_share: float) -> None:
        self._state = state
        self._ways = ways
        self._share = unusual_share

    def note(self, export: Export, due: DueRun, sizes: Sequence[int], *, now: datetime) -> None:
        """Write down what a due run changes as it begins or ends, to be sent once that is committed."""
        if not self._ways.names:
            return
        before = self._state.alerts.standing(export.id)
        standing, told = after(before, due, sizes, share=self._share, mended=self._was_mended(due))
        if standing == before and not told:
            return
        alerts = [
            Alert(
                id=uuid.uuid4().hex,
                at=now,
                kind=each.kind,
                export=export.name,
                message=each.message,
                hint=self._hint(each.kind, export, due),
                run_id=due.run_id,
                waiting=self._ways.names,
            )
            for each in told
        ]
        self._state.alerts.record(export.id, standing, alerts)

    def _hint(self, kind: AlertKind, export: Export, due: DueRun) -> str:
        if kind is AlertKind.UNUSUAL or kind is AlertKind.RECOVERED:
            return f"cdp export history {as_typed(export.name)}"
        if kind is AlertKind.MISSED:
            return "cdp scheduler start"
        if due.run_id:
            return f"cdp export show-run {due.run_id}"
        last = next(iter(self._state.runs.of_export(export.id, 1)), None)
        return str(leading_on(due.message, last, f"cdp export run {as_typed(export.name)}"))

    def _was_mended(self, due: DueRun) -> bool:
        last = self._state.due_runs.at_fault_before(due.export_id, due.due_at)
        if last is None or last.updated_at is None:
            return False
        return self._state.runs.went_through(due.export_id, since=last.updated_at) is not None

    def send_waiting(self, now: datetime, stop: threading.Event | None = None) -> bool:
        """Send what has not been sent yet by every way, the oldest first; whether something is left to be
        tried again. One process does so at a time. What stands in the way is no failure of whoever asks.
        Setting `stop` ends it after the alert that is being sent."""
        if not self._ways.names:
            return False
        try:
            if not self._state.alerts.waiting(since=now - GIVEN_UP_AFTER):
                return False
            lease = self._state.leases.take(LEASE, this_process(), TTL)
        except CdpError as fault:
            _not_sent(fault)
            return True
        try:
            return self._send_all(lease, now, stop or threading.Event())
        except CdpError as fault:
            _not_sent(fault)
            return True
        finally:
            # Of one that another has taken, nothing is released.
            with suppress(CdpError):
                self._state.leases.release(lease)

    def _send_all(self, lease: Lease, now: datetime, stop: threading.Event) -> bool:
        tried: set[tuple[str, str]] = set()
        left = False
        # Looked up anew: what another has just sent is not sent again, and what comes meanwhile goes too.
        while waiting := self._untried(tried, now):
            for alert, way in waiting:
                if stop.is_set():
                    return True
                self._state.leases.renew(lease, TTL)
                tried.add((alert.id, way))
                if way not in self._ways.names or self._sent(alert, way):
                    self._state.alerts.sent(alert.id, way)
                else:
                    left = True
        return left

    def _untried(self, tried: Container[tuple[str, str]], now: datetime) -> list[tuple[Alert, str]]:
        return [
            (alert, way)
            for alert in self._state.alerts.waiting(since=now - GIVEN_UP_AFTER)
            for way in alert.waiting
            if (alert.id, way) not in tried
        ]

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
        """What cannot be sent for a setting is tried again as well: somebody may mend it meanwhile."""
        try:
            self._ways.send(alert, way)
        except CdpError as fault:
            _not_sent(fault, alert.export)
            return False
        return True


def _not_sent(fault: CdpError, export: str = "") -> None:
    if not isinstance(fault, HeldFault):
        log.warning("%s", fault, extra=LogEvent.ALERT_NOT_SENT.about(export=export))
