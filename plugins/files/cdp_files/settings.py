"""What all settings of this package share: how a field speaks to people, and how its text is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import marshmallow

from cdp_core import SettingsSchema


def said(
    label: str, help_: str, *, nl: tuple[str, str], da: tuple[str, str], example: str, asked: bool = False
) -> dict[str, Any]:
    """A field's metadata: label and help in three languages."""
    return {
        "label": label,
        "help": help_,
        "example": example,
        "advanced": not asked,
        "nl": {"label": nl[0], "help": nl[1]},
        "da": {"label": da[0], "help": da[1]},
    }


def reads(read: Callable[[str], object]) -> Callable[[str], None]:
    """A check of a text setting by whatever reads it."""

    def check(value: str) -> None:
        try:
            read(value)
        except ValueError as wrong:
            raise marshmallow.ValidationError(wrong.args[0]) from None

    return check


class Trimmed(SettingsSchema):
    """Settings are pasted from web pages: the white space around them is nobody's wish."""

    @marshmallow.pre_load
    def _trim(self, values: Mapping[str, Any], **_: Any) -> dict[str, Any]:
        return {name: value.strip() if isinstance(value, str) else value for name, value in values.items()}
