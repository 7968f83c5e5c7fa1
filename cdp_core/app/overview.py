"""How everything stands, on one page: the refresh, each export's last result, and what needs somebody."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from cdp_core.alerts.alerting import GIVEN_UP_AFTER
from cdp_core.app.desk import Desk, act
from cdp_core.app.run_views import Attention, ExportGlance, Overview
from cdp_core.app.schedules import refresh_view, sizes_of
from cdp_core.errors import CdpError
from cdp_core.model.access import Action, Resource
from cdp_core.model.configuration import Connection, ConnectionStatus, Export
from cdp_core.model.names import as_typed
from cdp_core.model.run import Run, RunStatus
from cdp_core.model.sentence import Sentence
from cdp_core.rules.alerting import leading_on
from cdp_core.runner.connect import Connector
from cdp_core.runner.consents import ConsentDesk
from cdp_core.runner.dead import as_they_stand
from cdp_core.runner.runner import Runner
from cdp_core.scheduler.calendar import Calendar, shown_of

TREND = 30
# A scheduler looks every few seconds: what is due for longer has none, or waits for its next try.
LATE = timedelta(minutes=5)


class Overviews:
    def __init__(
        self,
        desk: Desk,
        runner: Runner,
        connector: Connector,
        consents: ConsentDesk,
        *,
        ways: Collection[str],
    ) -> None:
        self.desk = desk
        self._runner = runner
        self._connector = connector
        self._consents = consents
        self._ways = frozenset(ways)

    def resource(self, name: str, arguments: Mapping[str, Any]) -> Resource:
        return Resource(kind="workspace")

    @act(Action.STATUS_SHOW)
    def show(self) -> Overview:
        """Nothing is asked of any service. Of connections that are none of the actor's business nothing is
        said."""
        now = self.desk.now()
        return Overview(
            refresh=refresh_view(self.desk.state, now),
            exports=tuple(self._glance(export, now) for export in self.desk.state.exports.all()),
            attention=tuple(self._attention(now)),
        )

    def _glance(self, export: Export, now: datetime) -> ExportGlance:
        last = self._last(export)
        return ExportGlance(
            export=export.name,
            shown=shown_of(self.desk.state, export, last, now),
            run=last.id if last else None,
            at=(last.ended_at or last.started_at) if last else None,
            accepted=last.delivered.accepted if last else 0,
            left=last.delivered.unknown + last.delivered.not_sent if last and not last.dry_run else 0,
            sizes=sizes_of(self.desk.state, self._runner, export)[-TREND:],
            next=Calendar(self.desk.state).upcoming(export, now),
        )

    def _last(self, export: Export) -> Run | None:
        return next(iter(as_they_stand(self.desk.state, self.desk.state.runs.of_export(export.id, 1))), None)

    def _attention(self, now: datetime) -> Iterator[Attention]:
        for broken in self.desk.catalog.manager.broken_guards:
            yield Attention(
                about=Sentence("plugin {name}", name=broken.name),
                trouble=Sentence("it decides on access or consent and cannot be loaded: nothing is sent"),
                command="cdp plugins list",
            )
        for connection in self.desk.state.connections.all():
            if self.desk.sees(connection):
                yield from self._of_connection(connection)
        for export in self.desk.state.exports.all():
            yield from self._of_export(export, now)
        yield from self._of_alerts(now)

    def _of_alerts(self, now: datetime) -> Iterator[Attention]:
        if not self.desk.may(Action.ALERT_LIST, Resource(kind="alert")):
            return
        late = [
            alert
            for alert in self.desk.state.alerts.waiting(since=now - GIVEN_UP_AFTER)
            if now - alert.at > LATE and set(alert.waiting) & self._ways
        ]
        if late:
            yield Attention(
                about=Sentence("alerts"),
                trouble=Sentence(
                    "{number} wait to be sent by {ways}, the first for {minutes} minutes",
                    one="{number} waits to be sent by {ways}, for {minutes} minutes",
                    number=len(late),
                    ways=", ".join(sorted({way for alert in late for way in alert.waiting} & self._ways)),
                    minutes=round((now - late[0].at).total_seconds() / 60),
                ),
                command="cdp alerts test",
            )

    def _of_connection(self, connection: Connection) -> Iterator[Attention]:
        about = Sentence("connection {name}", name=as_typed(connection.name))
        name = as_typed(connection.name)
        try:
            if self._consents.gap(connection).open:
                yield Attention(
                    about=about,
                    trouble=Sentence("a consent text waits for an Administrator: nothing is sent through it"),
                    command=f"cdp connection agree {name}",
                )
            signs_in = self.desk.catalog.connection_type(connection.type).oauth is not None
        except CdpError as fault:
            yield Attention(about=about, trouble=fault.message, command=fault.hint)
            return
        sign_in = f"cdp connection authenticate {name}"
        if connection.status is ConnectionStatus.RECONNECT:
            yield Attention(
                about=about, trouble=Sentence("the service refused it: sign in again"), command=sign_in
            )
        elif signs_in and connection.status is ConnectionStatus.NEW:
            yield Attention(about=about, trouble=Sentence("nobody has signed in"), command=sign_in)
        elif signs_in:
            yield from self._of_token(connection, about, sign_in)
        if connection.export_user is None and any(
            Calendar(self.desk.state).runs_by_itself(export)
            for export in self.desk.state.connections.exports_of(connection.id)
        ):
            yield Attention(
                about=about,
                trouble=Sentence("it has no export user: its exports do not run by themselves"),
                command=f"cdp connection export-user {name}",
            )

    def _of_token(self, connection: Connection, about: str, sign_in: str) -> Iterator[Attention]:
        try:
            health = self._connector.token_health(connection)
        except CdpError as fault:
            yield Attention(about=about, trouble=fault.message, command=fault.hint)
            return
        if health is None:
            yield Attention(
                about=about, trouble=Sentence("its token is gone: sign in again"), command=sign_in
            )
        elif not health.refreshable and health.expires_in is not None:
            yield Attention(
                about=about,
                trouble=Sentence(
                    "its token ends in {minutes} minutes and cannot be refreshed",
                    minutes=max(0, round(health.expires_in / 60)),
                ),
                command=sign_in,
            )

    def _of_export(self, export: Export, now: datetime) -> Iterator[Attention]:
        about = Sentence("export {name}", name=as_typed(export.name))
        run = f"cdp export run {as_typed(export.name)}"
        schedule = Calendar(self.desk.state).schedule_of(export)
        last = self._last(export)
        if schedule.paused:
            yield Attention(
                about=about,
                trouble=Sentence(
                    "it does not run by itself until somebody has mended this: {why}", why=schedule.paused
                ),
                command=leading_on(schedule.paused, last, run),
            )
        elif last is not None and last.error_code and last.status in (RunStatus.FAILED, RunStatus.SKIPPED):
            yield Attention(
                about=about,
                trouble=f"{last.error_code}: {last.error}",
                command=last.error_hint or f"cdp export show-run {last.id}",
            )
        if last is not None and last.drift:
            yield Attention(
                about=about, trouble=last.drift[0], command=f"cdp export status {as_typed(export.name)}"
            )
        since = Calendar(self.desk.state).queued_since(export, now)
        if since is not None and now - since > LATE:
            yield Attention(
                about=about,
                trouble=Sentence(
                    "it was due {minutes} minutes ago and has not begun: does a scheduler run?",
                    minutes=round((now - since).total_seconds() / 60),
                ),
                command="cdp scheduler start",
            )
