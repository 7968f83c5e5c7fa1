"""A wrong setting is named before anything is kept, and no setting can hold a secret or lead elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from acme_service import SETTINGS
from cdp_core import ApiKey, BasicAuth, BearerToken, ClientCredentials, InvalidFault, Secret, Sentence
from cdp_core.contract.schemas import load_settings, settings_of
from cdp_webhook.schemas import NEEDS, ConnectionSettings, ExportSettings, credentials, origin, rate

BASE = {"api_url": "https://api.acme.example/v1", **SETTINGS}


def loaded(**given: Any) -> dict[str, Any]:
    return load_settings(ConnectionSettings, {**BASE, **given}, what="the connection")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("api_url", "http://api.acme.example/v1"),
        ("api_url", "https://api.acme.example:99999/v1"),
        ("api_url", "https://somebody:pass@api.acme.example/v1"),
        ("token_url", "http://auth.acme.example/token"),
        ("auth", "digest"),
        ("add_path", "https://evil.example/"),
        ("remove_path", "//evil.example/"),
        ("audience_path", "/$kind"),
        ("verify_path", "/$audience_id"),
        ("add_body", "{{ 7 * 7 }}"),
        ("remove_body", '{"a": "$unknown"}'),
        ("headers", '{"Authorization": "Bearer x"}'),
        ("headers", '{"X": "a\\r\\nHost: evil.example"}'),
        ("headers", '["X"]'),
        ("headers", "X: 1"),
        ("api_key_name", "X Key"),
        ("kind_names", "EMAIL"),
        ("kind_names", "LOYALTY=card"),
        ("success_statuses", "all"),
        ("success_statuses", "500-599"),
        ("success_value", ""),
        ("add_method", "GET"),
        ("requests_per_second", "0"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(InvalidFault, match=name):
        loaded(**{name: value})


@pytest.mark.parametrize("auth", [auth for auth, needs in NEEDS.items() if needs])
def test_each_way_to_authenticate_names_what_it_needs(auth: str) -> None:
    with pytest.raises(InvalidFault) as caught:
        loaded(auth=auth)
    assert all(f"{name} (" in caught.value.message for name in NEEDS[auth])


def test_each_way_to_authenticate_gives_its_credentials() -> None:
    secret = Secret("s")
    assert credentials(loaded()) is None
    assert credentials(loaded(auth="basic", username="u", password=secret)) == BasicAuth(
        username="u", password=secret
    )
    assert credentials(loaded(auth="bearer", token=secret)) == BearerToken(token=secret)
    assert credentials(loaded(auth="api-key", api_key=secret)) == ApiKey(
        name="X-Api-Key", key=secret, place="header"
    )
    oauth = {"token_url": "https://auth.acme.example/t", "client_id": "c", "client_secret": secret}
    assert credentials(loaded(auth="client-credentials", scope="a b", **oauth)) == ClientCredentials(
        token_url="https://auth.acme.example/t", client_id="c", client_secret=secret, scope="a b"
    )


def test_a_terminal_is_asked_only_for_what_the_chosen_way_needs() -> None:
    settings = settings_of(ConnectionSettings)
    defaults = {info.name: info.default for info in settings}
    for auth, needs in NEEDS.items():
        asked = [info.name for info in settings if info.is_asked({"auth": auth}, defaults)]
        assert asked == ["api_url", "auth", *needs, "add_path", "add_body"]


@pytest.mark.parametrize("audience_id", ["..", ".", "", "a b", "a\nb", "x" * 201])
def test_an_audience_id_that_is_none_is_refused(audience_id: str) -> None:
    with pytest.raises(InvalidFault, match="audience_id"):
        load_settings(ExportSettings, {"audience_id": audience_id}, what="the export")


def test_an_id_without_quotes_is_the_same_id() -> None:
    assert load_settings(ExportSettings, {"audience_id": 7}, what="the export")["audience_id"] == "7"


def test_rate_and_origin_come_from_the_connection() -> None:
    assert rate({"requests_per_second": "2.5"}).requests_per_second == 2.5
    assert origin({"api_url": " https://api.acme.example/v1/ "}) == "https://api.acme.example/v1"


def test_every_setting_speaks_dutch_and_danish() -> None:
    for schema in (ConnectionSettings, ExportSettings):
        for info in settings_of(schema):
            for language in ("nl", "da"):
                assert info.help_in(language), (info.name, language)
                assert info.label_in(language)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("add_path", "x"),
        ("add_body", '{"$each": 1, "b": 2}'),
        ("add_body", '["$secret", "$digests"]'),
        ("headers", "[]"),
        ("kind_names", "X"),
        ("success_statuses", "all"),
        ("username", "a:b"),
    ],
)
def test_what_is_wrong_is_said_in_dutch_and_danish_too(name: str, value: str) -> None:
    info = next(each for each in settings_of(ConnectionSettings) if each.name == name)
    said = info.complaint(value)
    assert isinstance(said, Sentence)
    assert set(said.in_language) == {"nl", "da"}
    assert all(text.format(**said.values) for text in said.in_language.values())
