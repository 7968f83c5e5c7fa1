"""Why an alert could not be sent, in words that point at the cause, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cdp_core.alerts.ways import Ways
from cdp_core.errors import TemporaryFault
from cdp_core.model.alert import WEBHOOK, Alert, AlertKind, AlertSettings
from cdp_core.simulate import App, running
from cdp_core.simulate.certificate import make_certificate

CLOSED = "127.0.0.1:9"
Told = Callable[[str], tuple[str, str]]


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> Told:
    """What is said, and what to do, where a webhook cannot be reached."""
    for name in ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    alert = Alert(id="1", at=datetime(2026, 11, 28, tzinfo=UTC), kind=AlertKind.TEST, export="", message="hi")
    vault: Any = None  # no secret is referred to

    def why(url: str) -> tuple[str, str]:
        with pytest.raises(TemporaryFault) as caught:
            Ways(AlertSettings(webhook=url), vault).send(alert, WEBHOOK)
        return caught.value.message.removeprefix("the alert could not be sent: "), caught.value.hint

    return why


def test_a_certificate_that_nobody_trusts_is_not_called_unreachable(refused: Told, tmp_path: Path) -> None:
    tls = make_certificate(tmp_path / "ca.pem")
    with running(App((), name="Alerts"), tls=tls) as server:
        why, hint = refused(f"{server.url}/hook")
    assert why == "its certificate is not trusted"
    assert "REQUESTS_CA_BUNDLE" in hint


@pytest.mark.parametrize(
    ("age", "host", "why", "what"),
    [
        (timedelta(days=2), "127.0.0.1", "its certificate has expired", "renewed"),
        (timedelta(days=-2), "127.0.0.1", "its certificate is not valid yet", "clock"),
        (timedelta(), "localhost", "its certificate is for another host", "host in its URL"),
    ],
)
def test_a_certificate_that_is_trusted_and_wrong_is_told_apart(
    refused: Told,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    age: timedelta,
    host: str,
    why: str,
    what: str,
) -> None:
    tls = make_certificate(tmp_path / "ca.pem", since=datetime.now(UTC) - age)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    with running(App((), name="Alerts"), tls=tls) as server:
        told, hint = refused(f"{server.url}/hook".replace("127.0.0.1", host))
    assert told == why
    assert what in hint


def test_a_service_without_tls_is_not_blamed_for_its_certificate(refused: Told) -> None:
    with running(App((), name="Alerts")) as server:
        why, hint = refused(f"{server.url}/hook".replace("http://", "https://"))
    assert why == "no TLS connection comes about"
    assert "https" in hint


def test_nobody_listens(refused: Told) -> None:
    assert refused(f"https://{CLOSED}/hook")[0] == "it cannot be reached"


def test_a_proxy_that_is_not_there_is_named(refused: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://{CLOSED}")
    why, hint = refused("https://alerts.example.org/hook")
    assert why == "the proxy does not let it through"
    assert "HTTPS_PROXY" in hint
