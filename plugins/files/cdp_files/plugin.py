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
ROWS_KEY = "files_records"
ROWS_LABEL = "Files, whole rows"


@hookimpl
def cdp_connection_types() -> Sequence[ConnectionType]:
    from cdp_core import ConnectionType
    from cdp_files.connections import ConnectionSettings, origin

    return [
        ConnectionType(
            key=key,
            label=label,
            settings_schema=ConnectionSettings,
            verify=_verify,
            origin=origin,
        )
        for key, label in ((KEY, LABEL), (ROWS_KEY, ROWS_LABEL))
    ]


@hookimpl
def cdp_export_destinations() -> Sequence[DestinationSpec]:
    from cdp_core import Capabilities, DestinationSpec, MatchingRule, Operation
    from cdp_files.places import LATEST, LATEST_ROWS
    from cdp_files.schemas import (
        KINDS,
        ROWS_LIMIT,
        WHOLE_ROWS_LIMIT,
        ExportSettings,
        RowsExportSettings,
        while_emptied,
    )

    matching = tuple(MatchingRule(kind=kind, need="at-least-one") for kind in KINDS)
    return [
        DestinationSpec(
            key=KEY,
            label=LABEL,
            connection_type=KEY,
            settings_schema=ExportSettings,
            matching=matching,
            capabilities=Capabilities(
                operations=frozenset(Operation),
                batch_limit=ROWS_LIMIT,
                concurrency=1,
                while_emptied=while_emptied(LATEST),
            ),
            factory=_audience,
            audience_setting="folder",
            batch_size_setting="rows_per_file",
        ),
        DestinationSpec(
            key=ROWS_KEY,
            label=ROWS_LABEL,
            connection_type=ROWS_KEY,
            settings_schema=RowsExportSettings,
            matching=matching,
            capabilities=Capabilities(
                operations=frozenset(Operation),
                batch_limit=WHOLE_ROWS_LIMIT,
                concurrency=1,
                payload="records",
                while_emptied=while_emptied(LATEST_ROWS),
            ),
            factory=_rows_audience,
            audience_setting="folder",
            batch_size_setting="rows_per_file",
        ),
    ]


@hookimpl
def cdp_consent_prompts(connection_type: str, locale: str) -> Sequence[ConsentPrompt]:
    if connection_type not in (KEY, ROWS_KEY):
        return []
    from cdp_files.consent import prompts, rows_prompts

    return prompts(locale) if connection_type == KEY else rows_prompts(locale)


def _verify(connection: ConnectionContext) -> ServiceIdentity:
    from cdp_files.destination import who_am_i

    return who_am_i(connection)


def _audience(context: DestinationContext) -> Destination:
    from cdp_files.destination import FilesAudience

    return FilesAudience(context)


def _rows_audience(context: DestinationContext) -> Destination:
    from cdp_files.destination import RowsAudience

    return RowsAudience(context)
