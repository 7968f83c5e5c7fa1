"""Alerts: the newest, and whether they arrive."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cdp_core.alerts.alerting import Alerting
from cdp_core.app.desk import Desk, act
from cdp_core.app.run_views import AlertWay
from cdp_core.errors import Code, InvalidFault
from cdp_core.model.access import Action, Resource
from cdp_core.model.alert import Alert


class Alerts:
    def __init__(self, desk: Desk, alerting: Alerting) -> None:
        self.desk = desk
        self._alerting = alerting

    def resource(self, name: str, arguments: Mapping[str, Any]) -> Resource:
        return Resource(kind="alert")

    @act(Action.ALERT_LIST)
    def list(self, *, limit: int = 20) -> tuple[Alert, ...]:
        """The newest first; what is `waiting` has still to be sent by these ways."""
        return self.desk.state.alerts.newest(limit)

    @act(Action.ALERT_TEST)
    def test(self) -> tuple[AlertWay, ...]:
        """Send a test by every way that the settings name; raises `InvalidFault` where they name none."""
        found = self._alerting.test(self.desk.now())
        if not found:
            raise InvalidFault(
                Code.SETTING_INVALID,
                "no way is set by which alerts could be sent",
                where="[alerts] in cdp.toml",
                hint='urls = ["env:CDP_ALERT_URL"], or webhook = "https://…"',
            )
        self.desk.note(failed=[way for way, fault in found.items() if fault])
        return tuple(AlertWay(way=way, fault=fault) for way, fault in found.items())
