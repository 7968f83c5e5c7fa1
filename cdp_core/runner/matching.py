"""Whether an export's data matching gives its destination what it needs."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from cdp_core.contract.destination import DestinationSpec
from cdp_core.contract.identifiers import IdentifierKind
from cdp_core.errors import Code, InvalidFault
from cdp_core.model.configuration import Export
from cdp_core.model.policy import Region

# What a destination writes beside a row's chosen fields.
OWN_COLUMNS = ("operation", "record")


def check_matching(export: Export, spec: DestinationSpec, kinds: Mapping[str, IdentifierKind]) -> None:
    """Raise `InvalidFault` where a kind is unknown, not taken by the destination, or left out; and where
    a country is given that nobody knows, or that nothing depends on."""
    taken = {rule.kind: rule.need for rule in spec.matching}
    where = f"export {export.name!r}, data matching"
    hint = "--match KIND=FIELD, with a kind of: " + ", ".join(taken)
    for match in export.matching:
        if match.kind not in taken or match.kind not in kinds:
            raise InvalidFault(
                Code.MATCHING_INVALID, f"{spec.label} does not take {match.kind!r}", where=where, hint=hint
            )
    if len(set(export.matching)) < len(export.matching):
        raise InvalidFault(Code.MATCHING_INVALID, "a field is matched twice to one kind", where=where)
    missing = [kind for kind, need in taken.items() if need == "required" and kind not in export.kinds]
    if missing:
        raise InvalidFault(
            Code.MATCHING_INVALID, f"{spec.label} requires {', '.join(missing)}", where=where, hint=hint
        )
    choices = [kind for kind, need in taken.items() if need == "at-least-one"]
    if choices and not set(choices) & set(export.kinds):
        raise InvalidFault(
            Code.MATCHING_INVALID,
            f"{spec.label} needs at least one of {', '.join(choices)}",
            where=where,
            hint=hint,
        )
    _check_region(export, kinds)
    _check_fields(export, spec)


def _check_fields(export: Export, spec: DestinationSpec) -> None:
    """Fields are chosen where whole rows leave, each for a column of its own, and nowhere else."""
    fields, where = export.policy.fields, f"export {export.name!r}, chosen fields"
    if spec.capabilities.payload == "digests":
        if fields:
            raise InvalidFault(
                Code.MATCHING_INVALID,
                f"{spec.label} takes digests of identifiers, and no fields of rows",
                where=where,
                hint="leave out --field; --match KIND=FIELD says what digests are made of",
            )
        return
    if not fields:
        raise InvalidFault(
            Code.MATCHING_INVALID,
            f"{spec.label} takes chosen fields of rows, and none is chosen",
            where=where,
            hint="--field FIELD, or --field FIELD=COLUMN to give it another name",
        )
    taken = dict.fromkeys(OWN_COLUMNS, "is the destination's own")
    for chosen in fields:
        folded = chosen.column.lower()
        if trouble := taken.get(folded) or _trouble(chosen.column):
            raise InvalidFault(
                Code.MATCHING_INVALID,
                f"the column {chosen.column!r} {trouble}",
                where=where,
                hint=f"give it another name: --field {chosen.field}=COLUMN",
            )
        taken[folded] = "is there twice"


def _trouble(column: str) -> str:
    if not column:
        return "has no name"
    if any(unicodedata.category(each) in ("Cc", "Cf", "Cs", "Zl", "Zp") for each in column):
        return "holds control characters"
    return "begins with what a spreadsheet takes for a formula" if column[0] in "=+-@" else ""


def _check_region(export: Export, kinds: Mapping[str, IdentifierKind]) -> None:
    region = export.policy.region
    where = f"export {export.name!r}, country of phone numbers"
    if (region.field or region.default) and not any(kinds[kind].regional for kind in export.kinds):
        regional = ", ".join(kind.key for kind in kinds.values() if kind.regional)
        raise InvalidFault(
            Code.MATCHING_INVALID,
            "a country is given, and nothing is matched that depends on one",
            where=where,
            hint=f'match {regional}, or take the country back: --default-region "" --region-field ""',
        )
    require_known(region, where=where)


def require_known(region: Region, *, where: str) -> None:
    """Raise `InvalidFault` where the default is no country whose numbers can be read."""
    if region.default is None:
        return
    from cdp_core.rules.identifiers.phone import known_regions

    if region.default not in known_regions():
        raise InvalidFault(
            Code.SETTING_INVALID,
            f"there is no country {region.default!r} whose phone numbers are known",
            where=where,
            hint="two letters of ISO 3166-1, as NL, DE or GB",
        )
