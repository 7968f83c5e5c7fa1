"""Settings say what is wrong in words that name the mistake."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import marshmallow
import pytest

from cdp_core.contract.schemas import settings_of
from cdp_core.model.secret import Secret
from cdp_snapchat.schemas import API_URL, ConnectionSettings, ExportSettings, origin

MINIMUM = {"client_id": "abc", "client_secret": "xyz"}


def complaint(schema: type[marshmallow.Schema], name: str, values: Mapping[str, Any]) -> str:
    with pytest.raises(marshmallow.ValidationError) as fault:
        schema().load(values)
    messages = fault.value.messages_dict
    assert list(messages) == [name]
    return " ".join(messages[name])


def test_the_official_addresses_are_the_defaults() -> None:
    loaded = ConnectionSettings().load(MINIMUM)
    assert loaded["api_url"] == "https://adsapi.snapchat.com/v1"
    assert loaded["accounts_url"] == "https://accounts.snapchat.com/login/oauth2"
    assert loaded["redirect_uri"] == "http://127.0.0.1:8721/callback"
    assert loaded["client_secret"] == Secret("xyz")


def test_pasted_white_space_does_no_harm() -> None:
    loaded = ConnectionSettings().load({**MINIMUM, "client_id": " abc\n"})
    assert loaded["client_id"] == "abc"
    assert ExportSettings().load({"audience_id": " 5677923948298240 "})["audience_id"] == "5677923948298240"


@pytest.mark.parametrize("name", ["api_url", "accounts_url", "redirect_uri"])
@pytest.mark.parametrize(
    "url",
    [
        "http://adsapi.snapchat.com/v1",
        "http://127.0.0.1.example.com/",
        "ftp://127.0.0.1/",
        "adsapi.snapchat.com",
        "https://user:pw@adsapi.snapchat.com/v1",
        "https://adsapi.snapchat.com:99999/v1",
        "https://adsapi.snapchat.com/v1?x=1",
        "htt\nps://adsapi.snapchat.com/v1",
    ],
)
def test_only_https_and_loopback_addresses_are_taken(name: str, url: str) -> None:
    assert complaint(ConnectionSettings, name, {**MINIMUM, name: url})


@pytest.mark.parametrize("url", ["http://127.0.0.1:8181/v1", "http://localhost/v1", "http://[::1]:80/v1"])
def test_http_is_taken_for_loopback_addresses(url: str) -> None:
    ConnectionSettings().load({**MINIMUM, "api_url": url})


def test_an_unknown_setting_is_named() -> None:
    assert complaint(ConnectionSettings, "clientid", {**MINIMUM, "clientid": "x"}) == "Unknown field."


@pytest.mark.parametrize("given", ["5677923948298240", 5677923948298240])
def test_an_audience_id_is_a_number_as_text(given: object) -> None:
    assert ExportSettings().load({"audience_id": given})["audience_id"] == "5677923948298240"


def test_an_ad_accounts_id_is_recognised_as_one() -> None:
    wrong = complaint(ExportSettings, "audience_id", {"audience_id": "8adc3db7-8148-4fbf-999c-8d2266369d74"})
    assert "ad account" in wrong


@pytest.mark.parametrize("given", ["Loyal customers", "", "12a", "٣٤", True, "1" * 21, "../me"])
def test_anything_else_is_no_audience_id(given: object) -> None:
    assert complaint(ExportSettings, "audience_id", {"audience_id": given})


@pytest.mark.parametrize("size", [0, -1, 100_001, "many"])
def test_a_batch_size_is_within_the_services_limit(size: object) -> None:
    assert complaint(ExportSettings, "batch_size", {"audience_id": "1", "batch_size": size})


def test_a_batch_size_comes_as_text_from_the_command_line() -> None:
    assert ExportSettings().load({"audience_id": "1", "batch_size": "5000"})["batch_size"] == 5000
    assert ExportSettings().load({"audience_id": "1"})["batch_size"] == 100_000


def test_every_setting_has_a_label_a_help_and_an_example() -> None:
    for info in (*settings_of(ConnectionSettings), *settings_of(ExportSettings)):
        assert info.label != info.name
        assert info.help.endswith(".")
        assert info.example
    secret = [info.name for info in settings_of(ConnectionSettings) if info.secret]
    assert secret == ["client_secret"]
    assert settings_of(ExportSettings)[0].label == "Snapchat Audience ID"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (API_URL, "https://adsapi.snapchat.com"),
        ("https://ADSAPI.snapchat.com:443/v1/", "https://adsapi.snapchat.com"),
        ("http://127.0.0.1:8181/v1", "http://127.0.0.1:8181"),
        ("http://[::1]:8181/v1", "http://[::1]:8181"),
    ],
)
def test_the_origin_is_written_one_way(url: str, expected: str) -> None:
    assert origin({"api_url": url}) == expected
