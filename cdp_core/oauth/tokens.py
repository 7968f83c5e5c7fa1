"""Keeps a connection's token: hands it to the session, refreshes it, and says when one must sign in again.

Stands between the vault, where the token lies as one JSON document for each connection, and the
session that carries it. However many threads and processes use a connection, one of them refreshes
at a time, and the others take what it got.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, NoReturn, Protocol

from cdp_core.contract.connection import OAuth2, SignInFault, Token
from cdp_core.errors import Code, ReconnectFault, TemporaryFault
from cdp_core.model.names import as_typed
from cdp_core.model.secret import Secret
from cdp_core.oauth.patience import ATTEMPTS, patiently

_LONGEST_MARGIN = 300.0
_SHARE_OF_LIFE = 0.1
_POSTPONED = 30.0


class SecretVault(Protocol):
    """What the keeper needs of the vault."""

    def get(self, name: str, /) -> Secret | None: ...

    def put(self, name: str, value: Secret, /) -> object: ...

    def delete(self, name: str, /) -> object: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenHealth:
    """A token seen from outside, without its value. Times are in seconds from now; None where it
    does not lapse. `refreshable`: it can be renewed without anybody signing in."""

    age: float
    scope: str
    refreshable: bool
    expires_in: float | None = None
    next_refresh_in: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """A token with the moment it was obtained, and the moment from which a newer one is wanted."""

    token: Token
    obtained_at: float
    refresh_at: float

    @classmethod
    def of(cls, token: Token, obtained_at: float) -> _Kept:
        if token.expires_at is None:
            return cls(token=token, obtained_at=obtained_at, refresh_at=math.inf)
        life = max(0.0, token.expires_at - obtained_at)
        margin = min(_LONGEST_MARGIN, _SHARE_OF_LIFE * life) if token.refresh else 0.0
        return cls(token=token, obtained_at=obtained_at, refresh_at=token.expires_at - margin)


class TokenKeeper:
    """The one who holds a connection's token in this process.

    `lock` gives a context manager that holds a name across processes; `on_reconnect` is told the
    service's reason once what was granted is refused for good. After that, and after a refusal of the
    client itself, which `client_hint` says how to mend, this keeper asks it nothing more.
    """

    def __init__(
        self,
        *,
        connection_id: str,
        connection_name: str,
        oauth: OAuth2,
        settings: Mapping[str, Any],
        vault: SecretVault,
        lock: Callable[[str], AbstractContextManager[Any]],
        clock: Callable[[], float] = time.time,
        on_reconnect: Callable[[str], None],
        client_hint: str,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._name = f"token/{connection_id}"
        self._connection = connection_name
        self._oauth = oauth
        self._settings = settings
        self._vault = vault
        self._lock = lock
        self._clock = clock
        self._on_reconnect = on_reconnect
        self._client_hint = client_hint
        self._sleep = sleep
        self._turn = threading.Lock()
        self._kept: _Kept | None = None
        self._unsaved: _Kept | None = None
        self._refusal: SignInFault | None = None

    def __repr__(self) -> str:
        return f"TokenKeeper({self._connection!r})"

    def keep(self, token: Token) -> None:
        """Store what a sign-in yielded; earlier refusals are forgotten."""
        with self._turn, self._lock(self._name):
            self._refusal = None
            self._save(_Kept.of(token, self._clock()))

    def forget(self) -> None:
        """Take the token out of the vault: nobody is signed in any more."""
        with self._turn, self._lock(self._name):
            self._kept = self._unsaved = None
            self._vault.delete(self._name)

    def current(self) -> Secret:
        """The access token to use now, refreshed ahead of its expiry.

        Raises `ReconnectFault` (NOT_CONNECTED, RECONNECT) or `TemporaryFault`.
        """
        kept = self._kept
        if kept is None or self._clock() >= kept.refresh_at:
            kept = self._renewed(lambda kept: self._clock() < kept.refresh_at, self._refreshed_ahead)
        return kept.token.access

    def rejected(self, access: Secret) -> Secret:
        """Another access token, since the service answered 401 to that one: a newer one that somebody
        has obtained meanwhile, else a refreshed one. Raises as `current` does."""
        return self._renewed(lambda kept: kept.token.access != access, self._refreshed).token.access

    def give_up(self, reason: str) -> NoReturn:
        """The service does not take a token that it has just given: one must sign in again."""
        with self._turn:
            self._refuse(SignInFault(reason, terminal=True))

    def health(self) -> TokenHealth | None:
        """How the token stands; None where nobody has signed in."""
        kept = self._kept or self._stored()
        if kept is None:
            return None
        now = self._clock()
        lapses = kept.token.expires_at
        return TokenHealth(
            age=max(0.0, now - kept.obtained_at),
            scope=kept.token.scope,
            refreshable=kept.token.refresh is not None,
            expires_in=None if lapses is None else lapses - now,
            next_refresh_in=None if math.isinf(kept.refresh_at) else max(0.0, kept.refresh_at - now),
        )

    def _renewed(self, good: Callable[[_Kept], bool], refresh: Callable[[_Kept], _Kept]) -> _Kept:
        with self._turn, self._lock(self._name):
            refusal = self._refusal
            if refusal is not None and not refusal.client:
                raise self._refused(refusal)
            kept = self._newest()
            # Another process may have the right secret, and have put a token there.
            if refusal is not None and not good(kept):
                raise self._refused(refusal)
            self._kept = kept if good(kept) else refresh(kept)
            return self._kept

    def _newest(self) -> _Kept:
        """What the vault has now, unless a newer token could not be stored the last time."""
        stored, unsaved = self._stored(), self._unsaved
        if unsaved is not None and (stored is None or stored.obtained_at <= unsaved.obtained_at):
            self._save(unsaved)
            return unsaved
        if stored is None:
            raise ReconnectFault(
                Code.NOT_CONNECTED, "nobody has signed in to the service", where=self._where, hint=self._hint
            )
        # In memory the moment of the next refresh may have been put off.
        held = self._kept
        return held if held is not None and held.token == stored.token else stored

    def _refreshed_ahead(self, kept: _Kept) -> _Kept:
        """Refresh while the old token still works: then a service that is busy stops nobody."""
        lapses = kept.token.expires_at or 0.0
        if self._clock() >= lapses:
            return self._refreshed(kept)
        try:
            return self._refreshed(kept, attempts=1)
        except TemporaryFault:
            return replace(kept, refresh_at=min(self._clock() + _POSTPONED, lapses))

    def _refreshed(self, kept: _Kept, attempts: int = ATTEMPTS) -> _Kept:
        if kept.token.refresh is None:
            lacking = "the token has ended, and the service gave none to renew it with"
            self._refuse(SignInFault(lacking, terminal=True))
        try:
            token = patiently(
                lambda: self._oauth.refresh(self._settings, kept.token), attempts=attempts, sleep=self._sleep
            )
        except SignInFault as fault:
            refusal = SignInFault(fault.message, terminal=fault.terminal, client=fault.client)
        else:
            fresh = _Kept.of(token, self._clock())
            self._save(fresh)
            return fresh
        # Raised here, away from the frames that hold the token, and chained to none of them.
        if refusal.terminal:
            self._refuse(refusal)
        raise TemporaryFault(
            Code.SERVICE_UNREACHABLE,
            f"the token could not be refreshed: {refusal.message}",
            where=self._where,
            hint="run again",
        )

    def _save(self, kept: _Kept) -> None:
        # Where the vault cannot write, the token is kept here and stored at the next use: the
        # service may have ended the one before.
        self._kept, self._unsaved = None, kept
        self._vault.put(self._name, _document(kept))
        self._kept, self._unsaved = kept, None

    def _stored(self) -> _Kept | None:
        document = self._vault.get(self._name)
        if document is None:
            return None
        kept = _kept(document)
        if kept is None:
            raise ReconnectFault(
                Code.NOT_CONNECTED, "the stored token cannot be read", where=self._where, hint=self._hint
            )
        return kept

    def _refuse(self, refusal: SignInFault) -> NoReturn:
        if self._refusal is None:
            self._kept, self._refusal = None, refusal
            # The client's secret is mended in settings; the token in the vault is good again after it.
            if not refusal.client:
                self._on_reconnect(refusal.message)
        raise self._refused(refusal)

    def _refused(self, refusal: SignInFault) -> ReconnectFault:
        if refusal.client:
            return ReconnectFault(
                Code.CLIENT_REFUSED,
                f"the service does not accept the client: {refusal.message}",
                where=self._where,
                hint=self._client_hint,
            )
        return ReconnectFault(
            Code.RECONNECT,
            f"the service does not accept the connection's credentials: {refusal.message}",
            where=self._where,
            hint=self._hint,
        )

    @property
    def _where(self) -> str:
        return f'connection "{self._connection}"'

    @property
    def _hint(self) -> str:
        return f"cdp connection authenticate {as_typed(self._connection)}"


def _document(kept: _Kept) -> Secret:
    token = kept.token
    return Secret(
        json.dumps(
            {
                "access": token.access.reveal(),
                "refresh": token.refresh.reveal() if token.refresh else None,
                "expires_at": token.expires_at,
                "scope": token.scope,
                "obtained_at": kept.obtained_at,
            }
        )
    )


def _kept(document: Secret) -> _Kept | None:
    """None where the document is not one of ours. Nothing is raised, for an exception about JSON
    carries the whole text."""
    try:
        fields = json.loads(document.reveal())
        token = Token(
            access=Secret(fields["access"]),
            refresh=Secret(fields["refresh"]) if fields["refresh"] else None,
            expires_at=fields["expires_at"],
            scope=fields["scope"],
        )
        return _Kept.of(token, float(fields["obtained_at"]))
    except (ValueError, KeyError, TypeError):
        return None
