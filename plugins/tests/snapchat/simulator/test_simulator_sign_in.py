from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

REDIRECT = "http://127.0.0.1:9999/callback"
WHO = {"client_id": "demo-client", "client_secret": "demo-secret"}


def authorize(client: Any, **changed: str | None) -> requests.Response:
    parameters = {
        "client_id": "demo-client",
        "redirect_uri": REDIRECT,
        "response_type": "code",
        "scope": "snapchat-marketing-api",
        "state": "abc",
    }
    sent = {name: value for name, value in (parameters | changed).items() if value is not None}
    url = f"{client.simulator.accounts_url}/authorize"
    answer = requests.get(url, params=sent, allow_redirects=False, timeout=5)
    assert isinstance(answer, requests.Response)
    return answer


def sent_back(answer: requests.Response) -> dict[str, str]:
    assert answer.status_code == 302
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def token(client: Any, **form: str) -> requests.Response:
    return requests.post(f"{client.simulator.accounts_url}/access_token", data=form, timeout=5)


def code(client: Any) -> str:
    return sent_back(authorize(client))["code"]


def grant(client: Any) -> dict[str, Any]:
    form = {"grant_type": "authorization_code", "code": code(client), "redirect_uri": REDIRECT}
    return dict(token(client, **WHO, **form).json())


def test_sign_in_agrees_at_once_and_sends_back_a_code_with_the_state(client: Any) -> None:
    answer = authorize(client)
    assert answer.headers["Location"].startswith(f"{REDIRECT}?")
    back = sent_back(answer)
    assert back["state"] == "abc"
    assert back["code"]


def test_a_query_of_the_redirect_uri_is_kept(client: Any) -> None:
    assert sent_back(authorize(client, redirect_uri=f"{REDIRECT}?of=mine"))["of"] == "mine"


@pytest.mark.parametrize(
    "changed",
    [
        {"client_id": "another"},
        {"client_id": None},
        {"redirect_uri": None},
        {"redirect_uri": "http://elsewhere.example/callback"},
        {"redirect_uri": "https://[broken"},
        {"redirect_uri": "https://app.example/#part"},
        {"redirect_uri": "ftp://app.example/"},
    ],
)
def test_a_wrong_client_or_redirect_uri_gets_a_page_and_no_redirect(
    client: Any, changed: dict[str, str | None]
) -> None:
    answer = authorize(client, **changed)
    assert (answer.status_code, "Location" in answer.headers) == (400, False)
    assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    "uri", ["https://app.example/back", "http://localhost:1/", "http://127.0.0.1/", "http://[::1]:7/x"]
)
def test_loopback_and_https_redirect_uris_are_taken_as_the_apps(client: Any, uri: str) -> None:
    assert authorize(client, redirect_uri=uri).headers["Location"].startswith(uri)


def test_registered_redirect_uris_must_be_met_exactly(connect: Any) -> None:
    with connect(redirect_uris=("https://app.example/back",)) as client:
        assert authorize(client, redirect_uri="https://app.example/back").status_code == 302
        assert authorize(client, redirect_uri="https://app.example/back/").status_code == 400
        assert authorize(client).status_code == 400


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "snapchat-marketing-api more"}, "invalid_scope"),
        ({"scope": None}, "invalid_scope"),
        ({"state": None}, "invalid_request"),
    ],
)
def test_other_errors_are_told_to_the_redirect_uri(
    client: Any, changed: dict[str, str | None], error: str
) -> None:
    back = sent_back(authorize(client, **changed))
    assert (back["error"], "code" in back) == (error, False)


def test_a_user_who_does_not_agree_is_sent_back_with_access_denied(client: Any) -> None:
    client.simulator.fault("access-denied")
    assert sent_back(authorize(client)) == {"state": "abc", "error": "access_denied"}
    assert "code" in sent_back(authorize(client))


def test_a_state_that_is_not_the_clients_can_be_sent_back(client: Any) -> None:
    client.simulator.fault("wrong-state")
    assert sent_back(authorize(client))["state"] == "not-the-clients"


def test_a_code_gives_a_token_that_the_api_takes(client: Any) -> None:
    answer = grant(client)
    assert set(answer) == {"expires_in", "token_type", "refresh_token", "access_token"}
    assert (answer["expires_in"], answer["token_type"]) == (3600, "Bearer")
    client.http.headers["Authorization"] = f"Bearer {answer['access_token']}"
    assert client.ask("GET", "/me").status_code == 200


def test_a_code_is_good_once(client: Any) -> None:
    form = {"grant_type": "authorization_code", "code": code(client), "redirect_uri": REDIRECT}
    assert token(client, **WHO, **form).status_code == 200
    again = token(client, **WHO, **form)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


def test_a_code_is_bound_to_its_redirect_uri_and_lapses(client: Any) -> None:
    form = {"grant_type": "authorization_code", "redirect_uri": f"{REDIRECT}/other"}
    assert token(client, **WHO, **form, code=code(client)).json()["error"] == "invalid_grant"
    old = code(client)
    client.simulator.clock.move(601)
    late = token(client, **WHO, grant_type="authorization_code", redirect_uri=REDIRECT, code=old)
    assert late.json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({**WHO, "client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "demo-client"}, 401, "invalid_client"),
        ({**WHO, "client_id": "another"}, 401, "invalid_client"),
        (WHO, 400, "unsupported_grant_type"),
        ({**WHO, "grant_type": "password"}, 400, "unsupported_grant_type"),
        ({**WHO, "grant_type": "authorization_code", "code": "x"}, 400, "invalid_request"),
        ({**WHO, "grant_type": "refresh_token"}, 400, "invalid_request"),
        ({**WHO, "grant_type": "refresh_token", "refresh_token": "x"}, 400, "invalid_grant"),
    ],
)
def test_a_wrong_token_request_is_refused_in_the_rfcs_words(
    client: Any, form: dict[str, str], status: int, error: str
) -> None:
    answer = token(client, **form)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_client_in_a_header_is_refused(client: Any) -> None:
    url = f"{client.simulator.accounts_url}/access_token"
    form = {"grant_type": "refresh_token", "refresh_token": grant(client)["refresh_token"]}
    answer = requests.post(url, data={**WHO, **form}, auth=("demo-client", "demo-secret"), timeout=5)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_the_token_endpoint_takes_no_json(client: Any) -> None:
    answer = requests.post(f"{client.simulator.accounts_url}/access_token", json=WHO, timeout=5)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("kind", ["rotated", "same", "omitted"])
def test_a_refresh_may_or_may_not_bring_a_new_refresh_token(connect: Any, kind: str) -> None:
    with connect(refresh_tokens=kind, expires_in=1800) as client:
        first = grant(client)
        form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
        second = token(client, **WHO, **form).json()
        assert second["access_token"] != first["access_token"]
        assert second["expires_in"] == 1800
        again = token(client, **WHO, **form)
        if kind == "rotated":
            assert second["refresh_token"] != first["refresh_token"]
            assert again.json()["error"] == "invalid_grant"
        else:
            assert second.get("refresh_token") == (first["refresh_token"] if kind == "same" else None)
            assert again.status_code == 200


def test_a_token_lapses_by_the_clock(connect: Any) -> None:
    with connect(expires_in=60) as client:
        client.simulator.clock.hold()
        client.simulator.clock.move(50)
        assert client.ask("GET", "/me").status_code == 200
        client.simulator.clock.move(10)
        assert client.ask("GET", "/me").status_code == 401


def test_expired_tokens_can_be_refreshed_and_revoked_ones_cannot(client: Any) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": client.simulator.issue_token().refresh_token}
    client.simulator.expire_tokens()
    assert client.ask("GET", "/me").status_code == 401
    newest = token(client, **WHO, **form).json()["refresh_token"]
    client.simulator.revoke_tokens()
    assert token(client, **WHO, **(form | {"refresh_token": newest})).json()["error"] == "invalid_grant"


def test_the_token_endpoint_can_answer_with_html_or_refuse_for_good(client: Any) -> None:
    client.simulator.fault("html", route="token")
    client.simulator.fault("invalid-grant")
    assert token(client, **WHO).text.startswith("<!doctype html>")
    assert token(client, **WHO).json() == {"error": "invalid_grant"}


def test_login_kits_paths_are_not_there(client: Any) -> None:
    url = f"{client.simulator.url}/accounts/oauth2/token"
    assert requests.post(url, data=WHO, timeout=5).status_code == 404


def test_no_secret_is_in_the_log_or_a_repr(client: Any) -> None:
    secrets = [code(client), *(str(value) for value in grant(client).values() if len(str(value)) > 20)]
    told = repr((client.simulator.requests(), client.simulator.options, client.simulator.issue_token()))
    assert not any(secret in told for secret in [*secrets, "demo-secret"])
