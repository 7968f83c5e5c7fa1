"""The HTTP session that a connection's plugin is handed: credentials, time-outs, proxies, and nothing else.

It carries the token to the API's own origin only, never follows a redirect, and keeps no cookie.
What an answer means is the plugin's to say; when to try again is the runner's.
"""

from __future__ import annotations

import io
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from http.cookiejar import DefaultCookiePolicy
from importlib import metadata
from typing import Any, NoReturn, Protocol, TypeVar
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from cdp_core.contract.credentials import ApiKey, BasicAuth, BearerToken
from cdp_core.contract.faults import CredentialsRejected
from cdp_core.contract.transport import Transport
from cdp_core.errors import Code, ReconnectFault
from cdp_core.model.names import as_typed
from cdp_core.model.secret import MASK, Secret, forms

READ_TIMEOUT = 300.0
# Of an answer, unpacked: what any page of a list needs, and no more than a machine has.
LARGEST_ANSWER = 64 * 1024 * 1024
# Of a token, key or password that is taken out of answers.
SHORTEST_MASKED = 16
_BLOCK = 256 * 1024
_DEFAULT_PORTS = {"http": 80, "https": 443}

Result = TypeVar("Result")


class TokenSource(Protocol):
    """What the session needs of the token's keeper."""

    def current(self) -> Secret: ...

    def rejected(self, access: Secret, /) -> Secret: ...

    def give_up(self, reason: str, /) -> NoReturn: ...


class ConnectionSession(requests.Session):
    """A session for one connection; safe to use from `pool_size` threads at once.

    `origin` is any URL of the API: its scheme, host and port are where credentials may go. `tokens` is
    None for a connection whose settings alone authenticate: with `credentials`, or with nothing.
    `transport` is the way that requests take. `connection_name` is for what to do where they are refused.
    """

    def __init__(
        self,
        *,
        origin: str,
        tokens: TokenSource | None,
        credentials: BasicAuth | BearerToken | ApiKey | None = None,
        transport: Transport | None = None,
        connection_name: str = "",
        read_timeout: float = READ_TIMEOUT,
        pool_size: int = 4,
    ) -> None:
        super().__init__()
        # The environment is asked for each request below. Left to requests, it would send loopback
        # traffic to a proxy, a netrc password to the API, and overrule the connection's own bundle.
        self.trust_env = False
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.headers["User-Agent"] = _user_agent()
        self._bearer = _Bearer(origin, tokens, credentials, connection_name)
        self.auth = self._bearer
        self._transport = transport or Transport()
        self._timeout = (self._transport.connect_timeout, read_timeout)
        for scheme in ("https://", "http://"):
            self.mount(scheme, _Adapter(pool_maxsize=pool_size))

    def request(self, method: Any, url: Any, *args: Any, **options: Any) -> requests.Response:
        """As in `requests`, with the session's time-outs, proxies and certificates where none are given. An
        answer is read whole, up to `LARGEST_ANSWER`, and credentials in it and in its URL are masked."""
        address = str(url)
        if options.get("timeout") is None:
            options["timeout"] = self._timeout
        if options.get("verify") is None:
            options["verify"] = self._transport.certificates()
        if options.get("proxies") is None:
            options["proxies"] = self._transport.proxies(address)
        if "stream" in options:
            return super().request(method, url, *args, **options)
        options["stream"] = True
        answer = super().request(method, url, *args, **options)
        answer._content = self._bearer.masked(_whole(answer))
        # With a key as a query, `raise_for_status` would say it.
        answer.url = self._bearer.masked((answer.url or "").encode()).decode()
        answer.reason = self._bearer.masked((answer.reason or "").encode()).decode()
        for name, value in answer.headers.items():
            line = value.encode("latin-1", "replace")
            if (masked := self._bearer.masked(line)) != line:
                answer.headers[name] = masked.decode("utf-8", "replace")
        return answer

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """None: a redirect is an answer like any other, and the plugin says what it means."""
        return None

    def renew(self) -> None:
        """Get another token, since the service answered 401 to this thread's last request.

        Raises `ReconnectFault` where there is none to get.
        """
        self._bearer.renew()

    def give_up(self, reason: str) -> NoReturn:
        """The service rejects a renewed token too: raises `ReconnectFault`."""
        self._bearer.give_up(reason)


def with_renewal(session: ConnectionSession, call: Callable[[], Result]) -> Result:
    """What `call` yields; where the service answers 401, the token is renewed and it is called once more.

    Raises `ReconnectFault` at a second 401.
    """
    try:
        return call()
    except CredentialsRejected:
        session.renew()
    try:
        return call()
    except CredentialsRejected as rejected:
        session.give_up(rejected.message)


class _Bearer(AuthBase):
    """Puts the credentials on requests to one origin, and remembers for each thread which token it was."""

    def __init__(
        self,
        origin: str,
        tokens: TokenSource | None,
        credentials: BasicAuth | BearerToken | ApiKey | None,
        connection_name: str,
    ) -> None:
        self._origin = _origin_of(origin)
        self._tokens = tokens
        self._credentials = credentials
        self._connection_name = connection_name
        self._last = threading.local()

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if _origin_of(request.url or "") != self._origin:
            return request
        if self._tokens is not None:
            access = self._tokens.current()
            self._last.access = access
            request.headers["Authorization"] = f"Bearer {access.reveal()}"
        elif self._credentials is not None:
            _put_on(request, self._credentials)
        return request

    def renew(self) -> None:
        access = getattr(self._last, "access", None)
        if self._tokens is None or access is None:
            self.give_up("401")
        self._tokens.rejected(access)

    def give_up(self, reason: str) -> NoReturn:
        if self._tokens is not None:
            self._tokens.give_up(reason)
        raise ReconnectFault(
            Code.RECONNECT,
            f"the service does not accept the connection's credentials: {reason}",
            hint=f"cdp connection edit {as_typed(self._connection_name or 'NAME')} "
            "--secret NAME=env:VARIABLE",
        )

    def masked(self, content: bytes) -> bytes:
        """An answer without what was sent to be let in; a short secret could be any word, and stays."""
        for secret in self._sent():
            if len(secret) >= SHORTEST_MASKED:
                # The longest first: one may hold another.
                for form in sorted(set(forms(secret)), key=len, reverse=True):
                    content = content.replace(form.encode(), MASK.encode())
        return content

    def _sent(self) -> Iterator[str]:
        access = getattr(self._last, "access", None)
        if access is not None:
            yield access.reveal()
        if isinstance(self._credentials, BasicAuth):
            yield (pair := _pair(self._credentials))
            yield pair.rstrip("=")
        if self._credentials is not None:
            yield _secret_of(self._credentials).reveal()


def _whole(response: requests.Response) -> bytes:
    """The answer's content; raises `ContentDecodingError` for one that would fill the memory."""
    content = bytearray()
    try:
        for piece in response.iter_content(_BLOCK):
            content += piece
            if len(content) > LARGEST_ANSWER:
                raise requests.exceptions.ContentDecodingError("larger than any answer is")
    finally:
        response.close()
    return bytes(content)


def _secret_of(credentials: BasicAuth | BearerToken | ApiKey) -> Secret:
    if isinstance(credentials, BasicAuth):
        return credentials.password
    return credentials.token if isinstance(credentials, BearerToken) else credentials.key


def _pair(credentials: BasicAuth) -> str:
    return b64encode(f"{credentials.username}:{credentials.password.reveal()}".encode()).decode("ascii")


def _put_on(request: requests.PreparedRequest, credentials: BasicAuth | BearerToken | ApiKey) -> None:
    if isinstance(credentials, BasicAuth):
        request.headers["Authorization"] = f"Basic {_pair(credentials)}"
    elif isinstance(credentials, BearerToken):
        request.headers["Authorization"] = f"Bearer {credentials.token.reveal()}"
    elif credentials.place == "header":
        request.headers[credentials.name] = credentials.key.reveal()
    else:
        request.prepare_url(request.url, {credentials.name: credentials.key.reveal()})


class _Adapter(HTTPAdapter):
    """Sends a large body in blocks.

    urllib3 sends under the connect time-out, and a socket's `sendall` counts it for the whole body:
    7 MB on a slow line would fail after ten seconds of steady progress. In blocks, each has that long.
    """

    def __init__(self, pool_maxsize: int) -> None:
        super().__init__(pool_connections=2, pool_maxsize=pool_maxsize, max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options, blocksize=_BLOCK)

    def proxy_manager_for(self, *args: Any, **options: Any) -> Any:
        return super().proxy_manager_for(*args, **options, blocksize=_BLOCK)

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        if isinstance(request.body, bytes) and len(request.body) > _BLOCK:
            request.body = io.BytesIO(request.body)  # type: ignore[assignment]
        return super().send(request, *args, **options)


def _origin_of(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port, as a browser would compare them."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or _DEFAULT_PORTS.get(parts.scheme)


def _user_agent() -> str:
    try:
        return f"cdp-core/{metadata.version('cdp-core')}"
    except metadata.PackageNotFoundError:
        return "cdp-core"
