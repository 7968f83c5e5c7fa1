"""Logs hold no secret: neither one that we know, nor one that a service has just issued."""

from __future__ import annotations

import io
import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import quote

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from requests_oauthlib import OAuth2Session

from cdp_core.model.secret import MASK, Secret
from cdp_core.vault import redaction
from cdp_core.vault.file_vault import FileVault
from cdp_core.vault.redaction import RedactingFilter, install, redacted, remember
from cdp_core.vault.references import resolve

FIRST = {"access_token": "acc-0ne-" + "a" * 20, "refresh_token": "ref/0ne+" + "b" * 20, "expires_in": 1800}
SECOND = {"access_token": "acc-tw0-" + "c" * 20, "refresh_token": "ref/tw0+" + "d" * 20, "expires_in": 1800}
CLIENT_SECRET = "client/secret+with=signs"
CODE = "authorization-code-1234567890"


@pytest.fixture(autouse=True)
def nothing_seen_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "_seen", redaction._Seen())


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything down to DEBUG, as a handler with our filter writes it."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    install(handler)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield text
    root.removeHandler(handler)
    root.setLevel(level)


class TokenService(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self._answer(SECOND if "refresh" in body else FIRST)

    def do_GET(self) -> None:
        self._answer({"me": "somebody"})

    def _answer(self, document: object) -> None:
        content = json.dumps({"token_type": "Bearer", **dict(document)}).encode()  # type: ignore[call-overload]
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None: ...


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    server = HTTPServer(("127.0.0.1", 0), TokenService)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_whole_sign_in_refresh_and_call_leave_no_credential_in_the_log(
    service: str, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A plugin that was imported in this process may have silenced this logger: here it must speak.
    monkeypatch.setattr(logging.getLogger("requests_oauthlib.oauth2_session"), "filters", [])
    with OAuth2Session("client-1", redirect_uri="http://127.0.0.1:1/back") as session:
        session.fetch_token(
            f"{service}/token", code=CODE, client_secret=CLIENT_SECRET, include_client_id=True
        )
        session.refresh_token(f"{service}/token", client_id="client-1", client_secret=CLIENT_SECRET)
        session.get(f"{service}/me")
    requests.get(f"{service}/me", params={"access_token": _strings(FIRST)[0]}, timeout=5).close()
    requests.get(f"{service}/me", auth=("client-1", CLIENT_SECRET), timeout=5).close()
    text = log.getvalue()
    assert "requests_oauthlib" not in text or MASK in text
    assert text.count(MASK) >= 10
    for secret in (*_strings(FIRST), *_strings(SECOND), CLIENT_SECRET, CODE):
        assert secret not in text
        assert quote(secret, safe="") not in text
    assert "status" in text  # and what is no credential can still be read


def _strings(token: dict[str, object]) -> list[str]:
    return [value for value in token.values() if isinstance(value, str)]


def test_what_the_vault_and_references_give_is_masked_in_every_form(tmp_path: Path, log: io.StringIO) -> None:
    vault = FileVault(tmp_path / "v", {})
    secret = 'p/4 s+"s\\é'
    vault.put("x", Secret(secret))
    resolve("env:Y", vault, environ={"Y": "seen-in-the-environment"})
    logger = logging.getLogger("test")
    logger.info(
        "raw %s quoted %s json %s repr %r", secret, quote(secret, safe=""), json.dumps(secret), secret
    )
    logger.info("and seen-in-the-environment")
    text = log.getvalue()
    assert text.count(MASK) == 5
    assert "p/4" not in text
    assert "p%2F4" not in text
    assert "seen-in" not in text


def test_a_token_document_is_known_by_its_credentials_too() -> None:
    document = {"access": "acc-in-document", "refresh": "ref-in-document", "scope": "plain-scope", "n": 1}
    remember(Secret(json.dumps(document)))
    assert redacted("acc-in-document, ref-in-document, plain-scope") == f"{MASK}, {MASK}, plain-scope"


def test_tracebacks_and_arguments_of_a_broken_message_are_masked(log: io.StringIO) -> None:
    remember(Secret("hidden-in-a-traceback"))
    logger = logging.getLogger("test")
    try:
        raise ValueError("it was hidden-in-a-traceback")
    except ValueError:
        logger.exception("failed", stack_info=True)
    logger.info("%d", "hidden-in-a-traceback")
    text = log.getvalue()
    assert "Traceback" in text
    assert "hidden-in" not in text
    assert "cannot be formatted" in text


@pytest.mark.parametrize(
    "plain",
    [
        "status code: 200",
        '{"error": {"code": "E3002"}}',
        "basic configuration of the token service",
        "https://example.com/?page=2&size=10",
        "the access was refused",
    ],
)
def test_what_is_no_credential_stays(plain: str) -> None:
    assert redacted(plain) == plain


@pytest.mark.parametrize(
    "shape",
    [
        "Authorization: Bearer {}",
        "{{'Authorization': 'Basic {}'}}",
        '{{"access_token":"{}","x":1}}',
        '{{\\"refresh_token\\": \\"{}\\"}}',
        "{{'client_secret': '{}'}}",
        "grant_type=refresh_token&refresh_token={}&x=1",
        "GET /cb?code={}&state=1",
        "{{'code': '{}'}}",
    ],
)
def test_a_credential_that_nobody_has_seen_yet_is_known_by_its_name(shape: str) -> None:
    text = redacted(shape.format("aB3-unseen-credential"))
    assert "unseen" not in text
    assert MASK in text
    assert redacted(text) == text


@given(st.text(min_size=1), st.text(), st.text())
def test_no_secret_that_was_seen_is_left_whatever_surrounds_it(secret: str, before: str, after: str) -> None:
    if secret in MASK:
        return
    seen = redaction._Seen()
    seen.add(secret)
    assert secret not in seen.masked(before + secret + after).replace(MASK, "")


def test_a_handler_gets_one_filter_however_often_it_is_installed() -> None:
    handler = logging.NullHandler()
    install(handler)
    install(handler)
    assert [type(kept) for kept in handler.filters] == [RedactingFilter]


def test_without_a_handler_named_the_roots_are_redacted(log: io.StringIO) -> None:
    install()
    assert all(
        any(isinstance(kept, RedactingFilter) for kept in handler.filters)
        for handler in logging.getLogger().handlers
    )
