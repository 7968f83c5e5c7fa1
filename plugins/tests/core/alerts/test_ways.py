"""Why an alert could not be sent, in words that point at the cause."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cdp_core.alerts.ways import Ways
from cdp_core.errors import TemporaryFault
from cdp_core.model.alert import WEBHOOK, Alert, AlertKind, AlertSettings
from cdp_core.simulate import App, running
from cdp_core.simulate.certificate import make_certificate

CLOSED = "127.0.0.1:9"


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    for name in ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    alert = Alert(id="1", at=datetime(2026, 11, 28, tzinfo=UTC), kind=AlertKind.TEST, export="", message="hi")
    vault: Any = None  # no secret is referred to

    def why(url: str) -> str:
        with pytest.raises(TemporaryFault) as caught:
            Ways(AlertSettings(webhook=url), vault).send(alert, WEBHOOK)
        return caught.value.message

    return why


def test_a_certificate_that_nobody_trusts_is_not_called_unreachable(
    refused: Callable[[str], str], tmp_path: Path
) -> None:
    tls = make_certificate(tmp_path / "ca.pem")
    with running(App((), name="Alerts"), tls=tls) as server:
        told = refused(f"{server.url}/hook")
    assert told == "the alert could not be sent: its certificate is not trusted"


def test_nobody_listens(refused: Callable[[str], str]) -> None:
    assert refused(f"https://{CLOSED}/hook") == "the alert could not be sent: it cannot be reached"


def test_a_proxy_that_is_not_there_is_named(
    refused: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://{CLOSED}")
    told = refused("https://alerts.example.org/hook")
    assert told == "the alert could not be sent: the proxy does not let it through"
