"""The tables `[roles.NAME]` of `cdp.toml`: roles of the workspace's own, beside those of core and plugins."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Any

import marshmallow
from marshmallow import fields, validate

from cdp_core.contract.schemas import SettingsSchema
from cdp_core.model.access import Action
from cdp_core.rules.access import BUILT_IN_ROLES


def role_name(name: str) -> None:
    """A name that can be typed, and is none of the core's."""
    if name in BUILT_IN_ROLES:
        raise marshmallow.ValidationError(f"The role {name} is the core's and stays as it is.")
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,63}", name):
        raise marshmallow.ValidationError("A role's name has lower-case letters, digits and hyphens.")


def _near(name: str) -> str:
    near = difflib.get_close_matches(name, list(Action), n=1, cutoff=0.5)
    return f"; did you mean {near[0]}?" if near else ""


class RoleSettings(SettingsSchema):
    """One role of the workspace's own, `[roles.NAME]`."""

    allows = fields.List(
        fields.String(),
        load_default=list,
        metadata={
            "label": "Allows",
            "help": "What whoever has it may do, in the words of the audit log; `cdp role list --known "
            "--json` has them all.",
            "example": '["export.plan"]',
        },
    )
    based_on = fields.String(
        load_default=None,
        metadata={
            "label": "Based on",
            "help": "The role whose actions it has besides: `viewer`, `contributor`, a plugin's, or another "
            "of these.",
            "example": "viewer",
        },
    )
    label = fields.String(
        load_default=None,
        validate=validate.Length(min=1),
        metadata={"label": "Label", "help": "What people see. Unset: its name.", "example": "Analyst"},
    )

    @marshmallow.validates_schema
    def sensible(self, data: Mapping[str, Any], **_: Any) -> None:
        wrong = {
            place: [f"There is no action {name!r}{_near(name)}"]
            for place, name in enumerate(data["allows"])
            if name not in set(Action)
        }
        if wrong:
            raise marshmallow.ValidationError({"allows": wrong})
        if data["based_on"] == "administrator":
            raise marshmallow.ValidationError(
                "An Administrator may do everything: grant that role itself.", "based_on"
            )
