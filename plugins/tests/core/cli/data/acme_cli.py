"""A plugin for the command line's tests: two kinds of connection to a service that lives in a folder.

`acme` authenticates by a key, `acme-login` by a sign-in whose page the test visits itself. What is
delivered is written into the folder that ACME_FOLDER names; ACME_REFUSES makes it refuse every batch,
ACME_SECONDS is how long each takes.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import click
from marshmallow import fields, validate

import cdp_core


class AcmeSettings(cdp_core.SettingsSchema):
    account = fields.String(
        required=True,
        validate=validate.Regexp("A-", error="An account's number begins with A-."),
        metadata={"label": "Account", "help": "The account's number.", "example": "A-7"},
    )
    api_key = cdp_core.SecretField(
        required=True, metadata={"label": "API key", "help": "From Acme's settings page."}
    )
    region = fields.String(load_default="eu", metadata={"label": "Region", "help": "Where the data lies."})
    api_url = fields.String(load_default="https://acme.example", metadata={"label": "API", "advanced": True})


class LoginSettings(cdp_core.SettingsSchema):
    client_secret = cdp_core.SecretField(required=True, metadata={"label": "Client secret"})
    redirect_uri = fields.String(
        load_default="http://127.0.0.1:0/callback", metadata={"label": "Redirect", "advanced": True}
    )


class ExportSettings(cdp_core.SettingsSchema):
    audience_id = fields.String(
        required=True,
        validate=validate.Regexp(r"\d+", error="Only digits."),
        metadata={"label": "Audience", "help": "Its number.", "example": "42"},
    )
    batch_size = fields.Integer(load_default=100, metadata={"label": "Batch size", "advanced": True})


class Login(cdp_core.OAuth2):
    def redirect_uri(self, settings: Mapping[str, Any]) -> str:
        return str(settings["redirect_uri"])

    def authorization_url(self, settings: Mapping[str, Any], *, redirect_uri: str, state: str) -> str:
        page = "https://acme.example/a-page-whose-address-is-longer-than-a-terminal-is-wide/"
        return page + "?" + urlencode({"redirect_uri": redirect_uri, "state": state, "scope": "everything"})

    def exchange(self, settings: Mapping[str, Any], *, code: str, redirect_uri: str) -> cdp_core.Token:
        return cdp_core.Token(access=cdp_core.Secret(f"access-for-{code}"))

    def refresh(self, settings: Mapping[str, Any], token: cdp_core.Token) -> cdp_core.Token:
        return token


class AcmeDestination(cdp_core.Destination):
    def __init__(self, context: cdp_core.DestinationContext) -> None:
        self._audience = cdp_core.Audience(
            id=context.settings["audience_id"],
            name="Best \x1b[31mcustomers",
            upload_status="COMPLETE",
            targetable_status="READY",
            approximate_number_users=2,
        )

    def verify(self) -> cdp_core.Audience:
        return self._audience

    def audiences(self) -> Iterator[cdp_core.Audience]:
        yield self._audience

    def create_audience(self, request: cdp_core.NewAudience) -> cdp_core.Audience:
        raise NotImplementedError

    def deliver(self, batch: cdp_core.Batch) -> cdp_core.Receipt:
        time.sleep(float(os.environ.get("ACME_SECONDS", "0")))
        if os.environ.get("ACME_REFUSES"):
            return cdp_core.Receipt(accepted=False, message="not \x1b[2Jtoday")
        with Path(os.environ["ACME_FOLDER"], f"{batch.operation}.txt").open("a") as file:
            file.write(batch.digests.joined_hex("\n") + "\n")
        return cdp_core.Receipt(accepted=True)

    def audience_status(self) -> cdp_core.Audience:
        return self._audience


def who_am_i(context: cdp_core.ConnectionContext) -> cdp_core.ServiceIdentity:
    return cdp_core.ServiceIdentity(name="Ann \x1b[31mof Acme", details={"Team": "[bold]Marketing[/]"})


def origin(settings: Mapping[str, Any]) -> str:
    return str(settings.get("api_url", "https://acme.example"))


@cdp_core.hookimpl
def cdp_connection_types() -> Sequence[cdp_core.ConnectionType]:
    return [
        cdp_core.ConnectionType(
            key="acme", label="Acme", settings_schema=AcmeSettings, verify=who_am_i, origin=origin
        ),
        cdp_core.ConnectionType(
            key="acme-login",
            label="Acme login",
            settings_schema=LoginSettings,
            verify=who_am_i,
            origin=origin,
            oauth=Login(),
        ),
    ]


@cdp_core.hookimpl
def cdp_export_destinations() -> Sequence[cdp_core.DestinationSpec]:
    return [
        cdp_core.DestinationSpec(
            key=connection_type,
            label="Acme audiences",
            connection_type=connection_type,
            settings_schema=ExportSettings,
            matching=(
                cdp_core.MatchingRule(kind="EMAIL"),
                cdp_core.MatchingRule(kind="PHONE", need="optional"),
                cdp_core.MatchingRule(kind="LOYALTY_CARD", need="optional"),
            ),
            capabilities=cdp_core.Capabilities(batch_limit=100),
            factory=AcmeDestination,
            batch_size_setting="batch_size",
        )
        for connection_type in ("acme", "acme-login")
    ]


def loyalty_card(raw: str | None) -> cdp_core.Identified:
    digits = (raw or "").replace(" ", "")
    if not digits:
        return cdp_core.Identified(cdp_core.Reason.MISSING)
    if not digits.isdigit():
        return cdp_core.Identified(cdp_core.Reason.MALFORMED)
    return cdp_core.Identified(None, hashlib.sha256(digits.encode()).digest(), digits)


@cdp_core.hookimpl
def cdp_identifier_kinds() -> Sequence[cdp_core.IdentifierKind]:
    return [cdp_core.IdentifierKind(key="LOYALTY_CARD", label="Loyalty card", rule=loyalty_card)]


@cdp_core.hookimpl
def cdp_consent_prompts(connection_type: str, locale: str) -> Sequence[cdp_core.ConsentPrompt]:
    if connection_type != "acme":
        return []
    return [
        cdp_core.ConsentPrompt(
            key="acme.terms", version="3", title="Acme's terms", text="Acme keeps it for [a year].\nThen not."
        )
    ]


@cdp_core.hookimpl
def cdp_commands(cli: click.Group) -> None:
    @cli.command("acme-whoami")
    @click.pass_obj
    def whoami(session: Any) -> None:
        """Say who acts, through the facade."""
        click.echo(session.cdp().whoami().name)

    @cli.command("export")
    def usurper() -> None:
        """Never reached: the noun is the core's."""

    simulate = click.Group("simulate")
    cli.add_command(simulate)

    @cli.group("acme", chain=True, invoke_without_command=True)
    @click.option("--twice", is_flag=True, help="Say it again.")
    def acme(*, twice: bool) -> None:
        """Acme's own commands."""

    @acme.command("knock")
    def knock() -> str:
        """Knock at Acme's door."""
        return "knock"

    @acme.result_callback()
    def answer(knocks: list[str], *, twice: bool) -> None:
        click.echo(" ".join(knocks * (1 + twice)))

    @simulate.command("acme")
    def stand_in() -> None:
        """Stand in for Acme.

        \b
        Example:
          cdp simulate acme
        """
        click.echo("an Acme that answers")
