"""Which change of a setting breaks who has set it: by a table, and by what marshmallow itself takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import marshmallow
import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import fields, validate

import cdp_core
from cdp_core.contract.deprecation import Deprecation
from cdp_core.contract.settings_snapshot import changes, read, recorded, shape_of, text_of

Schema = type[marshmallow.Schema]


def schema(**declared: fields.Field[Any]) -> Schema:
    made: Schema = cdp_core.SettingsSchema.from_dict(dict(declared))
    return made


def told(before: Schema, now: Schema) -> list[tuple[str, bool]]:
    return [(str(change), change.breaks) for change in changes(shape_of(before), shape_of(now))]


ONE_OF = validate.OneOf
OLD = Deprecation(since="1.0", goes="1.1", instead="use b")


@pytest.mark.parametrize(
    ("before", "now", "what"),
    [
        ({"a": fields.String()}, {}, "a is gone"),
        ({}, {"a": fields.String(required=True)}, "a is new, and required"),
        ({"a": fields.String()}, {"a": fields.String(required=True)}, "a has become required"),
        ({"a": fields.String()}, {"a": fields.Integer()}, "a takes another type: string before, integer now"),
        (
            {"a": fields.Float()},
            {"a": fields.Integer()},
            "a takes another type: integer, number before, integer now",
        ),
        ({"a": fields.Raw()}, {"a": fields.String()}, "a takes another type: anything before, string now"),
        (
            {"a": fields.String(allow_none=True)},
            {"a": fields.String()},
            "a takes another type: null, string before, string now",
        ),
        (
            {"a": fields.String(validate=ONE_OF(["x", "y"]))},
            {"a": fields.String(validate=ONE_OF(["x", "z"]))},
            "a does not take any more: y",
        ),
        (
            {"a": fields.String()},
            {"a": fields.String(validate=ONE_OF(["x"]))},
            "a takes some values only, now: x",
        ),
        (
            {"a": fields.Integer(validate=validate.Range(1, 9))},
            {"a": fields.Integer(validate=validate.Range(1, 8))},
            "a has another maximum: 9 before, 8 now",
        ),
        (
            {"a": fields.Integer()},
            {"a": fields.Integer(validate=validate.Range(min=1))},
            "a has another minimum: None before, 1 now",
        ),
        (
            {"a": fields.String(validate=validate.Length(max=9))},
            {"a": fields.String(validate=validate.Length(max=8))},
            "a has another maxLength: 9 before, 8 now",
        ),
        (
            {"a": fields.String()},
            {"a": fields.String(validate=validate.Regexp("x"))},
            "a has another pattern: None before, x now",
        ),
        ({"a": fields.String()}, {"a": fields.Email()}, "a has another format: None before, email now"),
        (
            {"a": fields.String()},
            {"a": cdp_core.SecretField()},
            "a has become a secret: it is given, and kept, in another way",
        ),
        (
            {"a": cdp_core.SecretField()},
            {"a": fields.String()},
            "a is no secret any more: it is given, and kept, in another way",
        ),
        (
            {"a": fields.List(fields.Raw())},
            {"a": fields.List(fields.Integer())},
            "a[] takes another type: anything before, integer now",
        ),
        (
            {"a": fields.Nested({"b": fields.String()})},
            {"a": fields.Nested({"b": fields.String(required=True)})},
            "a.b has become required",
        ),
    ],
)
def test_what_breaks_somebody_is_told(before: Any, now: Any, what: str) -> None:
    assert told(schema(**before), schema(**now)) == [(what, True)]


@pytest.mark.parametrize(
    ("before", "now", "what"),
    [
        ({}, {"a": fields.String()}, "a is new"),
        ({"a": fields.String(required=True)}, {"a": fields.String()}, "a is not required any more"),
        (
            {"a": fields.Integer()},
            {"a": fields.Float()},
            "a takes another type: integer before, integer, number now",
        ),
        ({"a": fields.String()}, {"a": fields.Raw()}, "a takes another type: string before, anything now"),
        (
            {"a": fields.String(validate=ONE_OF(["x"]))},
            {"a": fields.String(validate=ONE_OF(["x", "y"]))},
            "a takes more: y",
        ),
        ({"a": fields.String(validate=ONE_OF(["x"]))}, {"a": fields.String()}, "a takes any value"),
        (
            {"a": fields.Integer(validate=validate.Range(max=8))},
            {"a": fields.Integer(validate=validate.Range(max=9))},
            "a has another maximum: 8 before, 9 now",
        ),
        ({"a": fields.Email()}, {"a": fields.String()}, "a has another format: email before, None now"),
        (
            {"a": fields.String(load_default="x")},
            {"a": fields.String(load_default="y")},
            "a has another default: x before, y now",
        ),
        ({"a": fields.String()}, {"a": fields.String(metadata={"deprecated": OLD})}, "a is deprecated"),
    ],
)
def test_what_breaks_nobody_is_noticed(before: Any, now: Any, what: str) -> None:
    assert told(schema(**before), schema(**now)) == [(what, False)]


def test_what_is_only_said_otherwise_is_no_change() -> None:
    before = schema(
        a=fields.String(metadata={"label": "A", "help": "One.", "example": "x", "advanced": True})
    )
    assert told(before, schema(a=fields.String(metadata={"label": "B", "nl": {"label": "C"}}))) == []


VALUES = st.sampled_from(["a", "b", "1", 1, 2, 5, 0, None, "", 1.5])


@st.composite
def settings(draw: st.DrawFn) -> Schema:
    """Up to three settings of types, choices and limits that settings have."""
    made: dict[str, fields.Field[Any]] = {}
    for name in draw(st.lists(st.sampled_from("abc"), unique=True, max_size=3)):
        options: dict[str, Any] = {"allow_none": draw(st.booleans()), "required": draw(st.booleans())}
        if draw(st.booleans()):
            least, more = draw(st.integers(0, 3)), draw(st.integers(0, 3))
            made[name] = fields.Integer(
                strict=True, validate=validate.Range(min=least, max=least + more), **options
            )
        elif draw(st.booleans()):
            choices = draw(st.lists(st.sampled_from(["a", "b", "1", ""]), unique=True, min_size=1))
            made[name] = fields.String(validate=ONE_OF(choices), **options)
        else:
            made[name] = fields.String(**options)
    return schema(**made)


@given(before=settings(), now=settings(), typed=st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3))
def test_where_nothing_is_told_to_break_what_was_taken_is_taken(
    before: Schema, now: Schema, typed: dict[str, Any]
) -> None:
    if not any(breaks for _, breaks in told(before, now)) and not before().validate(typed):
        assert not now().validate(typed)


@given(before=settings())
def test_nothing_is_told_of_what_has_not_changed(before: Schema) -> None:
    assert told(before, before) == []


def test_what_is_kept_comes_back_the_same(tmp_path: Path) -> None:
    kept = recorded({"acme": schema(a=fields.Tuple((fields.String(),), load_default=("x",)))}, {})
    path = tmp_path / "settings_snapshot.json"
    path.write_text(text_of(kept))
    assert read(path) == kept


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"connections": {}}', '{"connections": {"a": 1}, "destinations": {}}']
)
def test_what_is_no_snapshot_is_said_to_be_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "kept.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"kept\.json"):
        read(path)


def test_a_secret_leaves_no_default_in_the_snapshot() -> None:
    kept = shape_of(schema(a=cdp_core.SecretField(load_default="s3cret")))
    assert "s3cret" not in json.dumps(kept)
