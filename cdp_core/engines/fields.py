"""Whether the profiles have the columns that are asked for."""

from __future__ import annotations

from collections.abc import Iterable

from cdp_core.contract.source import Selection
from cdp_core.errors import Code, InvalidFault
from cdp_core.model.configuration import Column, ProfileSource


def require_key(source: ProfileSource, columns: Iterable[Column]) -> None:
    """Raise `InvalidFault` (KEY_MISSING) where the profiles lack the key column."""
    names = [column.name for column in columns]
    if source.key not in names:
        raise InvalidFault(
            Code.KEY_MISSING,
            f"the profiles have no column {source.key!r}",
            where=source.url,
            hint="columns: " + ", ".join(names),
        )


def require_fields(selection: Selection, source: ProfileSource, columns: Iterable[Column]) -> None:
    """Raise `InvalidFault` (FIELD_MISSING) where the profiles lack a field that the selection uses."""
    names = {column.name for column in columns}
    uses = {match.field: f"feeds {match.kind}" for match in selection.matching}
    if selection.region_field is not None:
        uses[selection.region_field] = "holds the region"
    if selection.consent is not None:
        uses[selection.consent.field] = "holds the members' consent"
    uses |= {chosen.field: "is chosen to be sent" for chosen in selection.fields}
    for field, use in uses.items():
        if field not in names:
            raise InvalidFault(
                Code.FIELD_MISSING,
                f"the field {field!r} that {use} is not in the profiles",
                where=source.url,
                hint="columns: " + ", ".join(sorted(names)),
            )
