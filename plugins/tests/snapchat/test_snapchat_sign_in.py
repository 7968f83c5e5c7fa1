"""Sign-in and refresh against the simulator's real pages, and every answer its token endpoint can give."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from cdp_core.contract.connection import SignInFault, Token
from cdp_core.errors import Code, ReconnectFault
from cdp_core.model.secret import Secret
from cdp_core.oauth.sign_in import SignIn
from cdp_core.simulate.certificate import make_certificate
from cdp_snapchat import token_endpoint
from cdp_snapchat.auth import SnapchatOAuth
from cdp_snapchat.simulator import SnapchatSimulator, snapchat_simulator

Settings = Mapping[str, Any]
REDIRECT_URI = "https://example.com/callback"


@pytest.fixture
def oauth() -> SnapchatOAuth:
    return SnapchatOAuth(clock=lambda: 1000.0)


def agreed(url: str) -> str:
    """Where the simulator's page, which agrees at once, sends the browser."""
    with requests.Session() as browser:
        browser.trust_env = False
        return browser.get(url, allow_redirects=False, timeout=5).headers["Location"]


def code_for(oauth: SnapchatOAuth, settings: Settings) -> str:
    url = oauth.authorization_url(settings, redirect_uri=REDIRECT_URI, state="s")
    return parse_qs(urlsplit(agreed(url)).query)["code"][0]


def signed_in(oauth: SnapchatOAuth, settings: Settings) -> Token:
    return oauth.exchange(settings, code=code_for(oauth, settings), redirect_uri=REDIRECT_URI)


def refusal(oauth: SnapchatOAuth, settings: Settings, token: Token) -> SignInFault:
    with pytest.raises(SignInFault) as fault:
        oauth.refresh(settings, token)
    return fault.value


def test_the_page_is_asked_for_as_the_service_wants_it(oauth: SnapchatOAuth, settings: Settings) -> None:
    official = {**settings, "accounts_url": "https://accounts.snapchat.com/login/oauth2"}
    url = oauth.authorization_url(official, redirect_uri=REDIRECT_URI, state="s t")
    page, _, query = url.partition("?")
    assert page == "https://accounts.snapchat.com/login/oauth2/authorize"
    assert {name: values[0] for name, values in parse_qs(query).items()} == {
        "client_id": "demo-client",
        "redirect_uri": REDIRECT_URI,
        "response_type": "code",
        "scope": "snapchat-marketing-api",
        "state": "s t",
    }


def test_a_loopback_page_is_shown_with_http(oauth: SnapchatOAuth, settings: Settings) -> None:
    url = oauth.authorization_url(settings, redirect_uri=REDIRECT_URI, state="s")
    assert url.startswith(settings["accounts_url"])


def test_a_whole_sign_in_ends_with_a_token_that_the_api_takes(
    oauth: SnapchatOAuth, settings: Settings, simulator: SnapchatSimulator
) -> None:
    browsers: list[threading.Thread] = []

    def browse(url: str) -> None:
        def visit() -> None:
            with requests.Session() as browser:
                browser.trust_env = False
                browser.get(url, timeout=5)

        browsers.append(threading.Thread(target=visit))
        browsers[0].start()

    free = {**settings, "redirect_uri": "http://127.0.0.1:0/callback"}
    token = SignIn(connection="X", oauth=oauth, settings=free).run(
        show_url=browse, open_browser=False, ask_paste=None
    )
    browsers[0].join()
    assert token.expires_at == 1000.0 + simulator.options.expires_in
    assert token.refresh is not None
    assert token.scope == "snapchat-marketing-api"
    with requests.Session() as api:
        api.trust_env = False
        bearer = {"Authorization": f"Bearer {token.access.reveal()}"}
        assert api.get(f"{simulator.api_url}/me", headers=bearer, timeout=5).status_code == 200


@pytest.mark.parametrize(
    ("fault", "code"), [("access-denied", Code.SIGN_IN_DENIED), ("wrong-state", Code.SIGN_IN_STATE)]
)
def test_a_denial_and_a_wrong_state_are_told_apart(
    oauth: SnapchatOAuth, settings: Settings, simulator: SnapchatSimulator, fault: str, code: Code
) -> None:
    simulator.fault(fault)
    shown: list[str] = []
    with pytest.raises(ReconnectFault) as refused:
        SignIn(connection="X", oauth=oauth, settings=settings).run(
            show_url=shown.append, open_browser=False, ask_paste=lambda: agreed(shown[0]), paste=True
        )
    assert refused.value.code is code


@pytest.mark.parametrize(("behaviour", "kept"), [("rotated", False), ("same", True), ("omitted", True)])
def test_the_refresh_token_is_the_new_one_or_else_the_old(
    oauth: SnapchatOAuth, settings: Settings, behaviour: str, kept: bool
) -> None:
    with snapchat_simulator(refresh_tokens=behaviour) as simulator:
        own = {
            **settings,
            "client_secret": Secret(simulator.options.client_secret),
            "accounts_url": simulator.accounts_url,
        }
        old = signed_in(oauth, own)
        new = oauth.refresh(own, old)
    assert new.access != old.access
    assert (new.refresh == old.refresh) is kept
    assert new.refresh is not None


def test_client_and_secret_go_in_the_body_alone(
    oauth: SnapchatOAuth, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The simulator answers 401 to an Authorization header here, as to a wrong client."""
    token = signed_in(oauth, settings)
    assert oauth.refresh(settings, token).access != token.access
    wrong = {**settings, "client_secret": Secret("not-it")}
    refused = refusal(oauth, wrong, token)
    assert refused.terminal
    assert refused.client
    assert refused.message.startswith("invalid_client:")


def test_a_code_is_good_for_its_redirect_uri_only(oauth: SnapchatOAuth, settings: Settings) -> None:
    with pytest.raises(SignInFault, match="invalid_grant") as fault:
        oauth.exchange(settings, code=code_for(oauth, settings), redirect_uri="https://example.com/other")
    assert fault.value.terminal


def test_a_revoked_grant_is_final(
    oauth: SnapchatOAuth, settings: Settings, simulator: SnapchatSimulator
) -> None:
    token = signed_in(oauth, settings)
    simulator.fault("invalid-grant")
    refused = refusal(oauth, settings, token)
    assert refused.terminal
    assert "invalid_grant" in refused.message


PASSING = [
    ("status", {"status": 500}),
    ("status", {"status": 503}),
    ("status", {"status": 429, "body": "slow down"}),
    ("status", {"status": 429, "body": '{"error":"invalid_grant"}'}),
    ("status", {"status": 400, "body": "Bad Request"}),
    ("status", {"status": 401, "body": "<html>unauthorized</html>"}),
    ("status", {"status": 400, "body": '{"error":"temporarily_unavailable"}'}),
    ("status", {"status": 302, "body": ""}),
    ("html", {}),
    ("html", {"status": 200}),
    ("body", {"body": ""}),
    ("body", {"body": "[]"}),
    ("body", {"body": "{}"}),
    ("body", {"body": '{"access_token": null, "token_type": "Bearer"}'}),
    ("body", {"body": '{"access_token": "a", "token_type": "Bearer", "expires_in": "soon"}'}),
    ("body", {"body": "access_token=a&token_type=Bearer"}),
    ("body", {"body": "[" * 100_000}),
    ("cut-before", {}),
    ("cut-answer", {}),
]


@pytest.mark.parametrize(("fault", "options"), PASSING)
def test_an_answer_that_is_no_decision_is_not_final(
    oauth: SnapchatOAuth,
    settings: Settings,
    simulator: SnapchatSimulator,
    fault: str,
    options: Mapping[str, Any],
) -> None:
    token = signed_in(oauth, settings)
    simulator.fault(fault, route="token", **options)
    refused = refusal(oauth, settings, token)
    assert not refused.terminal
    assert refused.message
    # The refresh token was not used up by our doing, so the next try succeeds.
    if fault != "cut-answer":
        oauth.refresh(settings, token)


def test_a_redirect_of_the_token_endpoint_is_not_followed(
    oauth: SnapchatOAuth, settings: Settings, simulator: SnapchatSimulator
) -> None:
    from cdp_core.simulate import Fault

    token = signed_in(oauth, settings)
    elsewhere = {"Location": f"{simulator.url}/v1/me"}
    simulator.fault(Fault(name="moved", route="token", status=302, body="", headers=elsewhere))
    assert not refusal(oauth, settings, token).terminal
    assert simulator.requests("me") == []


def test_silence_is_not_final(
    oauth: SnapchatOAuth, settings: Settings, simulator: SnapchatSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_endpoint, "_ANSWER_TIMEOUT", 0.2)
    token = signed_in(oauth, settings)
    simulator.fault("stall", route="token", seconds=0.6)
    refused = refusal(oauth, settings, token)
    assert not refused.terminal
    assert "in time" in refused.message


def test_nobody_there_is_not_final(oauth: SnapchatOAuth, settings: Settings) -> None:
    nowhere = {**settings, "accounts_url": "http://127.0.0.1:9/login/oauth2"}
    refused = refusal(oauth, nowhere, Token(access=Secret("a"), refresh=Secret("r")))
    assert not refused.terminal
    assert "cannot be reached" in refused.message


@pytest.mark.parametrize(
    ("answer", "expires_at"),
    [
        ('"expires_in": 1800', 2800.0),
        ('"expires_in": "1800"', 2800.0),
        ('"expires_at": 99999999999', None),
        ('"expires_in": 1800, "expires_at": 5', 2800.0),
    ],
)
def test_expires_in_alone_is_trusted(
    oauth: SnapchatOAuth, settings: Settings, simulator: SnapchatSimulator, answer: str, expires_at: float
) -> None:
    body = f'{{"access_token": "a", "token_type": "Bearer", {answer}}}'
    simulator.fault("body", route="token", body=body)
    token = oauth.refresh(settings, Token(access=Secret("old"), refresh=Secret("r")))
    assert token.expires_at == expires_at
    assert token.refresh == Secret("r")


def test_a_scope_other_than_the_one_asked_for_is_taken_as_it_is(
    oauth: SnapchatOAuth, settings: Settings, simulator: SnapchatSimulator
) -> None:
    simulator.fault(
        "body", route="token", body='{"access_token": "a", "token_type": "Bearer", "scope": "b c"}'
    )
    token = oauth.refresh(settings, Token(access=Secret("old"), refresh=Secret("r"), scope="x"))
    assert token.scope == "b c"


def test_loopback_goes_past_proxies_and_http_stays_forbidden_elsewhere(
    oauth: SnapchatOAuth, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    signed_in(oauth, settings)
    assert "OAUTHLIB_INSECURE_TRANSPORT" not in os.environ
    plain = {**settings, "accounts_url": "http://accounts.example/login"}
    refused = refusal(oauth, plain, Token(access=Secret("a"), refresh=Secret("r")))
    assert "cannot be read" in refused.message


def test_sign_in_trusts_the_certificates_that_the_environment_names(
    oauth: SnapchatOAuth, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = tmp_path / "company.pem"
    with snapchat_simulator(tls=make_certificate(certificate)) as simulator:
        over_tls = {
            **settings,
            "accounts_url": simulator.accounts_url,
            "client_secret": Secret("demo-secret"),
        }
        token = Token(access=Secret("a"), refresh=Secret(str(simulator.issue_token().refresh_token)))
        assert "is not trusted" in refusal(oauth, over_tls, token).message
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
        assert oauth.refresh(over_tls, token).expires_at == 1000 + simulator.options.expires_in


class Everything(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage() + str(record.args))


def test_no_token_code_or_secret_reaches_a_handler_an_exception_or_a_repr(
    oauth: SnapchatOAuth, settings: Settings, simulator: SnapchatSimulator
) -> None:
    everything = Everything()
    loggers = [logging.getLogger(name) for name in (None, "requests_oauthlib.oauth2_session", "urllib3")]
    for logger in loggers:
        logger.addHandler(everything)
        logger.setLevel(logging.DEBUG)
    try:
        code = code_for(oauth, settings)
        token = oauth.exchange(settings, code=code, redirect_uri=REDIRECT_URI)
        fresh = oauth.refresh(settings, token)
        assert token.refresh is not None
        assert fresh.refresh is not None
        echo = f'{{"error":"invalid_grant","error_description":"{fresh.refresh.reveal()} is not known"}}'
        simulator.fault("status", route="token", status=400, body=echo)
        refused = refusal(oauth, settings, fresh)
    finally:
        for logger in loggers:
            logger.removeHandler(everything)
            logger.setLevel(logging.NOTSET)
    secrets = [code, settings["client_secret"].reveal()]
    secrets += [held.reveal() for held in (token.access, token.refresh, fresh.access, fresh.refresh)]
    endpoint = token_endpoint.TokenEndpoint(settings, lambda: 0.0)
    seen = "\n".join(
        [*everything.lines, str(refused), repr(refused), repr(token), repr(endpoint), repr(settings)]
    )
    assert "is not known" in seen
    assert everything.lines
    for secret in secrets:
        assert secret not in seen
    assert refused.__cause__ is None
    assert refused.__context__ is None
