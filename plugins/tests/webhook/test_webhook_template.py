"""Templates are data: values come in after parsing, and can change nothing but themselves."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp_webhook.template import Values, body_of, checked_path, filled, path

DIGESTS = ("a" * 64, "b" * 64)
VALUES = Values(audience_id="7", kind="email", operation="add", digests=DIGESTS)


def made(template: Any, values: Values = VALUES) -> Any:
    return json.loads(filled(body_of(json.dumps(template)), values))


def test_digests_become_a_list_and_the_count_a_number() -> None:
    assert made({"n": "$count", "data": {"hashes": "$digests"}}) == {
        "n": 2,
        "data": {"hashes": list(DIGESTS)},
    }


def test_each_makes_an_entry_for_every_digest() -> None:
    template = {"users": {"$each": {"id": "$digest", "of": ["$kind", "x-$operation"]}}}
    assert made(template)["users"][1] == {"id": "b" * 64, "of": ["email", "x-add"]}


def test_names_of_keys_are_filled_and_a_double_dollar_is_one() -> None:
    assert made({"$kind": "$digests", "price": "5 $$", "on": True}) == {
        "email": list(DIGESTS),
        "price": "5 $",
        "on": True,
    }


@given(st.text())
def test_no_value_changes_the_document(text: str) -> None:
    values = Values(audience_id=text, kind=text, operation="add", digests=DIGESTS)
    assert made({"list": "<$audience_id>", "hashes": "$digests"}, values) == {
        "list": f"<{text}>",
        "hashes": list(DIGESTS),
    }


@given(st.text(min_size=1).filter(lambda text: text not in (".", "..")))
def test_a_value_in_a_path_stays_one_part_of_it(text: str) -> None:
    made_path = path("/lists/$audience_id/members", Values(audience_id=text))
    _, lists, part, members = made_path.split("/")
    assert (lists, unquote(part), members) == ("lists", text, "members")


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{", "not a JSON document"),
        ('{"a": 1}', "holds no digests"),
        ('{"a": "$digest"}', r"\$digest cannot stand here"),
        ('{"a": "$digests", "b": "${os.environ}"}', r"written \$\$"),
        ('{"a": "$digests", "b": "$secret"}', r"\$secret cannot stand here"),
        ('{"a": "all: $digests"}', r"\$digests cannot stand here"),
        ('{"$each": {"a": "$digest"}, "b": 1}', "stands alone"),
        ('{"a": {"$each": {"b": 1}}}', "there is no"),
        ('{"a": {"$each": ["$digest", "$digests"]}}', "cannot stand within"),
        ("[" * 30 + "]" * 30, "nested more than"),
    ],
)
def test_a_body_that_is_none_is_refused_with_its_reason(template: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        body_of(template)


@pytest.mark.parametrize(
    "template",
    [
        "lists",
        "//evil.example/x",
        "/a b",
        "/a\\b",
        "/a#b",
        "/a/../b",
        "/a/./b",
        "/a/%2e%2E/b",
        "/$digests",
        "/$",
        "/a\n",
    ],
)
def test_a_path_that_is_none_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match=r"path|stand here|written"):
        checked_path(template)


def test_a_value_that_would_lead_elsewhere_is_refused() -> None:
    with pytest.raises(ValueError, match="may not hold"):
        path("/lists/$audience_id/members", Values(audience_id=".."))
