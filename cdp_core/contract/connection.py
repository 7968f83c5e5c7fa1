"""A connection type: a kind of service that can be connected to, and how one signs in to it."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cdp_core.contract.credentials import Credentials
from cdp_core.contract.destination import ConnectionContext, Rate
from cdp_core.model.secret import Secret

if TYPE_CHECKING:
    import marshmallow


_PASSING_ERRORS = frozenset({"temporarily_unavailable", "server_error", "slow_down"})
_CLIENT_ERRORS = frozenset({"invalid_client", "unauthorized_client"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What a sign-in yields. `expires_at` is in seconds since the epoch; None where it does not lapse.
    `refresh` is None where the service gives none."""

    access: Secret
    refresh: Secret | None = None
    expires_at: float | None = None
    scope: str = ""


class SignInFault(Exception):
    """The service refused a sign-in or a refresh.

    `terminal`: trying again cannot help (the grant was revoked, the client is wrong); otherwise the
    service was busy or answered nonsense. `client`: the client itself was refused, as for a wrong secret, so
    that what somebody has granted still stands, and nobody has to sign in anew once that is mended. The
    message quotes the service, never a token.
    """

    def __init__(self, message: str, *, terminal: bool, client: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.terminal = terminal
        self.client = client

    @classmethod
    def of_error(cls, error: str, message: str, *, status: int) -> SignInFault:
        """What a token endpoint's `error` means, by RFC 6749, 5.2, RFC 8628, 3.5, and the HTTP status beside
        it: a service that is busy passes by itself, every other error does not."""
        passing = status == 429 or status >= 500 or error in _PASSING_ERRORS
        return cls(message, terminal=not passing, client=not passing and error in _CLIENT_ERRORS)


class OAuth2(abc.ABC):
    """The service's side of an OAuth 2 sign-in; the core keeps state, listener, token and lock."""

    @abc.abstractmethod
    def redirect_uri(self, settings: Mapping[str, Any]) -> str:
        """Where the service sends the browser back to; a loopback address is listened on."""

    @abc.abstractmethod
    def authorization_url(self, settings: Mapping[str, Any], *, redirect_uri: str, state: str) -> str:
        """The page on which the user agrees."""

    @abc.abstractmethod
    def exchange(self, settings: Mapping[str, Any], *, code: str, redirect_uri: str) -> Token:
        """A token for the code of the redirect; raises `SignInFault`."""

    @abc.abstractmethod
    def refresh(self, settings: Mapping[str, Any], token: Token) -> Token:
        """A newer token, with the old refresh token where there is no new one; raises `SignInFault`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A value that a setting may have, as the service knows it, and what it is called there."""

    value: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceIdentity:
    """Who one is at the service, for people to recognise: labelled values, none of them secret.

    `choices` are, for settings of the connection that only somebody signed in can know, the values that
    the service offers: one alone is taken, of several one is picked. `lacking` are sentences on rights that
    the signed-in user has not, and how to get them. `unasked` is why nothing was asked, where the settings
    name no way to: the service is then not said to answer.
    """

    name: str
    details: Mapping[str, str] = field(default_factory=dict)
    choices: Mapping[str, tuple[Choice, ...]] = field(default_factory=dict)
    lacking: tuple[str, ...] = ()
    unasked: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionType:
    """Registers a kind of connection. `oauth` is None where nobody signs in; then `credentials` gives, from
    the loaded settings, what the settings alone authenticate with (None: nothing). `rate` gives, from the
    settings, the limit of one connection's requests, where it is not the same for all of a destination.
    `verify` asks the service who one is; it raises a `DestinationFault` where that fails. `origin` gives
    the API's scheme, host and port from the settings: credentials go there and nowhere else, and an
    audience there is not the same as one of that id elsewhere. `app` names, from the settings, the app whose
    rate limit all its connections share; it is kept, and no secret."""

    key: str
    label: str
    settings_schema: type[marshmallow.Schema]
    verify: Callable[[ConnectionContext], ServiceIdentity]
    origin: Callable[[Mapping[str, Any]], str]
    oauth: OAuth2 | None = None
    credentials: Callable[[Mapping[str, Any]], Credentials | None] | None = None
    rate: Callable[[Mapping[str, Any]], Rate | None] | None = None
    app: Callable[[Mapping[str, Any]], str] | None = None
