"""What this package registers with the core. Importing it costs nothing: hooks import what they need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cdp_core import hookimpl

if TYPE_CHECKING:
    from cdp_core import (
        ConnectionContext,
        ConnectionType,
        ConsentPrompt,
        Destination,
        DestinationContext,
        DestinationSpec,
        ServiceIdentity,
    )

KEY = "webhook"
LABEL = "Webhook"


@hookimpl
def cdp_connection_types() -> Sequence[ConnectionType]:
    from cdp_core import ConnectionType
    from cdp_webhook.schemas import ConnectionSettings, credentials, origin, rate

    return [
        ConnectionType(
            key=KEY,
            label=LABEL,
            settings_schema=ConnectionSettings,
            verify=_verify,
            origin=origin,
            credentials=credentials,
            rate=rate,
        )
    ]


@hookimpl
def cdp_export_destinations() -> Sequence[DestinationSpec]:
    from cdp_core import Capabilities, DestinationSpec, MatchingRule, Operation
    from cdp_webhook.schemas import BATCH_LIMIT, KINDS, REQUESTS_AT_ONCE, ExportSettings

    return [
        DestinationSpec(
            key=KEY,
            label=LABEL,
            connection_type=KEY,
            settings_schema=ExportSettings,
            matching=tuple(MatchingRule(kind=kind, need="at-least-one") for kind in KINDS),
            capabilities=Capabilities(
                operations=frozenset({Operation.ADD, Operation.REMOVE}),
                batch_limit=BATCH_LIMIT,
                concurrency=REQUESTS_AT_ONCE,
                answers="record",
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
    from cdp_webhook.consent import prompts

    return prompts(locale)


def _verify(connection: ConnectionContext) -> ServiceIdentity:
    from cdp_webhook.destination import who_am_i

    return who_am_i(connection)


def _audience(context: DestinationContext) -> Destination:
    from cdp_webhook.destination import WebhookAudience

    return WebhookAudience(context)
