"""The ways by which an alert is sent: Apprise's URLs (mail, chat, pager), and a webhook that is signed.

What is posted to the webhook is signed by HMAC-SHA256 over the moment and the body, so that the receiver can
tell it from anybody else's and from one that is sent again later (docs/how-to/alerts.md shows how).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import ssl
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from cdp_core.contract.schemas import is_loopback
from cdp_core.contract.transport import Transport
from cdp_core.errors import CdpError, Code, InvalidFault, TemporaryFault
from cdp_core.model.alert import WEBHOOK, Alert, AlertKind, AlertSettings
from cdp_core.model.secret import Secret
from cdp_core.vault.redaction import remember
from cdp_core.vault.references import resolve
from cdp_core.vault.vault import Vault

SIGNATURE = "Cdp-Signature"
TIMEOUT = 10.0
_TITLES = {
    AlertKind.FAILED: "failed",
    AlertKind.RECONNECT: "must be signed in again",
    AlertKind.GATE: "was stopped by a gate",
    AlertKind.RECOVERED: "recovered",
    AlertKind.MISSED: "was not run in its time",
    AlertKind.UNUSUAL: "has an unusual size",
    AlertKind.TEST: "test",
}

# Apprise logs addresses, and an address may hold a token.
logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)


class Ways:
    def __init__(
        self, settings: AlertSettings, vault: Vault, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._settings = settings
        self._vault = vault
        self._clock = clock

    @property
    def names(self) -> tuple[str, ...]:
        return self._settings.ways

    def send(self, alert: Alert, way: str) -> None:
        """Raises `TemporaryFault` where it could not be sent, `InvalidFault` where somebody has to change a
        setting for that."""
        try:
            if way == WEBHOOK and self._settings.webhook:
                self._post(alert, self._webhook(self._settings.webhook))
            elif way in self._settings.urls:
                self._notify(alert, way)
        except CdpError:
            raise
        except Exception as fault:  # noqa: BLE001 - each of Apprise's services has faults of its own
            # Without its words, which may hold an address.
            raise _unsent(way, *_why(fault)) from None

    def _notify(self, alert: Alert, reference: str) -> None:
        try:
            import apprise
        except ImportError:
            raise InvalidFault(
                Code.SETTING_INVALID,
                "alerts by Apprise need Apprise, which is not installed",
                where="alerts.urls in cdp.toml",
                hint='pip install "cdp-core[alerts]"',
            ) from None
        ways = apprise.Apprise()
        if not ways.add(resolve(reference, self._vault).reveal()):
            raise InvalidFault(
                Code.SETTING_INVALID,
                f"what {reference} holds is no URL that Apprise knows",
                where="alerts.urls in cdp.toml",
                hint="Apprise's documentation has one for each service, such as slack://… or mailto://…",
            )
        if not ways.notify(title=title_of(alert), body=body_of(alert)):
            raise _unsent(reference, "the service did not take it, or did not answer")

    def _webhook(self, said: str) -> str:
        """The webhook's URL, where a reference leads to it too."""
        url = said
        if urlsplit(said).scheme not in ("http", "https"):
            url = resolve(said, self._vault).reveal().strip()
            # Libraries log the path without the host.
            remember(Secret(url.partition("//")[2].partition("/")[2]))
        try:
            parts = urlsplit(url)
            good = bool(parts.hostname) and parts.port != 0
        except ValueError:
            good = False
        if not good or (parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(url))):
            raise InvalidFault(
                Code.SETTING_INVALID,
                "the webhook is no URL that begins with https://; http is for loopback addresses only",
                where="alerts.webhook in cdp.toml",
                hint="use https",
            )
        return url

    def _post(self, alert: Alert, url: str) -> None:
        import requests

        transport = Transport()
        body = json.dumps(document_of(alert), separators=(",", ":")).encode()
        headers = {"Content-Type": "application/json", "User-Agent": "cdp"}
        if self._settings.webhook_secret is not None:
            key = resolve(self._settings.webhook_secret, self._vault).reveal()
            headers[SIGNATURE] = signature(body, key, at=int(self._clock()))
        with requests.Session() as session:
            # Left to requests, a password in the user's netrc would go out too.
            session.trust_env = False
            session.proxies = transport.proxies(url)
            session.verify = transport.certificates()
            try:
                answer = session.post(url, data=body, headers=headers, timeout=TIMEOUT, allow_redirects=False)
            except requests.RequestException as fault:
                raise _unsent(WEBHOOK, *_why(fault)) from None
        if not answer.ok or answer.is_redirect:
            raise _unsent(WEBHOOK, f"it answered {answer.status_code}")


def signature(body: bytes, key: str, *, at: int) -> str:
    """`t=SECONDS,v1=HEX`: HMAC-SHA256 of the moment (seconds since the epoch), a dot, and the body."""
    digest = hmac.new(key.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def title_of(alert: Alert) -> str:
    return f"cdp: {alert.export} {_TITLES[alert.kind]}" if alert.export else f"cdp: {_TITLES[alert.kind]}"


def body_of(alert: Alert) -> str:
    return "\n".join(filter(None, (alert.message, alert.hint)))


def document_of(alert: Alert) -> dict[str, Any]:
    return {
        "id": alert.id,
        "at": alert.at.isoformat(),
        "kind": str(alert.kind),
        "export": alert.export,
        "run": alert.run_id,
        "message": alert.message,
        "hint": alert.hint,
    }


_LOOK = "look whether it is up, and at [alerts] in cdp.toml"

# What OpenSSL calls X509_V_ERR_CERT_NOT_YET_VALID, …_CERT_HAS_EXPIRED, …_HOSTNAME_MISMATCH and
# …_IP_ADDRESS_MISMATCH.
_OF_CERTIFICATES = {
    9: ("its certificate is not valid yet", "look at this machine's clock"),
    10: ("its certificate has expired", "have it renewed"),
    62: ("its certificate is for another host", "look at the host in its URL"),
    64: ("its certificate is for another host", "look at the host in its URL"),
}
_UNTRUSTED = (
    "its certificate is not trusted",
    "where its authority is your own, add the authority's certificate to a copy of the usual ones, and name "
    "that file in REQUESTS_CA_BUNDLE",
)


def _unsent(way: str, why: str, hint: str = _LOOK) -> CdpError:
    return TemporaryFault(
        Code.SERVICE_UNREACHABLE, f"the alert could not be sent: {why}", where=way, hint=hint
    )


def _why(fault: Exception) -> tuple[str, str]:
    """What happened and how to mend it, in words of our own: an exception's may quote a secret of the URL."""
    import requests

    if isinstance(fault, requests.Timeout):
        return "there was no answer in time", _LOOK
    if isinstance(fault, requests.exceptions.SSLError):
        return _why_of_tls(fault)
    if isinstance(fault, requests.exceptions.ProxyError):
        return "the proxy does not let it through", "look at HTTPS_PROXY, or name its host in NO_PROXY"
    if isinstance(fault, requests.ConnectionError):
        return "it cannot be reached", _LOOK
    return type(fault).__name__, _LOOK


def _why_of_tls(fault: BaseException | None) -> tuple[str, str]:
    while fault is not None and not isinstance(fault, ssl.SSLError):
        fault = fault.__context__
    if isinstance(fault, ssl.SSLCertVerificationError):
        return _OF_CERTIFICATES.get(fault.verify_code, _UNTRUSTED)
    return "no TLS connection comes about", "look at its port, and whether it is https"
