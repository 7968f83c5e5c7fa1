"""The hooks: few, each called once for each start, batch of configuration or event, never for each record.

A plugin is a module (named by an entry point in the group `cdp`) with functions of these names, each
marked `@cdp_core.hookimpl`. Hooks register; the classes that they hand over behave.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pluggy

from cdp_core.contract.connection import ConnectionType
from cdp_core.contract.destination import DestinationSpec
from cdp_core.contract.identifiers import IdentifierKind
from cdp_core.contract.source import SourceSpec
from cdp_core.model.access import Action, Actor, Opinion, Resource, Role
from cdp_core.model.configuration import ConsentPrompt
from cdp_core.model.run import RunEvent

if TYPE_CHECKING:
    import click

PROJECT = "cdp"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def cdp_connection_types() -> Sequence[ConnectionType]:
    """Kinds of service that can be connected to.

    Where nobody signs in, `credentials` gives what the core puts on requests to `origin`: an `ApiKey`,
    `BasicAuth`, a `BearerToken`, or `ClientCredentials`, for which the core asks for tokens.

    A setting's label and help are English. Whoever works in Dutch or Danish is asked in that language where
    the field's metadata has it, under the language's code. What a plugin has to say besides (what is wrong
    with an answer, a warning on an audience) is a `cdp_core.Sentence`, which brings itself in each language.

    Example:

    ```python
    import cdp_core
    from marshmallow import fields


    class AcmeSettings(cdp_core.SettingsSchema):
        api_key = cdp_core.SecretField(
            required=True,
            metadata={
                "label": "API key",
                "help": "From your account's page.",
                "nl": {"label": "API-sleutel", "help": "Van de pagina van uw account."},
                "da": {"label": "API-nøgle", "help": "Fra din kontos side."},
            },
        )


    def who_am_i(context: cdp_core.ConnectionContext) -> cdp_core.ServiceIdentity:
        return cdp_core.ServiceIdentity(name="Acme account 7")


    @cdp_core.hookimpl
    def cdp_connection_types():
        return [
            cdp_core.ConnectionType(
                key="acme",
                label="Acme",
                settings_schema=AcmeSettings,
                verify=who_am_i,
                origin=lambda settings: "https://api.acme.example",
                credentials=lambda settings: cdp_core.ApiKey(name="X-Acme-Key", key=settings["api_key"]),
            )
        ]
    ```
    """
    raise NotImplementedError


@hookspec
def cdp_export_destinations() -> Sequence[DestinationSpec]:
    """Where members can go.

    Example:

    ```python
    import cdp_core
    from marshmallow import fields


    class ListSettings(cdp_core.SettingsSchema):
        audience_id = fields.String(required=True, metadata={"label": "Acme list"})


    class AcmeList(cdp_core.Destination):
        def __init__(self, context: cdp_core.DestinationContext) -> None:
            self.list_id = context.settings["audience_id"]

        def verify(self):
            return cdp_core.Audience(id=self.list_id)

        def audiences(self):
            yield cdp_core.Audience(id=self.list_id)

        def create_audience(self, request):
            return cdp_core.Audience(id="1", name=request.name)

        def deliver(self, batch):
            return cdp_core.Receipt(accepted=True, request_id="r-1")

        def audience_status(self):
            return cdp_core.Audience(id=self.list_id)


    @cdp_core.hookimpl
    def cdp_export_destinations():
        return [
            cdp_core.DestinationSpec(
                key="acme",
                label="Acme",
                connection_type="acme",
                settings_schema=ListSettings,
                matching=(cdp_core.MatchingRule(kind="EMAIL"),),
                capabilities=cdp_core.Capabilities(batch_limit=1_000),
                factory=AcmeList,
            )
        ]
    ```
    """
    raise NotImplementedError


@hookspec
def cdp_consent_prompts(connection_type: str, locale: str) -> Sequence[ConsentPrompt]:
    """What an Administrator must agree to before a connection of that type may be used. A changed
    text asks again, so change it only when its meaning changes. `ConsentPrompt.in_language` picks a text
    among several languages by the locale.

    Example:

    ```python
    import cdp_core


    @cdp_core.hookimpl
    def cdp_consent_prompts(connection_type, locale):
        if connection_type != "acme":
            return []
        return [
            cdp_core.ConsentPrompt(
                key="acme.terms", version="1", title="Acme's terms", text="Acme keeps members for 30 days."
            )
        ]
    ```
    """
    raise NotImplementedError


@hookspec
def cdp_roles() -> Sequence[Role]:
    """Roles beside Viewer, Contributor and Administrator.

    Example:

    ```python
    import cdp_core


    @cdp_core.hookimpl
    def cdp_roles():
        return [
            cdp_core.Role(
                key="auditor",
                label="Auditor",
                actions=frozenset({cdp_core.Action.AUDIT_LIST, cdp_core.Action.AUDIT_VERIFY}),
                includes=frozenset({"viewer"}),
            )
        ]
    ```
    """
    raise NotImplementedError


@hookspec
def cdp_authorize(actor: Actor, action: Action, resource: Resource) -> Opinion | None:
    """An opinion on whether somebody may act: allow, deny or abstain (None abstains too). Any denial wins.

    Example:

    ```python
    import cdp_core


    @cdp_core.hookimpl
    def cdp_authorize(actor, action, resource):
        if action == cdp_core.Action.EXPORT_RUN and resource.name.startswith("Draft"):
            return cdp_core.Opinion(verdict="deny", reason="drafts are not run", by="acme")
        return None
    ```
    """
    raise NotImplementedError


@hookspec
def cdp_profile_sources() -> Sequence[SourceSpec]:
    """Engines that read further profile sources.

    Example:

    ```python
    import cdp_core


    def open_warehouse(context: cdp_core.EngineContext) -> cdp_core.Engine:
        raise cdp_core.InvalidFault(cdp_core.Code.PROFILES_UNREADABLE, "the warehouse is closed")


    @cdp_core.hookimpl
    def cdp_profile_sources():
        return [
            cdp_core.SourceSpec(
                key="acmedb",
                label="Acme DB",
                accepts=lambda url: url.startswith("acmedb://"),
                open=open_warehouse,
            )
        ]
    ```
    """
    raise NotImplementedError


@hookspec
def cdp_identifier_kinds() -> Sequence[IdentifierKind]:
    """Kinds of identifier beside EMAIL, PHONE and MOBILE_AD_ID, with the rule that turns a raw value into a
    digest or a reason. The rule of a kind that is `regional` takes the region besides.

    Example:

    ```python
    import hashlib

    import cdp_core


    def loyalty_card(raw: str | None) -> cdp_core.Identified:
        digits = (raw or "").replace(" ", "")
        if not digits:
            return cdp_core.Identified(cdp_core.Reason.MISSING)
        if not digits.isdigit():
            return cdp_core.Identified(cdp_core.Reason.MALFORMED)
        return cdp_core.Identified(None, hashlib.sha256(digits.encode()).digest(), digits)


    @cdp_core.hookimpl
    def cdp_identifier_kinds():
        return [cdp_core.IdentifierKind(key="LOYALTY_CARD", label="Loyalty card", rule=loyalty_card)]
    ```
    """
    raise NotImplementedError


@hookspec
def cdp_run_event(event: RunEvent) -> None:
    """Told of each moment of each run: of the whole, station `run`, which brings the run itself when it has
    ended, and of each station in between. An observer that fails is named and left out; the run goes on.

    Example:

    ```python
    import cdp_core

    seen = []


    @cdp_core.hookimpl
    def cdp_run_event(event):
        seen.append((event.station, event.state))
    ```
    """
    raise NotImplementedError


@hookspec
def cdp_commands(cli: click.Group) -> None:
    """Further commands; `context.obj.cdp()` of click's context gives them the facade. A stand-in of a
    service goes under the group `simulate`. Plain click commands get the looks of the core's own.

    Example:

    ```python
    import click

    import cdp_core


    @cdp_core.hookimpl
    def cdp_commands(cli):
        @cli.command("acme-hello")
        def hello():
            click.echo("hello from acme")
    ```
    """
    raise NotImplementedError
