"""Data matching as it is typed: several fields of one kind, a plugin's own kind, phones and their country."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from plugins.tests.core.cli.conftest import Keyboard

PROFILES = """customer_id,email,work_email,lifetime_value,phone,country,card
1,ann@example.org,ann@work.example,900,06 12345678,NL,12 34
2,ben@example.org,ann@example.org,800,(0171) 2345678,,1234
3,,n/a,700,020 7946 0018,Elsewhere,twelve
4,dora@example.org,,600,+44 (0)20 7946 0018,de,
"""


@pytest.fixture
def people(home: Path, connection: str) -> str:
    (home / "profiles.csv").write_text(PROFILES)
    return connection


def counts(document: Any, kind: str) -> dict[str, int]:
    return {name: number for name, number in document["kinds"][kind].items() if number}


def test_several_fields_feed_one_kind(cdp: Keyboard, people: str) -> None:
    cdp.add_export("Both", "--match", "EMAIL=work_email")
    planned = cdp("export", "plan", "Both", "--json").document
    assert counts(planned, "EMAIL") == {
        "read": 8, "added": 4, "duplicate": 1, "missing": 2, "placeholder": 1,
    }  # fmt: skip
    shown = cdp("export", "show", "Both").out
    assert "EMAIL from email, EMAIL from work_email" in shown


def test_a_kind_that_a_plugin_declares_is_planned_by_its_own_rule(cdp: Keyboard, people: str) -> None:
    cdp.add_export("Cards", "--match", "LOYALTY_CARD=card")
    planned = cdp("export", "plan", "Cards", "--json").document
    assert counts(planned, "LOYALTY_CARD") == {
        "read": 4, "added": 1, "duplicate": 1, "missing": 1, "malformed": 1,
    }  # fmt: skip


def test_a_phone_is_read_in_the_country_of_its_profile_else_in_the_default(
    cdp: Keyboard, people: str
) -> None:
    cdp.add_export("Phones", "--match", "PHONE=phone", "--region-field", "country", "--default-region", "de")
    planned = cdp("export", "plan", "Phones", "--json").document
    assert counts(planned, "PHONE") == {"read": 4, "added": 3, "malformed": 1}
    shown = cdp("export", "show", "Phones", "--json").document
    assert shown["policy"]["region"] == {"field": "country", "default": "DE"}
    assert "Country of phone numbers" in cdp("export", "show", "Phones").out
    assert "from country, else DE" in cdp("export", "show", "Phones").out


def test_without_a_country_only_numbers_with_one_are_read(cdp: Keyboard, people: str) -> None:
    cdp.add_export("Phones", "--match", "PHONE=phone")
    planned = cdp("export", "plan", "Phones", "--json").document
    assert counts(planned, "PHONE") == {"read": 4, "added": 1, "malformed": 3}
    assert "Country of phone numbers" not in cdp("export", "show", "Phones").out


def test_the_country_is_changed_and_taken_back_and_a_plan_knows_it(cdp: Keyboard, people: str) -> None:
    cdp.add_export("Phones", "--match", "PHONE=phone", "--default-region", "NL")
    before = cdp("export", "plan", "Phones", "--json").document
    assert counts(before, "PHONE") == {"read": 4, "added": 4}
    cdp("export", "edit", "Phones", "--default-region", "")
    assert cdp("export", "show", "Phones", "--json").document["policy"]["region"] == {
        "field": None,
        "default": None,
    }
    stale = cdp("export", "run", "Phones", "--plan", before["plan"], status=7)
    assert "own rules" in stale.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--match", "PHONE=phone", "--default-region", "Narnia"], "no country 'NARNIA'"),
        (["--match", "PHONE=phone", "--default-region", "UK"], "no country 'UK'"),
        (["--match", "PHONE=phone", "--region-field", "land"], "no field 'land'"),
        (["--default-region", "NL"], "nothing is matched that depends on one"),
    ],
)
def test_a_country_that_cannot_count_is_refused_when_the_export_is_added(
    options: list[str], said: str, cdp: Keyboard, people: str
) -> None:
    words = [
        "export",
        "add",
        "Phones",
        "--connection",
        people,
        "--segment",
        "Loyal",
        "--set",
        "audience_id=42",
    ]
    refused = cdp(*words, "--match", "EMAIL=email", *options, status=3)
    assert said in refused.err
    assert cdp("export", "list", "--json").document == []
