"""What this distribution registers with the core. Importing it costs nothing: hooks import what they need."""

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

KEY = "snapchat"
LABEL = "Snapchat"


@hookimpl
def cdp_connection_types() -> Sequence[ConnectionType]:
    from cdp_core import ConnectionType
    from cdp_snapchat.auth import SnapchatOAuth
    from cdp_snapchat.schemas import ConnectionSettings, app, origin

    return [
        ConnectionType(
            key=KEY,
            label=LABEL,
            settings_schema=ConnectionSettings,
            verify=_verify,
            origin=origin,
            oauth=SnapchatOAuth(),
            app=app,
        )
    ]


@hookimpl
def cdp_export_destinations() -> Sequence[DestinationSpec]:
    from cdp_core import Capabilities, DestinationSpec, MatchingRule, Operation, Rate
    from cdp_snapchat.schemas import (
        BATCH_LIMIT,
        NEWBORN_SECONDS,
        REQUESTS_AT_ONCE,
        SCHEMAS,
        SMALLEST_AUDIENCE,
        WHILE_EMPTIED,
        ExportSettings,
    )

    return [
        DestinationSpec(
            key=KEY,
            label=LABEL,
            connection_type=KEY,
            settings_schema=ExportSettings,
            matching=tuple(MatchingRule(kind=kind, need="at-least-one") for kind in SCHEMAS),
            capabilities=Capabilities(
                operations=frozenset(Operation),
                batch_limit=BATCH_LIMIT,
                rate=Rate(requests_per_second=10),
                app_rate=Rate(requests_per_second=20),
                concurrency=REQUESTS_AT_ONCE,
                smallest_audience=SMALLEST_AUDIENCE,
                while_emptied=WHILE_EMPTIED,
                lists_audiences=True,
                creates_audiences=True,
                newborn_seconds=NEWBORN_SECONDS,
            ),
            factory=_audience,
            audience_setting="audience_id",
            batch_size_setting="batch_size",
            concurrency_setting="requests_at_once",
        )
    ]


@hookimpl
def cdp_consent_prompts(connection_type: str, locale: str) -> Sequence[ConsentPrompt]:
    if connection_type != KEY:
        return []
    from cdp_snapchat.consent import prompts

    return prompts(locale)


@hookimpl
def cdp_commands(cli: click.Group) -> None:
    """`cdp simulate snapchat`, under the noun that stand-ins of services share."""
    import click

    from cdp_snapchat.simulator.command import snapchat

    context = click.get_current_context(silent=True) or click.Context(cli)
    simulate = cli.get_command(context, "simulate")
    if not isinstance(simulate, click.Group):
        simulate = click.Group("simulate", help="Stand-ins of services.")
        cli.add_command(simulate)
    simulate.add_command(snapchat)


def _verify(connection: ConnectionContext) -> ServiceIdentity:
    from cdp_snapchat.identity import who_am_i

    return who_am_i(connection)


def _audience(context: DestinationContext) -> Destination:
    from cdp_snapchat.destination import SnapchatAudience

    return SnapchatAudience(context)
