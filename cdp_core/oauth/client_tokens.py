"""Tokens for a program: asked for with the client's own id and secret, whenever one is needed.

Nobody signs in, so nothing has to be kept: such a token can be had again at any time, and lives in this
process's memory alone. Stands between the connection's session and the service's token endpoint.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, NoReturn
from urllib.parse import quote_plus, urlsplit

import requests
from oauthlib.oauth2 import BackendApplicationClient
from requests.auth import HTTPBasicAuth

from cdp_core.contract.connection import SignInFault, Token
from cdp_core.contract.credentials import ClientCredentials
from cdp_core.contract.lost import in_words
from cdp_core.contract.transport import Transport
from cdp_core.contract.wording import quoted
from cdp_core.errors import Code, ReconnectFault, TemporaryFault
from cdp_core.model.names import as_typed
from cdp_core.model.secret import Secret
from cdp_core.oauth.patience import patiently
from cdp_core.vault.redaction import remember

_ANSWER_TIMEOUT = 15.0
_LONGEST_MARGIN = 60.0
_SHARE_OF_LIFE = 0.1


class ClientTokens:
    """The tokens of one connection in this process; safe to use from several threads."""

    def __init__(
        self,
        credentials: ClientCredentials,
        *,
        connection_name: str,
        transport: Transport,
        client_hint: str,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._credentials = credentials
        self._connection = connection_name
        self._transport = transport
        self._client_hint = client_hint
        self._clock = clock
        self._sleep = sleep
        self._turn = threading.Lock()
        self._token: Token | None = None
        self._renew_at = 0.0

    def __repr__(self) -> str:
        return f"ClientTokens({self._connection!r})"

    def current(self) -> Secret:
        """The access token to use now. Raises `ReconnectFault` where the service turns the client down, and
        `TemporaryFault` where it does not answer."""
        with self._turn:
            token = self._token
            if token is None or self._clock() >= self._renew_at:
                token = self._asked()
            return token.access

    def rejected(self, access: Secret) -> Secret:
        """Another token, since the service answered 401 to that one. Raises as `current` does."""
        with self._turn:
            token = self._token
            if token is None or token.access == access:
                token = self._asked()
            return token.access

    def give_up(self, reason: str) -> NoReturn:
        """The service does not take a token that it has just given."""
        raise self._turned_down(SignInFault(reason, terminal=True))

    def _asked(self) -> Token:
        asked_at = self._clock()
        try:
            token = patiently(lambda: _ask(self._credentials, self._transport, asked_at), sleep=self._sleep)
        except SignInFault as fault:
            refusal = SignInFault(fault.message, terminal=fault.terminal, client=fault.client)
        else:
            life = (token.expires_at or float("inf")) - asked_at
            self._renew_at = asked_at + life - min(_LONGEST_MARGIN, _SHARE_OF_LIFE * life)
            self._token = token
            return token
        # Raised here, away from the frames that hold the request, and chained to none of them.
        if refusal.terminal:
            raise self._turned_down(refusal)
        raise TemporaryFault(
            Code.SERVICE_UNREACHABLE,
            f"no token could be had: {refusal.message}",
            where=f"connection {self._connection!r}",
            hint="run again",
        )

    def _turned_down(self, refusal: SignInFault) -> ReconnectFault:
        name, where = as_typed(self._connection), f"connection {self._connection!r}"
        if refusal.client:
            return ReconnectFault(
                Code.CLIENT_REFUSED,
                f"the service does not accept the client: {refusal.message}",
                where=where,
                hint=self._client_hint,
            )
        return ReconnectFault(
            Code.RECONNECT,
            f"the service does not accept the connection's credentials: {refusal.message}",
            where=where,
            hint=f"cdp connection edit {name}, then cdp connection verify {name}",
        )


def _ask(credentials: ClientCredentials, transport: Transport, asked_at: float) -> Token:
    answer = _answer(credentials, transport)
    if isinstance(answer, SignInFault):
        raise answer
    lifetime = _seconds(answer.get("expires_in"))
    scope = answer.get("scope")
    return Token(
        access=remember(Secret(str(answer["access_token"]))),
        expires_at=None if lifetime is None else asked_at + lifetime,
        scope=str(scope or credentials.scope),
    )


def _answer(credentials: ClientCredentials, transport: Transport) -> Mapping[str, Any] | SignInFault:
    url, secret = credentials.token_url, credentials.client_secret.reveal()
    host = urlsplit(url).netloc
    client = BackendApplicationClient(credentials.client_id)
    identity = {"client_secret": secret} if credentials.in_body else {}
    body = client.prepare_request_body(
        scope=credentials.scope or None, include_client_id=credentials.in_body, **identity
    )
    basic = HTTPBasicAuth(quote_plus(credentials.client_id), quote_plus(secret))
    with requests.Session() as session:
        # Left to requests, a password in the user's netrc would go out too.
        session.trust_env = False
        session.proxies = transport.proxies(url)
        session.verify = transport.certificates()
        try:
            response = session.post(
                url,
                data=body,
                headers={"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"},
                auth=None if credentials.in_body else basic,
                timeout=(transport.connect_timeout, _ANSWER_TIMEOUT),
                allow_redirects=False,
            )
        except requests.RequestException as failure:
            return SignInFault(in_words(failure, host), terminal=False)
    return _read(response, (secret,))


def _read(response: requests.Response, secrets: tuple[str, ...]) -> Mapping[str, Any] | SignInFault:
    status = response.status_code
    try:
        document = json.loads(response.content)
    except (ValueError, RecursionError):
        document = None
    answer = document if isinstance(document, dict) else {}
    error = answer.get("error")
    if isinstance(error, str) and error:
        said = quoted(f"{error}: {answer.get('error_description') or status}", secrets)
        return SignInFault.of_error(error, said, status=status)
    if not 200 <= status < 300:
        return SignInFault(f"the token endpoint answered {status}", terminal=status in (400, 401, 403))
    if not isinstance(answer.get("access_token"), str) or not answer["access_token"]:
        return SignInFault("the token endpoint's answer has no access token", terminal=False)
    return answer


def _seconds(value: Any) -> float | None:
    """Some services give the number as a text."""
    try:
        return max(0.0, float(value))
    except (TypeError, ValueError):
        return None
