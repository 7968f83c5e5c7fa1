"""What a configuration file may hold, declared once: files are read by it, and editors' JSON Schema is made
from it. Settings are a plugin's own, whose schema is looked up by the type (`parts`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import marshmallow
from marshmallow import fields, validate

from cdp_core.model.policy import Mode
from cdp_core.vault.references import FORMS

VERSION = 1
IN_THE_VAULT = "vault"


def _said(description: str) -> dict[str, Any]:
    return {"metadata": {"description": description}}


class _Part(marshmallow.Schema):
    class Meta:
        unknown = marshmallow.RAISE


class Switch(fields.Boolean):
    def __init__(self, default: bool, description: str) -> None:
        super().__init__(
            load_default=default,
            truthy={"true", "True", "yes", "on"},
            falsy={"false", "False", "no", "off"},
            **_said(description),
        )


def _text(description: str, *, required: bool = False, **options: Any) -> fields.String:
    if required:
        return fields.String(required=True, validate=validate.Length(min=1), **options, **_said(description))
    return fields.String(load_default=None, allow_none=True, **options, **_said(description))


def _whole(description: str, *, least: int) -> fields.Integer:
    return fields.Integer(
        load_default=None, allow_none=True, validate=validate.Range(min=least), **_said(description)
    )


def _texts(description: str) -> fields.List[Any]:
    return fields.List(fields.String(), load_default=list, **_said(description))


class GrantPart(_Part):
    role = _text("A role's key.", required=True)
    connection = _text("The connection that it is for, by its name.")
    segment = _text("The segment that it is for, by its name.")

    @marshmallow.validates_schema
    def _one_of_two(self, values: dict[str, Any], **_: Any) -> None:
        if (values.get("connection") is None) == (values.get("segment") is None):
            raise marshmallow.ValidationError(
                "A role is for one `connection` or one `segment`; for the whole workspace its key stands "
                "alone."
            )


class Granted(fields.Field[Any]):
    """A role's key, or what `GrantPart` holds; read as the latter."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> dict[str, Any]:
        if isinstance(value, str):
            return {"role": value, "connection": None, "segment": None}
        if not isinstance(value, Mapping):
            raise marshmallow.ValidationError("A role's key, or a mapping with `role`, stands here.")
        found: dict[str, Any] = GrantPart().load(value)
        return found


class SegmentPart(_Part):
    where = _text("An SQL condition over the profiles' columns; this, or sql.")
    sql = _text("A SELECT that yields the key column.")
    static = Switch(False, "Keep the result until `cdp segment refresh`.")
    active = Switch(True, "Where it is false, the segment's exports are skipped.")

    @marshmallow.validates_schema
    def _one_of_two(self, values: dict[str, Any], **_: Any) -> None:
        if (values.get("where") is None) == (values.get("sql") is None):
            raise marshmallow.ValidationError("A segment has either `where` or `sql`.")


class ConnectionPart(_Part):
    type = _text("A connection type that a plugin has.", required=True)
    settings = fields.Dict(
        keys=fields.String(),
        values=fields.Raw(allow_none=True),
        load_default=dict,
        **_said("What is set and no secret. What is left out stays as it is; null takes it away."),
    )
    secrets = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        load_default=dict,
        **_said(f"Where each secret is: {FORMS}; or `{IN_THE_VAULT}` for one that was typed."),
    )
    share_with = _texts("Roles and people who may use it.")


class RecurrencePart(_Part):
    cron = _texts("Cron lines: minute, hour, day, month, weekday.")
    timezone = _text("The zone that the times are of, as Europe/Amsterdam.")
    active = Switch(True, "Where it is false, nothing runs by it.")

    @marshmallow.validates_schema
    def _both(self, values: dict[str, Any], **_: Any) -> None:
        if bool(values.get("cron")) != bool(values.get("timezone")):
            raise marshmallow.ValidationError("`cron` and `timezone` belong together.")


class MatchPart(_Part):
    kind = _text("The kind of identifier, as EMAIL.", required=True)
    field = _text("The profile field that it is made of.", required=True)


class RegionPart(_Part):
    field = _text("The profile field with the country of a member's phone number.")
    default = _text("The country of numbers that name none, in two letters.")


class MemberConsentPart(_Part):
    field = _text("The profile field with a member's consent.", required=True)
    granted = fields.List(
        fields.String(), required=True, validate=validate.Length(min=1), **_said("Its values that mean yes.")
    )


class GatesPart(_Part):
    max_shrink = fields.Float(
        load_default=0.5,
        validate=validate.Range(min=0, max=1),
        **_said("The most of what the export has put there that one run may take out: 0.3 is 30 %."),
    )
    on_audience_size = fields.String(
        load_default="warn",
        validate=validate.OneOf(("skip", "warn", "fail")),
        **_said("What becomes of a run whose audience is too small or large for the service."),
    )


class ApprovalPart(_Part):
    people = fields.Integer(
        load_default=1, validate=validate.Range(min=1), **_said("How many others must approve.")
    )
    added_over = _whole("… only of a plan that adds more than that.", least=0)
    removed_over = _whole("… only of a plan that takes out more than that.", least=0)
    removed_share = fields.Float(
        load_default=None,
        allow_none=True,
        validate=validate.Range(min=0, max=1),
        **_said("… only of a plan that takes out more of what the export has put there: 0.05 is 5 %."),
    )


class ChosenFieldPart(_Part):
    field = _text("The profile field whose values leave.", required=True)
    column = _text("The column that they are given; the field's name where it is left out.")


class ExportPart(_Part):
    connection = _text("The connection by its name; left out, the export is detached.")
    destination = _text("The destination by its key; the connection's own where it is left out.")
    group = _text("The group that it was added in.")
    segments = fields.List(
        fields.String(), required=True, validate=validate.Length(min=1), **_said("Segments by their names.")
    )
    matching = fields.List(
        fields.Nested(MatchPart), load_default=list, **_said("Which field feeds which identifier.")
    )
    settings = fields.Dict(
        keys=fields.String(),
        values=fields.Raw(allow_none=True),
        load_default=dict,
        **_said("The destination's own settings."),
    )
    chosen = fields.List(
        fields.Nested(ChosenFieldPart),
        load_default=list,
        data_key="fields",
        **_said("What leaves of whole rows."),
    )
    mode = fields.String(
        load_default=str(Mode.MIRROR),
        validate=validate.OneOf([str(mode) for mode in Mode]),
        **_said("What a run makes of the audience."),
    )
    region = fields.Nested(RegionPart, load_default=lambda: RegionPart().load({}))
    consent = fields.Nested(MemberConsentPart, load_default=None, allow_none=True)
    gates = fields.Nested(GatesPart, load_default=lambda: GatesPart().load({}))
    keep_alive_days = _whole("Days after which a quiet audience is sent something again.", least=1)
    approval = fields.Nested(ApprovalPart, load_default=None, allow_none=True)
    schedule = fields.Nested(RecurrencePart, load_default=lambda: RecurrencePart().load({}))


class FilePart(_Part):
    """A section that is left out is left alone."""

    version = fields.Integer(
        required=True, validate=validate.Equal(VERSION), **_said("The form of this file: 1.")
    )
    roles = fields.Dict(
        keys=fields.String(),
        values=fields.List(Granted()),
        **_said("People, by their login, with their roles."),
    )
    groups = fields.Dict(
        keys=fields.String(),
        values=fields.List(Granted()),
        **_said("Groups of the machine, by name, with the roles of everybody in them."),
    )
    segments = fields.Dict(keys=fields.String(), values=fields.Nested(SegmentPart), **_said("By name."))
    connections = fields.Dict(keys=fields.String(), values=fields.Nested(ConnectionPart), **_said("By name."))
    exports = fields.Dict(keys=fields.String(), values=fields.Nested(ExportPart), **_said("By name."))
    schedule = fields.Nested(RecurrencePart, **_said("When exports run that have no times of their own."))


SECTIONS = ("roles", "groups", "segments", "connections", "exports", "schedule")
NAMED = {"segments": SegmentPart, "connections": ConnectionPart, "exports": ExportPart}


def defaults_of(section: str) -> dict[str, Any]:
    """What is so where a thing of that section says nothing, by the fields' names in the file."""
    found: dict[str, Any] = {}
    for name, declared in (NAMED[section]().fields if section in NAMED else {}).items():
        default = declared.load_default
        found[declared.data_key or name] = default() if callable(default) else default
    return found
