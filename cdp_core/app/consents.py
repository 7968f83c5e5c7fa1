"""Consent on record: who agreed to what, the texts themselves, and its end, which stops every run at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cdp_core.app.consent_views import (
    ConsentStandingView,
    ConsentTextView,
    SentView,
    StoppedRun,
    TakenOut,
    WithdrawalView,
)
from cdp_core.app.desk import Desk, act
from cdp_core.errors import CdpError, Code, InvalidFault
from cdp_core.model.access import Action, Resource
from cdp_core.model.configuration import Connection, Consent, Export
from cdp_core.model.names import as_typed
from cdp_core.model.run import RunEvent
from cdp_core.rules.consent import ConsentStanding, Hold
from cdp_core.runner.canceling import end_of, under_way
from cdp_core.runner.consents import ConsentDesk
from cdp_core.runner.rights import about_connection
from cdp_core.runner.runner import Runner


class Consents:
    def __init__(self, desk: Desk, consents: ConsentDesk, runner: Runner) -> None:
        self.desk = desk
        self._consents = consents
        self._runner = runner

    def resource(self, name: str, arguments: Mapping[str, Any]) -> Resource:
        found = next((each for each in self.desk.state.connections.all() if each.name == name), None)
        return about_connection(found, name)

    @act(Action.CONSENT_LIST)
    def list(self) -> tuple[ConsentStandingView, ...]:
        """Of every connection, how the consent to each text stands."""
        return tuple(
            self._standing(connection, found)
            for connection in self.desk.state.connections.all()
            for found in self._consents.standings(connection)
        )

    @act(Action.CONSENT_SHOW)
    def show(self, connection: str) -> tuple[ConsentTextView, ...]:
        """The texts that were agreed to for a connection, as they were then; of those that nobody has agreed
        to, or that have changed since, also how they read today."""
        over = self.desk.state.connections.get(connection)
        return tuple(
            ConsentTextView(
                standing=self._standing(over, found),
                text=found.record.prompt.text if found.record else None,
                text_today=found.prompt.text if found.prompt and found.hold is not Hold.HOLDS else None,
            )
            for found in self._consents.standings(over)
        )

    @act(Action.CONSENT_WITHDRAW)
    def withdraw(self, connection: str, *, within: float = 60.0) -> WithdrawalView:
        """End every consent of a connection, and with it all sending through it: a run that is under way
        anywhere sees it within a second, and ends after its batches in flight. Waits for that so many
        seconds.

        Where all was withdrawn before, it only tells what is left. Raises `InvalidFault` where there is
        neither a consent nor anything that was sent.
        """
        state, now = self.desk.state, self.desk.now()
        over = state.connections.get(connection)
        ended = [record for record in state.consents.of(over.id) if not record.is_withdrawn]
        sent = self._sent(over)
        if not ended and not sent:
            raise InvalidFault(
                Code.NOTHING_TO_WITHDRAW,
                f"connection {connection!r} has no consent to withdraw, and nothing was sent through it",
                where=f"connection {connection!r}",
                hint="cdp consent list",
            )
        state.consents.withdraw(over.id, by=self.desk.actor.real, at=now)
        self.desk.note(withdrawn={record.prompt.key: record.prompt.digest for record in ended})
        runs = tuple(self._stopped(over, within))
        self.desk.note(stopped=[each.run for each in runs])
        return WithdrawalView(
            connection=connection,
            texts=tuple(dict.fromkeys(record.prompt.title for record in ended)),
            withdrawn_by=self.desk.actor.real,
            withdrawn_at=now,
            runs=runs,
            # What a run had under way has been committed by now.
            sent=self._sent(over),
        )

    @act(Action.CONSENT_TAKE_OUT)
    def take_out(
        self, connection: str, *, progress: Callable[[RunEvent], None] | None = None
    ) -> tuple[TakenOut, ...]:
        """Take out of their audiences what the exports of a connection have put there, but for what exports
        elsewhere claim, too: a run for each. It needs no consent, since it only has hashes removed that are
        there. What stops one export keeps none of the others from its turn.

        Raises `InvalidFault` where the consent stands: the next run would put everybody back.
        """
        over = self.desk.state.connections.get(connection)
        if not self._consents.gap(over).open:
            raise InvalidFault(
                Code.IN_USE,
                f"the consent for connection {connection!r} stands: what is taken out would be sent again",
                where=f"connection {connection!r}",
                hint=f"cdp consent withdraw {as_typed(connection)} --remove",
            )
        found = tuple(
            self._taken_out(export, claims, progress) for export, claims in self._claims(over) if claims
        )
        self.desk.note(taken_out={each.export: each.members for each in found if each.fault is None})
        return found

    def _taken_out(
        self, export: Export, claims: int, progress: Callable[[RunEvent], None] | None
    ) -> TakenOut:
        try:
            run = self._runner.take_out(export, self.desk.actor, progress)
        except CdpError as fault:
            return TakenOut(
                export=export.name, members=claims, left=self._runner.claims_of(export), run=None, fault=fault
            )
        return TakenOut(export=export.name, members=claims, left=0, run=run.id, fault=None)

    def _stopped(self, connection: Connection, within: float) -> Iterator[StoppedRun]:
        """The runs that were under way, each as it stands when it has ended, or when the time is over."""
        state, until = self.desk.state, time.monotonic() + within
        at_work = []
        for export in state.connections.exports_of(connection.id):
            try:
                run = under_way(state, export, self._runner.audience_of(export))
            except InvalidFault:  # its plugin is not loaded: nothing of it runs here
                continue
            if run is not None:
                at_work.append(run)
        for run in at_work:
            stands = end_of(state, run, within=max(0.0, until - time.monotonic()))
            yield StoppedRun(
                export=run.export_name,
                run=run.id,
                ended=stands.ended_at is not None,
                accepted=stands.delivered.accepted,
            )

    def _sent(self, connection: Connection) -> tuple[SentView, ...]:
        return tuple(
            SentView(export=export.name, members=claims)
            for export, claims in self._claims(connection)
            if claims
        )

    def _claims(self, connection: Connection) -> Iterator[tuple[Export, int]]:
        for export in self.desk.state.connections.exports_of(connection.id):
            try:
                yield export, self._runner.claims_of(export)
            except InvalidFault:  # without its plugin, which audience it is cannot be told
                continue

    def _standing(self, connection: Connection, found: ConsentStanding) -> ConsentStandingView:
        record = found.record
        return ConsentStandingView(
            connection=connection.name,
            prompt=found.text.key,
            title=found.text.title,
            state=found.hold,
            version=record.prompt.version if record else None,
            language=record.prompt.language if record else None,
            digest=record.prompt.digest if record else None,
            agreed_by=record.agreed_by if record else None,
            agreed_at=record.agreed_at if record else None,
            role_lost=record is not None and not self._may_agree(connection, record),
            withdrawn_by=record.withdrawn_by if record else None,
            withdrawn_at=record.withdrawn_at if record else None,
        )

    def _may_agree(self, connection: Connection, record: Consent) -> bool:
        """Whether the person who agreed could still do so."""
        actor = self.desk.state.grants.actor(record.agreed_by)
        about = about_connection(connection)
        return self.desk.catalog.authorize(actor, Action.CONNECTION_AGREE, about).allowed
