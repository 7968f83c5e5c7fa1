"""From a connection as it is kept to one that can be used: secrets resolved, token in hand, session open.

The libraries of sign-in and HTTP are imported where a connection is opened: most commands open none.
"""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar, cast

from cdp_core.contract.connection import ConnectionType
from cdp_core.contract.credentials import ClientCredentials
from cdp_core.contract.destination import (
    Capabilities,
    ConnectionContext,
    Delivering,
    DestinationContext,
    DestinationSpec,
)
from cdp_core.contract.faults import (
    AudienceGone,
    CredentialsRejected,
    DestinationFault,
    RightsRefused,
)
from cdp_core.contract.schemas import SettingInfo, load_settings, settings_of
from cdp_core.errors import CdpError, Code, InvalidFault, ReconnectFault, TemporaryFault, UsageFault
from cdp_core.model.configuration import Connection, ConnectionStatus, Export
from cdp_core.model.delivery import AudienceKey
from cdp_core.model.names import as_typed
from cdp_core.model.secret import MASK, Secret
from cdp_core.model.sentence import Sentence
from cdp_core.plugins.catalog import Catalog
from cdp_core.runner.open_destination import OpenDestination, concurrency
from cdp_core.runner.pace import ConnectionPace
from cdp_core.store.state import State
from cdp_core.vault.references import FORMS, parse, resolve
from cdp_core.vault.vault import Vault

if TYPE_CHECKING:
    from cdp_core.oauth.session import ConnectionSession, TokenSource
    from cdp_core.oauth.tokens import TokenHealth, TokenKeeper

R = TypeVar("R")


class Connector:
    """Knows how a connection's settings, secrets and token become something that sends."""

    def __init__(self, state: State, catalog: Catalog, vault: Vault) -> None:
        self._state = state
        self._catalog = catalog
        self._vault = vault

    def with_settings(
        self,
        connection: Connection,
        found: ConnectionType,
        settings: Mapping[str, Any],
        secrets: Mapping[str, str | Secret],
    ) -> Connection:
        """The connection with settings laid over its own; typed secrets go to the vault at once."""
        known = settings_of(found.settings_schema)
        hidden = {info.name for info in known if info.secret}
        paths = {info.name for info in known if info.is_path}
        kept: dict[str, Any] = dict(connection.settings)
        for name, value in settings.items():
            if name in hidden:
                raise InvalidFault(
                    Code.SETTING_INVALID,
                    f"{name} is a secret: it is given by reference",
                    hint=f"--secret {name}=env:NAME (or file:PATH, keyring:SERVICE/NAME)",
                )
            kept[name] = os.path.abspath(os.path.expanduser(value)) if name in paths and value else value  # noqa: PTH100, PTH111 (an unknown ~user stays)
        for name, value in secrets.items():
            if name not in hidden:
                there = ", ".join(sorted(hidden)) or "none"
                raise InvalidFault(
                    Code.SETTING_INVALID, f"{name} is no secret setting", hint=f"secret settings: {there}"
                )
            kept[name] = self._reference(connection, name, value)
        return dataclasses.replace(connection, settings=kept)

    def _reference(self, connection: Connection, name: str, value: str | Secret) -> str:
        if isinstance(value, Secret):
            place = f"connection/{connection.id}/{name}"
            self._vault.put(place, value)
            return f"vault:{place}"
        return str(parse(value, setting=name))

    def resolved(self, connection: Connection) -> dict[str, Any]:
        """The settings with every reference followed, anew each time, so that a rotated secret is seen."""
        hidden = self._hidden(connection)
        return {
            name: resolve(value, self._vault) if name in hidden else value
            for name, value in connection.settings.items()
        }

    def complaint(self, info: SettingInfo, answer: str | Secret) -> str:
        """What is wrong with one setting's answer by itself; a secret's reference is followed. Empty where
        nothing is."""
        if not info.secret or isinstance(answer, Secret):
            return info.complaint(answer)
        try:
            return info.complaint(resolve(parse(answer, setting=info.name), self._vault))
        except UsageFault:
            return Sentence("A reference reads {forms}.", forms=FORMS)
        except CdpError as fault:
            return Sentence("That does not do: {trouble}.", trouble=fault.message)

    def settings(self, connection: Connection) -> dict[str, Any]:
        """The settings as their schema loads them; raises `InvalidFault` naming what is wrong."""
        schema = self._catalog.connection_type(connection.type).settings_schema
        return load_settings(schema, self.resolved(connection), what=f"connection {connection.name!r}")

    def plain(self, connection: Connection) -> dict[str, Any]:
        """The settings that are not secret, with their defaults: enough to know where a connection leads."""
        schema = self._catalog.connection_type(connection.type).settings_schema
        defaults = {info.name: info.default for info in settings_of(schema) if not info.secret}
        hidden = self._hidden(connection)
        return defaults | {name: value for name, value in connection.settings.items() if name not in hidden}

    def shown(self, connection: Connection) -> dict[str, str]:
        """The settings as an Administrator may see them: of a secret, only where it is kept."""
        hidden = self._hidden(connection)
        return {
            name: (f"{MASK} ({value.partition(':')[0]})" if name in hidden else str(value))
            for name, value in connection.settings.items()
        }

    def keeper(self, connection: Connection) -> TokenKeeper:
        """The keeper of the connection's token; the connection is marked when the service turns it down."""
        from cdp_core.oauth.tokens import TokenKeeper

        found = self._catalog.connection_type(connection.type)
        if found.oauth is None:
            raise TypeError(f"connections of type {connection.type!r} do not sign in")

        def reconnect(_reason: str) -> None:
            today = self._state.connections.by_id(connection.id)
            self._state.connections.update(dataclasses.replace(today, status=ConnectionStatus.RECONNECT))

        return TokenKeeper(
            connection_id=connection.id,
            connection_name=connection.name,
            oauth=found.oauth,
            settings=self.settings(connection),
            vault=self._vault,
            lock=self._state.lock,
            on_reconnect=reconnect,
            client_hint=self._client_hint(connection),
        )

    def token_health(self, connection: Connection) -> TokenHealth | None:
        """Age, scope and next refresh of the token, never its value; None where there is none."""
        return self.keeper(connection).health()

    def forget(self, connection: Connection) -> None:
        """Delete what the vault keeps for a connection that is removed."""
        self._vault.delete(f"token/{connection.id}")
        for name in self._hidden(connection):
            self._vault.delete(f"connection/{connection.id}/{name}")

    @contextmanager
    def open(self, connection: Connection, *, concurrency: int = 4) -> Iterator[ConnectionContext]:
        """A session that carries the connection's credentials; closed at the end."""
        from cdp_core.contract.transport import Transport
        from cdp_core.oauth.session import ConnectionSession

        found = self._catalog.connection_type(connection.type)
        settings = self.settings(connection)
        tokens: TokenSource | None = None
        credentials = found.credentials(settings) if found.credentials else None
        if found.oauth is not None:
            self.require_connected(connection)
            tokens = self.keeper(connection)
        elif isinstance(credentials, ClientCredentials):
            from cdp_core.oauth.client_tokens import ClientTokens

            transport = Transport.of(settings)
            tokens = ClientTokens(
                credentials,
                connection_name=connection.name,
                transport=transport,
                client_hint=self._client_hint(connection),
            )
        if tokens is not None:
            tokens.current()
        with ConnectionSession(
            origin=self.origin(connection),
            tokens=tokens,
            credentials=None if isinstance(credentials, ClientCredentials) else credentials,
            transport=Transport.of(settings),
            connection_name=connection.name,
            pool_size=concurrency,
        ) as session:
            yield ConnectionContext(settings=settings, http=session, clock=time.time)

    @staticmethod
    def renewing(context: ConnectionContext, ask: Callable[[], R]) -> R:
        """What `ask` yields, with a newer token where the service turns down the one in use."""
        from cdp_core.oauth.session import with_renewal

        return with_renewal(cast("ConnectionSession", context.http), ask)

    def require_connected(self, connection: Connection) -> None:
        """Raise `ReconnectFault`, before any request, where the service has turned the connection down."""
        if connection.status is ConnectionStatus.RECONNECT:
            raise ReconnectFault(
                Code.RECONNECT,
                "the service does not accept this connection's credentials any more",
                where=f"connection {connection.name!r}",
                hint=f"sign in again: cdp connection authenticate {as_typed(connection.name)}",
            )

    def require_signed_in(self, connection: Connection) -> None:
        """Raise `ReconnectFault` where nobody has signed in yet, or where it must be done again."""
        found = self._catalog.connection_type(connection.type)
        if found.oauth is not None and connection.status is ConnectionStatus.NEW:
            raise ReconnectFault(
                Code.NOT_CONNECTED,
                "nobody has signed in to the service",
                where=f"connection {connection.name!r}",
                hint=f"cdp connection authenticate {as_typed(connection.name)}",
            )
        self.require_connected(connection)

    @contextmanager
    def destination(self, export: Export, delivering: Delivering | None = None) -> Iterator[OpenDestination]:
        """The export's audience, ready to be sent to by a run, or to be asked for."""
        spec = self._catalog.destination(export.destination)
        settings = load_settings(spec.settings_schema, export.settings, what=f"export {export.name!r}")
        with self._destination(self.connection_of(export), spec, settings, delivering) as opened:
            yield opened

    @contextmanager
    def destinations(self, connection: Connection) -> Iterator[OpenDestination]:
        """What lists and makes the audiences that a connection reaches; it has none of its own."""
        spec = self._catalog.destination_for(connection.type)
        defaults = {info.name: info.default for info in settings_of(spec.settings_schema)}
        settings = {name: value for name, value in defaults.items() if value is not None}
        with self._destination(connection, spec, settings) as opened:
            yield opened

    @contextmanager
    def _destination(
        self,
        connection: Connection,
        spec: DestinationSpec,
        settings: Mapping[str, Any],
        delivering: Delivering | None = None,
    ) -> Iterator[OpenDestination]:
        with self.open(connection, concurrency=concurrency(spec, settings)) as context:
            about = DestinationContext(connection=context, settings=settings, delivering=delivering)
            destination = spec.factory(about)
            yield OpenDestination(
                destination=destination,
                spec=spec,
                settings=settings,
                connection=connection,
                http=cast("ConnectionSession", context.http),
            )

    def connection_of(self, export: Export) -> Connection:
        if export.connection_id is None:
            raise InvalidFault(
                Code.NO_CONNECTION,
                f"export {export.name!r} has no connection",
                hint=f"cdp export attach {as_typed(export.name)} --connection NAME",
            )
        return self._state.connections.by_id(export.connection_id)

    def audience_of(self, export: Export) -> AudienceKey:
        """What the ledger calls the export's audience."""
        spec = self._catalog.destination(export.destination)
        return AudienceKey(
            destination=spec.key,
            origin=self.origin(self.connection_of(export)),
            audience_id=str(export.settings.get(spec.audience_setting, "")),
        )

    def origin(self, connection: Connection) -> str:
        """Scheme, host and port of the service's API."""
        return self._catalog.connection_type(connection.type).origin(self.plain(connection))

    def pace(self, connection: Connection, capabilities: Capabilities) -> ConnectionPace:
        """The limits under which a connection's requests go."""
        found, settings = self._catalog.connection_type(connection.type), self.plain(connection)
        return ConnectionPace(
            state=self._state,
            connection_id=connection.id,
            rate=found.rate(settings) if found.rate else capabilities.rate,
            app=f"{connection.type}/{found.app(settings)}" if found.app else "",
            app_rate=capabilities.app_rate,
        )

    def as_error(
        self, fault: DestinationFault, connection: Connection, *, export: Export | None = None
    ) -> CdpError:
        """What a destination's fault means for whoever runs it; `export` is the one whose audience was asked
        for."""
        where = f"connection {connection.name!r}"
        if isinstance(fault, CredentialsRejected):
            return ReconnectFault(
                Code.RECONNECT,
                f"the service refused the credentials: {fault.message}",
                where=where,
                hint=f"cdp connection authenticate {as_typed(connection.name)}",
            )
        if isinstance(fault, RightsRefused):
            signs_in = self.signs_in(connection)
            who = "the signed-in user" if signs_in else "the connection"
            return ReconnectFault(
                Code.RIGHTS_REFUSED,
                f"{who} may not do this at the service: {fault.message}",
                where=where,
                hint="have the rights granted there, or sign in as somebody who has them"
                if signs_in
                else f"have them granted there, then: cdp connection verify {as_typed(connection.name)}",
            )
        if isinstance(fault, AudienceGone):
            return self._gone(fault, connection, export)
        return TemporaryFault(
            Code.SERVICE_UNREACHABLE,
            f"the service cannot be reached, or does not answer as it should: {fault.message}",
            where=where,
            hint="try again; if it goes on, look at the service's own status page and at your network",
        )

    def _gone(self, fault: AudienceGone, connection: Connection, export: Export | None) -> InvalidFault:
        if export is None:
            return InvalidFault(
                Code.AUDIENCE_GONE,
                f"the service does not know what was asked for: {fault.message}",
                where=f"connection {connection.name!r}",
                hint=f"check the connection's settings: cdp connection show {as_typed(connection.name)}",
            )
        spec, name = self._catalog.destination(export.destination), as_typed(export.name)
        known = True
        with suppress(TemporaryFault):  # a state that is busy is no reason to say another fault
            known = any(each.id == export.id for each in self._state.exports.all())
        another = f"{f'cdp export edit {name} ' if known else ''}--set {spec.audience_setting}=…"
        listed = f" (cdp connection audiences {as_typed(connection.name)} lists them)"
        return InvalidFault(
            Code.AUDIENCE_GONE,
            f"the service does not know the audience {self.audience_of(export).audience_id}: {fault.message}",
            where=f"export {export.name!r}",
            hint=f"see whether it is there; another one: {another}"
            f"{listed if spec.capabilities.lists_audiences else ''}",
        )

    def signs_in(self, connection: Connection) -> bool:
        """Whether somebody signs in; else its settings alone let it in."""
        found = self._catalog.connection_types.get(connection.type)
        return found is None or found.oauth is not None

    def _client_hint(self, connection: Connection) -> str:
        """Where to look when the service does not know the client: a reference is no secret."""
        name, hidden = as_typed(connection.name), self._hidden(connection)
        secrets = ", ".join(
            f"{setting} ({'in the vault' if str(place).startswith('vault:') else place})"
            for setting, place in sorted(connection.settings.items())
            if setting in hidden and place
        )
        return (
            f"compare its id, {secrets or 'its secret'} and what it may do with the app's registration; mend "
            f"them there or with cdp connection edit {name}, then: cdp connection verify {name}"
        )

    def _hidden(self, connection: Connection) -> frozenset[str]:
        found = self._catalog.connection_types.get(connection.type)
        if found is None:
            return frozenset(connection.settings)
        return frozenset(info.name for info in settings_of(found.settings_schema) if info.secret)
