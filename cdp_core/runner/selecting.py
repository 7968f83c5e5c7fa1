"""What an export asks the profiles' engine for, and where to mend what cannot be asked."""

from __future__ import annotations

from collections.abc import Iterable

from cdp_core.contract.source import Selection
from cdp_core.errors import Code, InvalidFault
from cdp_core.model.configuration import Export, Segment
from cdp_core.model.names import as_typed
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


def with_its_segment(fault: InvalidFault, segments: Iterable[Segment]) -> InvalidFault:
    """An engine says where in a query the fault is; of a run somebody reads it who has not typed that."""
    if fault.code is not Code.SEGMENT_INVALID:
        return fault
    ways = " or ".join(
        f"cdp segment edit {as_typed(segment.name)}"
        for segment in segments
        if f"segment {segment.name!r}" in fault.where
    )
    hint = f"{fault.hint} ({ways})" if fault.hint and ways else fault.hint or ways
    return InvalidFault(fault.code, fault.message, where=fault.where, hint=hint)
