"""Asks Snapchat's token endpoint for tokens, over requests-oauthlib.

What is particular to this service is here: client id and secret in the body, never Basic; answers
that are not JSON (Airbyte issue 17461); 429 and 5xx at this address too (Airbyte PR 17596). The core
tries again where a fault is not terminal.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import requests
from oauthlib.oauth2 import OAuth2Error
from requests.adapters import HTTPAdapter
from requests_oauthlib import OAuth2Session

from cdp_core import Secret, SignInFault, Token, Transport, in_words, is_loopback, quoted

SCOPE = "snapchat-marketing-api"
# Four tries with their pauses stay below two minutes, for others wait for this token meanwhile.
_ANSWER_TIMEOUT = 15.0

Ask = Callable[[OAuth2Session, str], Mapping[str, Any]]


class _Nothing(logging.Filter):
    """requests-oauthlib logs bodies and tokens at DEBUG; a filter on its logger stops them before any
    handler, wherever somebody hangs one."""

    def filter(self, record: logging.LogRecord) -> bool:
        return False


logging.getLogger("requests_oauthlib.oauth2_session").addFilter(_Nothing())


def authorization_url(settings: Mapping[str, Any], *, redirect_uri: str, state: str) -> str:
    """The page on which the user agrees."""
    page = _address(settings, "authorize")
    with OAuth2Session(settings["client_id"], redirect_uri=redirect_uri, scope=[SCOPE]) as session:
        url, _ = session.authorization_url(_as_https(page), state=state)
    return url.replace(_as_https(page), page, 1)


class TokenEndpoint:
    """The endpoint of one connection. `clock` counts seconds since the epoch."""

    def __init__(self, settings: Mapping[str, Any], clock: Callable[[], float]) -> None:
        self._client_id: str = settings["client_id"]
        self._client_secret: Secret = settings["client_secret"]
        self._url = _address(settings, "access_token")
        self._transport = Transport.of(settings)
        self._timeout = (self._transport.connect_timeout, _ANSWER_TIMEOUT)
        self._clock = clock

    def __repr__(self) -> str:
        return f"TokenEndpoint({self._url})"

    def for_code(self, code: str, redirect_uri: str) -> Token:
        """The token for an authorization code. Raises `SignInFault`."""

        def ask(session: OAuth2Session, url: str) -> Mapping[str, Any]:
            session.redirect_uri = redirect_uri
            answer: Mapping[str, Any] = session.fetch_token(
                url,
                code=code,
                include_client_id=True,
                client_secret=self._client_secret.reveal(),
                timeout=self._timeout,
            )
            return answer

        # RFC 6749, 5.1: an answer that names no scope grants the one asked for.
        fresh = self._token(ask, sent=(code,))
        return fresh if fresh.scope else replace(fresh, scope=SCOPE)

    def refreshed(self, token: Token) -> Token:
        """A newer token; with the old refresh token where the answer has none. Raises `SignInFault`."""
        refresh = token.refresh.reveal() if token.refresh else ""

        def ask(session: OAuth2Session, url: str) -> Mapping[str, Any]:
            answer: Mapping[str, Any] = session.refresh_token(
                url,
                refresh_token=refresh,
                client_id=self._client_id,
                client_secret=self._client_secret.reveal(),
                timeout=self._timeout,
            )
            return answer

        fresh = self._token(ask, sent=(refresh,))
        return replace(
            fresh, refresh=fresh.refresh or token.refresh, scope=fresh.scope or token.scope or SCOPE
        )

    def _token(self, ask: Ask, sent: tuple[str, ...]) -> Token:
        # The lifetime counts from the moment of asking, and `expires_in` alone is trusted for it.
        asked_at = self._clock()
        answer = self._asked(ask, sent)
        if isinstance(answer, SignInFault):
            # Raised here, away from the frames that hold the request, and chained to none of them.
            raise answer
        lifetime, refresh = answer.get("expires_in"), answer.get("refresh_token")
        return Token(
            access=Secret(str(answer["access_token"])),
            refresh=Secret(str(refresh)) if refresh else None,
            expires_at=asked_at + float(lifetime) if lifetime else None,
            scope=_scope(answer.get("scope")),
        )

    def _asked(self, ask: Ask, sent: tuple[str, ...]) -> Mapping[str, Any] | SignInFault:
        host = urlsplit(self._url).netloc
        secrets = (self._client_secret.reveal(), *sent)

        def check(response: requests.Response) -> requests.Response:
            fault = _fault_in(response, secrets)
            if fault is not None:
                raise fault
            return response

        with OAuth2Session(self._client_id) as session:
            # Left to requests, a password in the user's netrc would go out too.
            session.trust_env = False
            session.proxies = self._transport.proxies(self._url)
            session.verify = self._transport.certificates()
            session.max_redirects = 0
            _speak_http_to_loopback(session, self._url)
            session.register_compliance_hook("access_token_response", check)
            session.register_compliance_hook("refresh_token_response", check)
            try:
                return ask(session, _as_https(self._url))
            except SignInFault as fault:
                return SignInFault(fault.message, terminal=fault.terminal, client=fault.client)
            except requests.TooManyRedirects:
                return SignInFault(f"{host} answered with a redirect", terminal=False)
            except requests.RequestException as failure:
                return SignInFault(in_words(failure, host), terminal=False)
            except (OAuth2Error, ValueError, TypeError, AttributeError, ArithmeticError):
                # oauthlib takes it for granted that each value is of its own kind.
                return SignInFault(f"{host} gave a token that cannot be read", terminal=False)


def _fault_in(response: requests.Response, secrets: tuple[str, ...]) -> SignInFault | None:
    """What is wrong with an answer of the token endpoint, if anything."""
    status = response.status_code
    answer = _object(response)
    error = answer.get("error") if answer is not None else None
    if isinstance(error, str) and error:
        said = quoted(f"{error}: {answer.get('error_description') or status}" if answer else error, secrets)
        return SignInFault.of_error(error, said, status=status)
    if not response.ok:
        return SignInFault(f"the token endpoint answered {status}", terminal=False)
    if answer is None:
        return SignInFault("the token endpoint answered something other than JSON", terminal=False)
    if not isinstance(answer.get("access_token"), str) or not answer["access_token"]:
        return SignInFault("the token endpoint's answer has no access token", terminal=False)
    return None


def _object(response: requests.Response) -> Mapping[str, Any] | None:
    try:
        answer = json.loads(response.content)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def _scope(given: Any) -> str:
    """oauthlib makes a list of it."""
    return " ".join(map(str, given)) if isinstance(given, list) else str(given or "")


def _address(settings: Mapping[str, Any], name: str) -> str:
    return f"{str(settings['accounts_url']).rstrip('/')}/{name}"


def _as_https(url: str) -> str:
    """What oauthlib is told: it refuses http, and its own switch for that would cover every host."""
    if url.startswith("http://") and is_loopback(url):
        return f"https{url.removeprefix('http')}"
    return url


def _speak_http_to_loopback(session: OAuth2Session, url: str) -> None:
    """Let http through for this one loopback origin, which oauthlib takes for https."""
    secure = _as_https(url)
    if secure != url:
        session.mount(f"https://{urlsplit(secure).netloc}/", _PlainAdapter())


class _PlainAdapter(HTTPAdapter):
    """Sends what is addressed to https over http; mounted for one loopback origin only."""

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        request.url = f"http{(request.url or '').removeprefix('https')}"
        return super().send(request, *args, **options)
