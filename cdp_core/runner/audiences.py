"""Audiences at the service: listed, checked, made, and looked at beside what the ledger says.

To make one there is no idempotency key. What is asked for is written down first, with a marker that stands
in the audience's description: whoever asks again looks for it before another one is made.
"""

from __future__ import annotations

import dataclasses
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TypeVar

from cdp_core.contract.destination import NewAudience
from cdp_core.contract.faults import (
    AGAIN,
    PERHAPS_DONE,
    AudienceGone,
    DestinationFault,
    Throttled,
    Unanswered,
)
from cdp_core.errors import Code, InvalidFault, TemporaryFault
from cdp_core.model.configuration import Connection, ConnectionStatus, Export
from cdp_core.model.delivery import Audience, AudienceKey
from cdp_core.model.names import as_typed
from cdp_core.model.sentence import Sentence
from cdp_core.rules.drift import Drift, drift, gone
from cdp_core.runner.history import known_of
from cdp_core.runner.open_destination import OpenDestination
from cdp_core.runner.opening import unfit
from cdp_core.runner.services import Services
from cdp_core.store.new_audiences import Wish

R = TypeVar("R")
LONGEST_NOTE = 120
# Seconds; a holder that died before is noticed by its process.
LONGEST_MAKING = 6 * 3600.0


class Audiences:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._state = services.state

    def browse(self, connection: Connection) -> tuple[Audience, ...]:
        """The audiences that a connection reaches, by name."""
        with self._opened(connection) as to:
            if not to.spec.capabilities.lists_audiences:
                raise InvalidFault(
                    Code.AUDIENCE_UNFIT,
                    f"{to.spec.label} cannot list its audiences",
                    hint="look them up at the service itself",
                )
            return self._listed(to)

    def check(self, export: Export) -> str:
        """Ask the service whether the export's audience can take members; raises `InvalidFault` or
        `ReconnectFault` where it says no. Why it could not be asked, empty where it was."""
        connector = self._services.connector
        connection = connector.connection_of(export)
        if self._services.consents.gap(connection).open:
            return Sentence("nobody has agreed to the connection's consent texts")
        if not self._can_ask(connection):
            return Sentence("nobody has signed in to the service")
        try:
            with connector.destination(export) as to:
                try:
                    self._asking(to, to.destination.verify, export)
                except ValueError as reason:
                    raise unfit(export, to, reason) from reason
        except TemporaryFault as fault:
            return fault.message
        return ""

    def make(
        self, connection: Connection, *, name: str, retention: int | None, person: str
    ) -> tuple[str, str]:
        """Make an audience, or find the one that was made for the same wish before: its id, and the marker
        to `settle` once an export has it. Raises `InvalidFault` where the service does not take it, and
        `TemporaryFault` where it cannot be known whether it was made."""
        with (
            self._state.lock(f"new audience on {connection.id}", ttl=LONGEST_MAKING),
            self._opened(connection) as to,
        ):
            if not to.spec.capabilities.creates_audiences:
                raise InvalidFault(
                    Code.AUDIENCE_UNFIT,
                    f"{to.spec.label} cannot make audiences",
                    hint=f"--set {to.spec.audience_setting}=…",
                )
            kept = self._state.new_audiences.find(connection.id, name)
            listed = self._listed(to) if to.spec.capabilities.lists_audiences else ()
            if kept and (found := _marked(listed, kept)):
                return found.id, kept.marker
            _refuse_same_name(listed, name, to.spec.audience_setting)
            if kept and kept.retention_in_days != retention:
                kept = dataclasses.replace(kept, retention_in_days=retention)
                self._state.new_audiences.amend(kept)
            wish = kept or self._wish(connection, name, retention, person)
            return self._made(to, wish, is_new=kept is None).id, wish.marker

    def settle(self, marker: str) -> None:
        """An export has the audience now."""
        self._state.new_audiences.forget(marker)

    def look(self, export: Export) -> tuple[Audience | None, tuple[Drift, ...]]:
        """The export's audience as the service sees it now (None where it is gone), and its drift."""
        connector = self._services.connector
        connection = connector.connection_of(export)
        connector.require_signed_in(connection)
        known = known_of(self._state, connector.audience_of(export))
        with connector.destination(export) as to:
            try:
                audience = to.renewing(to.destination.audience_status)
            except AudienceGone:
                return None, (gone(known),)
            except DestinationFault as fault:
                raise connector.as_error(fault, connection) from fault
        return audience, drift(audience, known, now=datetime.now(UTC))

    def key_of(self, export: Export) -> AudienceKey:
        return self._services.connector.audience_of(export)

    def _can_ask(self, connection: Connection) -> bool:
        signs_in = self._services.catalog.connection_type(connection.type).oauth is not None
        return not signs_in or connection.status is ConnectionStatus.CONNECTED

    @contextmanager
    def _opened(self, connection: Connection) -> Iterator[OpenDestination]:
        self._services.consents.require(connection)
        self._services.connector.require_signed_in(connection)
        with self._services.connector.destinations(connection) as to:
            yield to

    def _listed(self, to: OpenDestination) -> tuple[Audience, ...]:
        listed = self._asking(to, lambda: list(to.destination.audiences()))
        return tuple(sorted(listed, key=lambda audience: (audience.name.casefold(), audience.id)))

    def _wish(self, connection: Connection, name: str, retention: int | None, person: str) -> Wish:
        wish = Wish(
            marker=uuid.uuid4().hex[:16],
            connection_id=connection.id,
            name=name,
            retention_in_days=retention,
            requested_by=person,
            requested_at=datetime.now(UTC),
        )
        self._state.new_audiences.keep(wish)
        return wish

    def _made(self, to: OpenDestination, wish: Wish, *, is_new: bool) -> Audience:
        request = NewAudience(
            name=wish.name, description=_description(wish), retention_in_days=wish.retention_in_days
        )
        doubt: DestinationFault | None = None

        def attempt() -> Audience:
            nonlocal doubt
            if doubt is not None:
                lists = to.spec.capabilities.lists_audiences
                if lists and (found := _marked(tuple(to.destination.audiences()), wish)):
                    return found
                if not lists or isinstance(doubt, Unanswered):
                    # It may be being made still: another request would make a second one.
                    raise self._services.connector.as_error(doubt, to.connection)
            try:
                return to.destination.create_audience(request)
            except PERHAPS_DONE as fault:
                doubt = fault
                raise

        try:
            return self._asking(to, attempt)
        except ValueError as reason:
            if is_new and doubt is None:
                self._state.new_audiences.forget(wish.marker)
            raise InvalidFault(
                Code.AUDIENCE_UNFIT, str(reason), where=f"audience {wish.name!r}", hint="nothing was made"
            ) from reason
        except TemporaryFault as fault:
            if doubt is None:
                raise
            raise TemporaryFault(
                fault.code,
                f"whether the audience {wish.name!r} was made is not known: {fault.message}",
                where=fault.where,
                hint="type the same again later: it looks for the audience before it makes another",
            ) from fault

    def _asking(self, to: OpenDestination, ask: Callable[[], R], export: Export | None = None) -> R:
        """What `ask` yields, asked again with back-off where the service is busy; its faults are told as
        ours, about the export whose audience it is."""
        import tenacity

        patience = self._services.workspace.settings.patience
        waits = tenacity.wait_exponential(multiplier=patience.first_wait, max=patience.longest_wait)
        trying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(AGAIN),
            stop=tenacity.stop_after_attempt(min(patience.attempts, 4)),
            wait=waits + tenacity.wait_random(0, patience.first_wait),
            reraise=True,
        )
        pace = self._services.connector.pace(to.connection, to.spec.capabilities)

        def once() -> R:
            time.sleep(pace.reserve())
            try:
                return to.renewing(ask)
            except Throttled as fault:
                pace.penalise(fault.retry_after or patience.first_wait)
                raise

        try:
            return trying(once)
        except DestinationFault as fault:
            raise self._services.connector.as_error(fault, to.connection, export=export) from fault


def _description(wish: Wish) -> str:
    return f"Made by cdp for {wish.requested_by} [cdp:{wish.marker}]"[-LONGEST_NOTE:]


def _marked(listed: tuple[Audience, ...], wish: Wish) -> Audience | None:
    return next((each for each in listed if f"[cdp:{wish.marker}]" in each.description), None)


def _refuse_same_name(listed: tuple[Audience, ...], name: str, setting: str) -> None:
    for audience in listed:
        if audience.name == name:
            raise InvalidFault(
                Code.AUDIENCE_EXISTS,
                f"there is an audience {name!r} already, with the id {audience.id}",
                hint=f"--set {setting}={as_typed(audience.id)} to fill that one, or another name",
            )
