"""What an export asks the profiles' engine for."""

from __future__ import annotations

from cdp_core.contract.source import Selection
from cdp_core.model.configuration import Export, Segment
from cdp_core.runner.services import Services


def selection_of(services: Services, export: Export, *, segments: tuple[Segment, ...]) -> Selection:
    """The members of the segments, by the export's own rules."""
    return Selection(
        segments=segments,
        matching=export.matching,
        kinds={match.kind: services.catalog.kinds[match.kind] for match in export.matching},
        region=export.policy.region,
        consent=services.member_consent(export),
        fields=export.policy.fields,
    )
