"""Connections: an Administrator says where data may go. Consent, sign-in, sharing, removal."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from cdp_core.app.desk import Desk, act
from cdp_core.app.views import ConnectionForm, ConnectionView, ConsentView
from cdp_core.contract.connection import Choice, ServiceIdentity
from cdp_core.contract.faults import DestinationFault
from cdp_core.contract.schemas import SettingInfo, load_settings, settings_of
from cdp_core.errors import Code, InvalidFault, NotAllowedFault, ReconnectFault
from cdp_core.model.access import Action, Resource
from cdp_core.model.configuration import Connection, ConnectionStatus, Consent, ConsentPrompt
from cdp_core.model.names import as_typed, checked_name
from cdp_core.model.secret import Secret
from cdp_core.rules.access import all_roles
from cdp_core.runner.connect import Connector
from cdp_core.runner.consents import ENGLISH, ConsentDesk
from cdp_core.runner.rights import about_connection

Agree = Callable[[Sequence[ConsentPrompt]], bool]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Dialogue:
    """How a face talks with the person who signs in.

    `ask_paste` asks for the redirected URL (None where nobody can be asked); `paste` asks for it even
    where the redirect could be listened for; `timeout` is how many seconds a listener waits;
    `redirect_uri` stands in for the connection's own. `choose` picks one of the values that the service
    offers for a setting; None where nobody can be asked.
    """

    show_url: Callable[[str], None]
    open_browser: bool = True
    ask_paste: Callable[[], str] | None = None
    paste: bool = False
    timeout: float = 300.0
    redirect_uri: str = ""
    choose: Callable[[SettingInfo, Sequence[Choice]], Choice] | None = None


class Connections:
    def __init__(self, desk: Desk, connector: Connector, consents: ConsentDesk) -> None:
        self.desk = desk
        self._connector = connector
        self._consents = consents

    def resource(self, name: str, arguments: Mapping[str, Any]) -> Resource:
        found = next((each for each in self.desk.state.connections.all() if each.name == name), None)
        return about_connection(found, name)

    @act(Action.CONNECTION_TYPES)
    def form(self, type: str) -> ConnectionForm:  # noqa: A002 (the field's own word)
        """What must be asked to add a connection of a type."""
        found = self.desk.catalog.connection_type(type)
        return ConnectionForm(
            type=found.key,
            label=found.label,
            settings=settings_of(found.settings_schema),
            signs_in=found.oauth is not None,
            complaint=self._connector.complaint,
        )

    @act(Action.CONNECTION_ADD)
    def add(
        self,
        name: str,
        *,
        type: str,  # noqa: A002
        settings: Mapping[str, Any],
        secrets: Mapping[str, str | Secret],
        share_with: Iterable[str] = (),
        agree: Agree | None = None,
    ) -> ConnectionView:
        """Keep a connection, after showing its consent prompts through `agree`.

        `secrets` are references (`env:NAME`, …) or values typed at a hidden prompt, which go to the
        vault. Without agreement the connection is kept all the same, and nothing can be sent over it.
        """
        if agree is not None and not self.desk.actor.is_real:
            raise NotAllowedFault(
                Code.REAL_PERSON_NEEDED,
                f"consent needs the real person; {self.desk.actor.real} acts as {self.desk.actor.name}",
                hint="leave out --as; nothing was added",
            )
        found = self.desk.catalog.connection_type(type)
        connection = Connection(
            id=uuid.uuid4().hex,
            name=checked_name(name, "connection"),
            type=found.key,
            shared_with=self._people(share_with),
            created_by=self.desk.actor.name,
            created_at=self.desk.now(),
        )
        connection = self._with_settings(connection, settings, secrets)
        self.desk.state.connections.add(connection)
        self.desk.note(after=self._connector.shown(connection))
        if agree is not None:
            self._ask(connection, agree)
        return self._view(connection)

    @act(Action.CONNECTION_LIST)
    def list(self) -> tuple[ConnectionView, ...]:
        """All connections for an Administrator; name and type of the shared ones for others."""
        return tuple(
            self._view(connection)
            for connection in self.desk.state.connections.all()
            if self.desk.sees(connection)
        )

    @act(Action.CONNECTION_SHOW)
    def show(self, name: str) -> ConnectionView:
        return self._view(self.desk.state.connections.get(name))

    @act(Action.CONNECTION_EDIT)
    def edit(
        self,
        name: str,
        *,
        settings: Mapping[str, Any] | None = None,
        secrets: Mapping[str, str | Secret] | None = None,
        new_name: str | None = None,
        unset: Collection[str] = (),
    ) -> ConnectionView:
        """Change some settings or the name; its exports go on with the new ones. Those in `unset` are what
        they are where nobody has set them."""
        before = self.desk.state.connections.get(name)
        kept = {each: value for each, value in before.settings.items() if each not in unset}
        after = dataclasses.replace(before, settings=kept)
        if settings or secrets or unset:
            after = self._with_settings(after, settings or {}, secrets or {})
        if new_name is not None:
            after = dataclasses.replace(after, name=checked_name(new_name, "connection"))
        self._refuse_other_origin(before, after)
        self.desk.state.connections.update(after)
        self.desk.note(before=self._connector.shown(before), after=self._connector.shown(after))
        return self._view(after)

    @act(Action.CONNECTION_SHARE)
    def share(self, name: str, *, add: Iterable[str] = (), remove: Iterable[str] = ()) -> ConnectionView:
        """Share with roles or people, or take a share back; exports on it keep running either way."""
        before = self.desk.state.connections.get(name)
        shared = (before.shared_with | self._people(add)) - frozenset(remove)
        after = dataclasses.replace(before, shared_with=shared)
        self.desk.state.connections.update(after)
        self.desk.note(before=sorted(before.shared_with), after=sorted(shared))
        return self._view(after)

    @act(Action.CONNECTION_AGREE)
    def agree(self, name: str, *, agree: Agree) -> ConnectionView:
        """Show what is not agreed to yet, and record the agreement of the person who acts."""
        connection = self.desk.state.connections.get(name)
        self._ask(connection, agree)
        return self._view(connection)

    @act(Action.CONNECTION_AUTHENTICATE)
    def authenticate(self, name: str, *, dialogue: Dialogue) -> ConnectionView:
        """Sign in at the service, say who one is there, and become the export user."""
        connection = self.desk.state.connections.get(name)
        self._consents.require(connection)
        found = self.desk.catalog.connection_type(connection.type)
        if found.oauth is not None:
            # It brings the libraries of sign-in, which no other act needs.
            from cdp_core.oauth.sign_in import SignIn

            settings = self._connector.settings(connection)
            sign_in = SignIn(
                connection=name,
                oauth=found.oauth,
                settings=settings,
                timeout=dialogue.timeout,
                redirect_uri=dialogue.redirect_uri,
            )
            token = sign_in.run(
                show_url=dialogue.show_url,
                open_browser=dialogue.open_browser,
                ask_paste=dialogue.ask_paste,
                paste=dialogue.paste,
            )
            self._connector.keeper(connection).keep(token)
        connection = dataclasses.replace(connection, status=ConnectionStatus.CONNECTED)
        identity = self._identify(connection)
        connection = self._chosen(connection, identity, dialogue)
        after = dataclasses.replace(
            connection,
            identity={"name": identity.name, **identity.details},
            export_user=connection.export_user or self.desk.actor.real,
            authenticated_at=self.desk.now(),
        )
        self.desk.state.connections.update(after)
        self.desk.note(identity=identity.name, export_user=after.export_user)
        return self._view(after, identity)

    @act(Action.CONNECTION_VERIFY)
    def verify(self, name: str) -> ConnectionView:
        """Ask the service who one is; raises where the credentials or the rights do not hold."""
        connection = self.desk.state.connections.get(name)
        identity = self._identify(connection)
        self.desk.note(identity=identity.name)
        known = dataclasses.replace(connection, identity={"name": identity.name, **identity.details})
        return self._view(known, identity)

    @act(Action.CONNECTION_EXPORT_USER)
    def export_user(self, name: str) -> ConnectionView:
        """The person who acts becomes the one in whose name runs that nobody starts happen."""
        before = self.desk.state.connections.get(name)
        after = dataclasses.replace(before, export_user=self.desk.actor.real)
        self.desk.state.connections.update(after)
        self.desk.note(before=before.export_user, after=after.export_user)
        return self._view(after)

    @act(Action.CONNECTION_REMOVE)
    def remove(self, name: str) -> None:
        """Refused while exports use it: remove or detach them first."""
        connection = self.desk.state.connections.get(name)
        users = [export.name for export in self.desk.state.connections.exports_of(connection.id)]
        if users:
            raise InvalidFault(
                Code.IN_USE,
                f"connection {name!r} is used by: {', '.join(users)}",
                hint=f"cdp export detach {as_typed(users[0])} (it keeps its configuration), "
                "or cdp export remove",
            )
        with self.desk.state.transaction():
            self.desk.state.connections.remove(connection.id)
            self.desk.state.grants.forget("connection", connection.id)
        self._connector.forget(connection)
        self.desk.note(before=self._connector.shown(connection))

    def _with_settings(
        self, connection: Connection, settings: Mapping[str, Any], secrets: Mapping[str, str | Secret]
    ) -> Connection:
        """The connection with settings laid over its own, validated together."""
        found = self.desk.catalog.connection_type(connection.type)
        changed = self._connector.with_settings(connection, found, settings, secrets)
        load_settings(
            found.settings_schema,
            self._connector.resolved(changed),
            what=f"connection {connection.name!r}",
        )
        return changed

    def _refuse_other_origin(self, before: Connection, after: Connection) -> None:
        """An export's ledger stands for an audience at one service: at another one it would be lost."""
        users = self.desk.state.connections.exports_of(before.id)
        if users and self._connector.origin(before) != self._connector.origin(after):
            raise InvalidFault(
                Code.IN_USE,
                f"the new settings lead to another service than the one that {users[0].name!r} sends to",
                hint="add a second connection, and detach and attach the exports that should use it",
            )

    def _ask(self, connection: Connection, agree: Agree) -> None:
        asked = self._consents.gap(connection).open
        if not asked:
            return
        if not agree(asked):
            return
        with self.desk.state.transaction():
            for prompt in asked:
                self.desk.state.consents.record(
                    Consent(
                        id=uuid.uuid4().hex,
                        connection_id=connection.id,
                        prompt=prompt,
                        agreed_by=self.desk.actor.real,
                        agreed_at=self.desk.now(),
                    )
                )
        self.desk.note(agreed={prompt.key: prompt.digest for prompt in asked})

    def _identify(self, connection: Connection) -> ServiceIdentity:
        found = self.desk.catalog.connection_type(connection.type)
        with self._connector.open(connection) as context:
            try:
                return self._connector.renewing(context, lambda: found.verify(context))
            except DestinationFault as fault:
                raise self._connector.as_error(fault, connection) from fault

    def _chosen(self, connection: Connection, identity: ServiceIdentity, dialogue: Dialogue) -> Connection:
        """The connection with what the service offers for settings that it has not: one alone is taken, of
        several one is picked. Where exports stand on it already, they go on as they are."""
        found = self.desk.catalog.connection_type(connection.type)
        known = {info.name: info for info in settings_of(found.settings_schema)}
        settings = dict(connection.settings)
        if self.desk.state.connections.exports_of(connection.id):
            return connection
        for name, choices in identity.choices.items():
            if settings.get(name) or not choices or name not in known:
                continue
            if len(choices) == 1:
                settings[name] = choices[0].value
            elif dialogue.choose is not None:
                settings[name] = dialogue.choose(known[name], choices).value
        return dataclasses.replace(connection, settings=settings)

    def _people(self, names: Iterable[str]) -> frozenset[str]:
        """Roles and people that a connection may be shared with; an unknown name is a slip of the hand."""
        wanted = frozenset(names)
        for name in sorted(wanted - set(self.desk.catalog.roles)):
            if self.desk.state.grants.actor(name).grants:
                continue
            raise InvalidFault(
                Code.NOT_FOUND,
                f"there is no role or person {name!r} to share with",
                hint="roles: " + ", ".join(sorted(self.desk.catalog.roles)) + "; people: `cdp role list`",
            )
        return wanted

    def _manages(self) -> bool:
        return "administrator" in all_roles(self.desk.actor.roles, self.desk.catalog.roles)

    def _view(self, connection: Connection, identity: ServiceIdentity | None = None) -> ConnectionView:
        """`identity` is what the service has just said."""
        found = self.desk.catalog.connection_types.get(connection.type)
        label = found.label if found else f"{connection.type} (its plugin is not loaded)"
        answered, unasked = (
            identity is not None and not identity.unasked,
            identity.unasked if identity else "",
        )
        signs_in = self._connector.signs_in(connection)
        if not self._manages():
            return ConnectionView(
                name=connection.name,
                type=connection.type,
                label=label,
                signs_in=signs_in,
                answered=answered,
                unasked=unasked,
            )
        gaps = [self._consents.gap(connection, language=each) for each in (ENGLISH, None) if found]
        missing, asked = (tuple(prompt.title for prompt in gap.open) for gap in gaps) if gaps else ((), ())
        return ConnectionView(
            name=connection.name,
            type=connection.type,
            label=label,
            signs_in=signs_in,
            status=str(connection.status),
            shared_with=tuple(sorted(connection.shared_with)),
            settings=self._connector.shown(connection),
            identity=connection.identity or None,
            export_user=connection.export_user,
            consents=tuple(
                ConsentView(
                    prompt=record.prompt.key,
                    title=record.prompt.title,
                    version=record.prompt.version,
                    digest=record.prompt.digest,
                    language=record.prompt.language,
                    agreed_by=record.agreed_by,
                    agreed_at=record.agreed_at,
                    withdrawn_by=record.withdrawn_by,
                    withdrawn_at=record.withdrawn_at,
                )
                for record in self.desk.state.consents.of(connection.id)
            ),
            consent_missing=missing,
            consent_asked=asked,
            exports=tuple(export.name for export in self.desk.state.connections.exports_of(connection.id)),
            token=self._token(connection) if found and found.oauth else None,
            answered=answered,
            unasked=unasked,
            lacking=identity.lacking if identity else (),
            open_choices={
                name: tuple(choices)
                for name, choices in (identity.choices if identity else {}).items()
                if len(choices) > 1 and not connection.settings.get(name)
            },
        )

    def _token(self, connection: Connection) -> Mapping[str, Any] | None:
        """How the token is; looking at a connection does not fail where its secrets are out of reach."""
        try:
            health = self._connector.token_health(connection)
            return None if health is None else dataclasses.asdict(health)
        except (InvalidFault, ReconnectFault) as fault:
            return {"problem": fault.message}
