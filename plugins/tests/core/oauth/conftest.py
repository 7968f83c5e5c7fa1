"""Stand-ins for what the oauth room is handed: a vault, a lock, a clock, and a service to sign in to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from cdp_core.contract.connection import OAuth2, SignInFault, Token
from cdp_core.model.secret import Secret
from cdp_core.oauth.tokens import TokenKeeper
from postgres_server import postgres  # noqa: F401 - a fixture

NOW = 1_800_000_000.0


class MemoryVault:
    def __init__(self) -> None:
        self.kept: dict[str, Secret] = {}
        self.broken = False

    def get(self, name: str) -> Secret | None:
        return self.kept.get(name)

    def put(self, name: str, value: Secret) -> None:
        if self.broken:
            raise OSError("disk full")
        self.kept[name] = value

    def delete(self, name: str) -> None:
        self.kept.pop(name, None)


class FakeService(OAuth2):
    """Gives numbered tokens of `life` seconds; `faults` are raised first, one for each request."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.life: float | None = 1800.0
        self.rotates = True
        self.faults: list[SignInFault] = []
        self.refreshes: list[str] = []
        self.exchanges: list[tuple[str, str]] = []
        self.uri = "http://127.0.0.1:0/callback"

    def redirect_uri(self, settings: Mapping[str, Any]) -> str:
        return self.uri

    def authorization_url(self, settings: Mapping[str, Any], *, redirect_uri: str, state: str) -> str:
        return f"https://login.example/authorize?redirect_uri={redirect_uri}&state={state}"

    def exchange(self, settings: Mapping[str, Any], *, code: str, redirect_uri: str) -> Token:
        self.exchanges.append((code, redirect_uri))
        return self._token(f"access-for-{code}", "refresh-0")

    def refresh(self, settings: Mapping[str, Any], token: Token) -> Token:
        assert token.refresh is not None
        self.refreshes.append(token.refresh.reveal())
        number = len(self.refreshes)
        return self._token(
            f"access-{number}", f"refresh-{number}" if self.rotates else token.refresh.reveal()
        )

    def _token(self, access: str, refresh: str) -> Token:
        if self.faults:
            raise self.faults.pop(0)
        lapses = None if self.life is None else self.world.now + self.life
        return Token(access=Secret(access), refresh=Secret(refresh), expires_at=lapses, scope="ads")


class World:
    """A clock that the test moves, and everything that a keeper is handed."""

    def __init__(self) -> None:
        self.now = NOW
        self.vault = MemoryVault()
        self.service = FakeService(self)
        self.reconnects: list[str] = []
        self.slept: list[float] = []
        self.locked: list[str] = []
        self._lock = threading.Lock()

    def clock(self) -> float:
        return self.now

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        with self._lock:
            self.locked.append(name)
            yield

    def keeper(self) -> TokenKeeper:
        return TokenKeeper(
            connection_id="c1",
            connection_name="Snapchat EU",
            oauth=self.service,
            settings={},
            vault=self.vault,
            lock=self.lock,
            clock=self.clock,
            on_reconnect=self.reconnects.append,
            client_hint="look at env:SNAP_SECRET",
            sleep=self.slept.append,
        )

    def token(
        self, access: str = "access-0", refresh: str | None = "refresh-0", life: float | None = 1800.0
    ) -> Token:
        return Token(
            access=Secret(access),
            refresh=Secret(refresh) if refresh else None,
            expires_at=None if life is None else self.now + life,
            scope="ads",
        )


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def busy() -> Callable[[], SignInFault]:
    return lambda: SignInFault("the service is busy", terminal=False)


@pytest.fixture
def revoked() -> Callable[[], SignInFault]:
    return lambda: SignInFault("invalid_grant: the token was revoked", terminal=True)
