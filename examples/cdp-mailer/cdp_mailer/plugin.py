"""What this package registers with the core. Importing it costs nothing: hooks import what they need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cdp_core import hookimpl

if TYPE_CHECKING:
    import click
    from cdp_core import (
        ConnectionContext,
        ConnectionType,
        ConsentPrompt,
        Destination,
        DestinationContext,
        DestinationSpec,
        ServiceIdentity,
    )

KEY = "mailer"
LABEL = "Mailer"


@hookimpl
def cdp_connection_types() -> Sequence[ConnectionType]:
    from cdp_core import ConnectionType

    from cdp_mailer.settings import ConnectionSettings, credentials, origin

    return [
        ConnectionType(
            key=KEY,
            label=LABEL,
            settings_schema=ConnectionSettings,
            verify=_verify,
            origin=origin,
            credentials=credentials,
        )
    ]


@hookimpl
def cdp_export_destinations() -> Sequence[DestinationSpec]:
    from cdp_core import Capabilities, DestinationSpec, MatchingRule, Operation, Rate

    from cdp_mailer.settings import BATCH_LIMIT, REQUESTS_PER_SECOND, ExportSettings

    return [
        DestinationSpec(
            key=KEY,
            label=LABEL,
            connection_type=KEY,
            settings_schema=ExportSettings,
            matching=(MatchingRule(kind="EMAIL"),),
            capabilities=Capabilities(
                operations=frozenset({Operation.ADD, Operation.REMOVE}),
                batch_limit=BATCH_LIMIT,
                rate=Rate(requests_per_second=REQUESTS_PER_SECOND),
                answers="record",
                lists_audiences=True,
                creates_audiences=True,
            ),
            factory=_destination,
            audience_setting="list_id",
            batch_size_setting="batch_size",
        )
    ]


@hookimpl
def cdp_consent_prompts(connection_type: str, locale: str) -> Sequence[ConsentPrompt]:
    if connection_type != KEY:
        return []
    from cdp_mailer.consent import prompts

    return prompts(locale)


@hookimpl
def cdp_commands(cli: click.Group) -> None:
    """`cdp simulate mailer`, under the noun that stand-ins of services share."""
    import click

    from cdp_mailer.command import mailer

    simulate = cli.commands.get("simulate")
    if isinstance(simulate, click.Group):
        simulate.add_command(mailer)


def _verify(connection: ConnectionContext) -> ServiceIdentity:
    from cdp_mailer.destination import who_am_i

    return who_am_i(connection)


def _destination(context: DestinationContext) -> Destination:
    from cdp_mailer.destination import MailingList

    return MailingList(context)
