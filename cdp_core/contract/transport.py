"""How a connection's requests travel: through which proxy, trusting whom, and how long a connection may take.

A connection type whose settings schema is a `TransportSettings` has these settings; its session and its
sign-in both go the same way. What is not set is the environment's (`HTTPS_PROXY`, `NO_PROXY`,
`REQUESTS_CA_BUNDLE`).
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import marshmallow
from marshmallow import fields, validate

from cdp_core.contract.schemas import SettingsSchema, is_loopback
from cdp_core.errors import Code, InvalidFault

CONNECT_TIMEOUT = 10.0


class ProxyUrl(validate.Validator):
    """Accepts `http://HOST:PORT` and the like, without a user: a setting is no place for one."""

    def __call__(self, value: str) -> str:
        try:
            parts = urlsplit(value)
            is_one = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            is_one = False
        if not is_one or parts.path not in ("", "/") or parts.query or parts.fragment:
            raise marshmallow.ValidationError("Not a proxy's address, such as http://proxy.example:3128.")
        if parts.username or parts.password:
            raise marshmallow.ValidationError(
                "The address may hold no user name or password, for settings are shown: "
                "the environment's HTTPS_PROXY may."
            )
        return value


class CertificateFile(validate.Validator):
    """Accepts a file of certificates in PEM that can be read."""

    def __call__(self, value: str) -> str:
        path = Path(value)
        try:
            ssl.create_default_context(cafile=str(path.expanduser()))
        except RuntimeError:
            raise marshmallow.ValidationError(f"{path} is in nobody's home.") from None
        except ssl.SSLError:
            raise marshmallow.ValidationError(f"{path} holds no certificate in PEM.") from None
        except OSError as fault:
            raise marshmallow.ValidationError(f"{path} cannot be read: {fault.strerror}.") from None
        return value


class TransportSettings(SettingsSchema):
    """Settings that any connection over HTTP may need."""

    proxy = fields.String(
        load_default=None,
        allow_none=True,
        validate=ProxyUrl(),
        metadata={
            "label": "Proxy",
            "help": "The proxy that every request goes through. Unset: HTTPS_PROXY, and none to loopback.",
            "example": "http://proxy.example:3128",
            "advanced": True,
            "nl": {
                "label": "Proxy",
                "help": "De proxy waar elke aanvraag doorheen gaat. Niet ingesteld: HTTPS_PROXY, en geen "
                "voor loopback.",
            },
            "da": {
                "label": "Proxy",
                "help": "Den proxy, som hver anmodning går igennem. Ikke angivet: HTTPS_PROXY, og ingen til "
                "loopback.",
            },
        },
    )
    ca_bundle = fields.String(
        load_default=None,
        allow_none=True,
        validate=CertificateFile(),
        metadata={
            "label": "CA bundle",
            "help": "A PEM file with the certificates to trust, where a company has its own. "
            "Unset: REQUESTS_CA_BUNDLE, else the usual ones.",
            "example": "/etc/ssl/certs/company.pem",
            "advanced": True,
            "path": True,
            "nl": {
                "label": "CA-bundel",
                "help": "Een PEM-bestand met de certificaten die worden vertrouwd, waar een bedrijf eigen "
                "certificaten heeft. Niet ingesteld: REQUESTS_CA_BUNDLE, anders de gewone.",
            },
            "da": {
                "label": "CA-bundt",
                "help": "En PEM-fil med de certifikater, der er tillid til, hvor en virksomhed har sine "
                "egne. Ikke angivet: REQUESTS_CA_BUNDLE, ellers de sædvanlige.",
            },
        },
    )
    connect_timeout = fields.Float(
        load_default=CONNECT_TIMEOUT,
        validate=validate.Range(min=0.1, max=600),
        metadata={
            "label": "Time-out of connecting",
            "help": "Seconds until a connection to the service (or its proxy) must stand.",
            "example": "10",
            "advanced": True,
            "nl": {
                "label": "Time-out van het verbinden",
                "help": "Seconden waarbinnen een verbinding met de service (of de proxy) tot stand moet "
                "komen.",
            },
            "da": {
                "label": "Timeout for at oprette forbindelse",
                "help": "Sekunder, inden for hvilke en forbindelse til tjenesten (eller dens proxy) skal "
                "stå.",
            },
        },
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Transport:
    """The way that a connection's requests take. `connect_timeout` is in seconds."""

    proxy: str | None = None
    ca_bundle: str | None = None
    connect_timeout: float = CONNECT_TIMEOUT

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Self:
        """What a connection's loaded settings say, where they say it."""
        return cls(
            proxy=settings.get("proxy"),
            ca_bundle=settings.get("ca_bundle"),
            connect_timeout=settings.get("connect_timeout", CONNECT_TIMEOUT),
        )

    def proxies(self, url: str) -> dict[str, str]:
        """For `requests`: the proxy on the way to a URL. The environment's is for no loopback address."""
        if self.proxy is not None:
            return {"http": self.proxy, "https": self.proxy}
        if is_loopback(url):
            return {}
        from requests.utils import get_environ_proxies

        return dict(get_environ_proxies(url))

    def certificates(self) -> bool | str:
        """For `requests`: the bundle to trust, or that the usual ones are. Raises `InvalidFault` where the
        bundle is gone."""
        environment = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
        path = self.ca_bundle or environment
        if path and not Path(path).exists():
            raise InvalidFault(
                Code.SETTING_INVALID,
                f"there are no certificates at {path}",
                where="ca_bundle" if self.ca_bundle else "REQUESTS_CA_BUNDLE in the environment",
                hint="name a PEM file that is there",
            )
        return path or True
