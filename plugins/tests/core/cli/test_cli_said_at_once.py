"""What is refused before a question is asked, and what a person is told without asking for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from plugins.tests.core.cli.conftest import Keyboard


@pytest.mark.parametrize("noun", ["export", "segment"])
def test_what_is_not_there_is_refused_before_anybody_is_asked(
    cdp: Keyboard, workspace: object, noun: str
) -> None:
    error = cdp(noun, "remove", "nope", "--json", status=3).document["error"]
    assert (error["code"], error["where"]) == ("CDP-310", f"{noun} nope")


def test_a_segment_that_is_used_is_refused_before_anybody_is_asked(cdp: Keyboard, export: str) -> None:
    error = cdp("segment", "remove", "Loyal", "--json", status=3).document["error"]
    assert (error["code"], error["where"]) == ("CDP-311", "segment Loyal")
    assert cdp("segment", "list", "--json").document


def test_an_administrators_acts_are_summed_up_and_listed_under_json(cdp: Keyboard, workspace: object) -> None:
    assert "everything there is to do here" in cdp("whoami").out
    assert len(cdp("whoami", "--json").document["actions"]) > 40


def test_a_plugin_that_the_environment_disables_in_vain_is_named(
    cdp: Keyboard, workspace: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CDP_DISABLED_PLUGINS", "bogus")
    assert "CDP_DISABLED_PLUGINS names bogus; there is no such plugin" in cdp("segment", "list").err


def test_what_a_disabled_plugin_would_bring_names_the_plugin(
    cdp: Keyboard, workspace: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CDP_DISABLED_PLUGINS", "snapchat")
    error = cdp("connection", "add", "snapchat", "--name", "Snap", "--json", status=3).document["error"]
    assert "plugin snapchat is disabled" in error["message"]
    assert "cdp plugins enable snapchat" in error["hint"]


def test_profiles_that_are_not_there_are_told_before_the_key_is_asked_for(cdp: Keyboard) -> None:
    error = cdp("init", "--profiles", "nope.csv", "--json", status=3).document["error"]
    assert (error["code"], error["where"]) == ("CDP-304", "nope.csv")


def test_a_login_that_nobody_has_is_no_other_administrator(cdp: Keyboard, workspace: object) -> None:
    me = cdp("whoami", "--json").document["name"]
    assert "no login no-such-login" in cdp("role", "grant", "no-such-login", "administrator").err
    refused = cdp("role", "revoke", me, "administrator", "--yes", "--json", status=4).document["error"]
    assert "no login here is called no-such-login" in refused["message"]
    assert (refused["where"], "cdp role grant" in refused["hint"]) == (f"person {me}", True)


def test_taking_ones_own_administrators_role_wants_a_yes(cdp: Keyboard, workspace: object) -> None:
    me = cdp("whoami", "--json").document["name"]
    cdp("role", "grant", "nobody", "administrator")
    assert (
        cdp("role", "revoke", me, "administrator", "--json", status=2).document["error"]["hint"]
        == "add --yes"
    )
    assert "without a role" in cdp("role", "revoke", me, "administrator", "--yes").out


def test_a_plan_names_the_audience_that_it_is_for(cdp: Keyboard, export: str) -> None:
    audience = cdp("export", "plan", export, "--json").document["audience"]
    assert audience.pop("id") == "42"
    assert set(audience.values()) == {None}


def test_a_connection_that_is_not_agreed_to_says_to_agree_next(cdp: Keyboard, workspace: object) -> None:
    said = cdp.add_connection().out
    assert 'Next: cdp connection agree "Acme EU"' in said
    assert "connection authenticate" not in said


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("random() >= 0", "random() draws lots: each run has other members"),
        ("now() IS NOT NULL", "now() asks the clock"),
    ],
)
def test_a_segment_that_changes_by_itself_is_added_with_a_warning(
    cdp: Keyboard, workspace: object, where: str, said: str
) -> None:
    added = cdp("segment", "add", "Restless", "--where", where, "--json")
    assert added.document["members"] == 6
    assert said in added.err


def test_a_segment_that_stands_still_is_added_without_a_warning(cdp: Keyboard, workspace: object) -> None:
    assert not cdp("segment", "add", "Still", "--where", "email = 'now()' OR lifetime_value > 1").err


def test_a_plan_with_nothing_to_do_says_so_in_one_sentence(cdp: Keyboard, export: str) -> None:
    cdp("export", "run", export)
    assert "Next: nothing, the audience is up to date." in cdp("export", "plan", export).out


def test_wrong_settings_of_the_workspace_are_joined_and_shown_how_they_may_look(
    cdp: Keyboard, workspace: Path
) -> None:
    settings = workspace / "cdp.toml"
    text = settings.read_text().replace('kind = "file"', 'kind = "drawer"')
    settings.write_text(text + "\n[delivery]\nattempts = 0\n")
    error = cdp("segment", "list", "--json", status=3).document["error"]
    assert error["code"] == "CDP-308"
    assert ".;" not in error["message"]
    assert error["hint"] == 'for example delivery.attempts = 7, vault.kind = "file"'
