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

KEY = "files"
LABEL = "Files"


@hookimpl
def cdp_connection_types() -> Sequence[ConnectionType]:
    from cdp_core import ConnectionType
    from cdp_files.schemas import ConnectionSettings, origin

    return [
        ConnectionType(
            key=KEY,
            label=LABEL,
            settings_schema=ConnectionSettings,
            verify=_verify,
            origin=origin,
        )
    ]


@hookimpl
def cdp_export_destinations() -> Sequence[DestinationSpec]:
    from cdp_core import Capabilities, DestinationSpec, MatchingRule, Operation
    from cdp_files.schemas import KINDS, ROWS_LIMIT, WHILE_EMPTIED, ExportSettings

    return [
        DestinationSpec(
            key=KEY,
            label=LABEL,
            connection_type=KEY,
            settings_schema=ExportSettings,
            matching=tuple(MatchingRule(kind=kind, need="at-least-one") for kind in KINDS),
            capabilities=Capabilities(
                operations=frozenset(Operation),
                batch_limit=ROWS_LIMIT,
                concurrency=1,
                while_emptied=WHILE_EMPTIED,
            ),
            factory=_audience,
            audience_setting="folder",
            batch_size_setting="rows_per_file",
        )
    ]


@hookimpl
def cdp_consent_prompts(connection_type: str, locale: str) -> Sequence[ConsentPrompt]:
    if connection_type != KEY:
        return []
    from cdp_files.consent import prompts

    return prompts(locale)


def _verify(connection: ConnectionContext) -> ServiceIdentity:
    from cdp_files.destination import who_am_i

    return who_am_i(connection)


def _audience(context: DestinationContext) -> Destination:
    from cdp_files.destination import FilesAudience

    return FilesAudience(context)
