"""Whether an export can work at all, as far as that is known before the service is asked."""

from __future__ import annotations

import difflib

from cdp_core.app.desk import Desk
from cdp_core.contract.schemas import load_settings, settings_of
from cdp_core.errors import Code, InvalidFault
from cdp_core.model.configuration import Export
from cdp_core.model.policy import MemberConsent
from cdp_core.runner.matching import check_matching
from cdp_core.runner.profiles import Profiles


def require_sound(
    export: Export, *, desk: Desk, profiles: Profiles, consent: MemberConsent | None, without: str = ""
) -> None:
    """Raise `InvalidFault` naming what is wrong with its connection, settings, matching or fields.

    `consent` is what members are asked for. The setting `without` may be missing: it comes later.
    """
    spec = desk.catalog.destination(export.destination)
    if export.connection_id is not None:
        type_of = desk.state.connections.by_id(export.connection_id).type
        if type_of != spec.connection_type:
            raise InvalidFault(
                Code.MATCHING_INVALID,
                f"{spec.label} goes over connections of type {spec.connection_type!r}, not {type_of!r}",
                where=f"export {export.name!r}",
                hint=f"choose a connection of type {spec.connection_type}: `cdp connection list` shows them",
            )
    secret = [info.name for info in settings_of(spec.settings_schema) if info.secret]
    if set(secret) & set(export.settings):
        raise InvalidFault(
            Code.SETTING_INVALID,
            f"{', '.join(secret)}: secrets are kept on the connection, not on an export",
            where=f"export {export.name!r}",
        )
    load_settings(
        spec.settings_schema,
        export.settings,
        what=f"export {export.name!r}",
        without=(without,) if without else (),
    )
    check_matching(export, spec, desk.catalog.kinds)
    _require_fields(export, profiles, consent)


def _require_fields(export: Export, profiles: Profiles, consent: MemberConsent | None) -> None:
    with profiles.open() as engine:
        columns = [column.name for column in engine.columns()]
    uses = {f"data matching {match.kind}={match.field}": match.field for match in export.matching}
    if export.policy.region.field is not None:
        uses["country of phone numbers"] = export.policy.region.field
    if consent is not None:
        uses[f"member consent {consent.field}={','.join(consent.granted)}"] = consent.field
    uses |= {f"chosen field {chosen.field}": chosen.field for chosen in export.policy.fields}
    for where, field in uses.items():
        if field not in columns:
            near = difflib.get_close_matches(field, columns)
            meant = f"perhaps {' or '.join(near)}; " if near else ""
            raise InvalidFault(
                Code.FIELD_MISSING,
                f"the profiles have no field {field!r}",
                where=where,
                hint=f"{meant}fields: " + ", ".join(columns),
            )
