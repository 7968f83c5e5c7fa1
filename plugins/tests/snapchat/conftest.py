"""A Snapchat simulator over real HTTP, and the plugin's pieces over the session that the core hands in."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn

import pytest

from cdp_core.contract.destination import ConnectionContext, DestinationContext
from cdp_core.contract.digests import DigestBlock
from cdp_core.errors import Code, ReconnectFault
from cdp_core.model.secret import Secret
from cdp_core.oauth.session import ConnectionSession
from cdp_snapchat.client import SnapchatClient
from cdp_snapchat.destination import SnapchatAudience
from cdp_snapchat.schemas import ConnectionSettings
from cdp_snapchat.simulator import AUDIENCE_ID, SnapchatSimulator, snapchat_simulator

CLIENT_SECRET = "s3cret-of-the-app"


class OneToken:
    """A token source with one token, which is never renewed."""

    def __init__(self, access: str) -> None:
        self._access = Secret(access)

    def current(self) -> Secret:
        return self._access

    def rejected(self, access: Secret) -> Secret:
        return self._access

    def give_up(self, reason: str) -> NoReturn:
        raise ReconnectFault(Code.RECONNECT, reason)


@pytest.fixture
def simulator() -> Iterator[SnapchatSimulator]:
    # Tokens outlive the days that some tests move the clock by.
    options: dict[str, Any] = {"seed": 7, "client_secret": CLIENT_SECRET, "expires_in": 10 * 86_400}
    with snapchat_simulator(rate_limit=False, **options) as running:
        yield running


@pytest.fixture
def settings(simulator: SnapchatSimulator) -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = ConnectionSettings().load(
        {
            "client_id": simulator.options.client_id,
            "client_secret": CLIENT_SECRET,
            "api_url": simulator.api_url,
            "accounts_url": simulator.accounts_url,
            "timeout": 5,
        }
    )
    return loaded


@pytest.fixture
def access_token(simulator: SnapchatSimulator) -> str:
    return simulator.issue_token().access_token


@pytest.fixture
def session(simulator: SnapchatSimulator, access_token: str) -> Iterator[ConnectionSession]:
    with ConnectionSession(origin=simulator.api_url, tokens=OneToken(access_token)) as opened:
        yield opened


@pytest.fixture
def connection(settings: Mapping[str, Any], session: ConnectionSession) -> ConnectionContext:
    return ConnectionContext(settings=settings, http=session, clock=time.time)


@pytest.fixture
def client(connection: ConnectionContext) -> SnapchatClient:
    return SnapchatClient.over(connection)


@pytest.fixture
def audience_of(connection: ConnectionContext) -> Callable[[str], SnapchatAudience]:
    return lambda audience_id: SnapchatAudience(
        DestinationContext(
            connection=connection, settings={"audience_id": audience_id, "batch_size": 100_000}
        )
    )


@pytest.fixture
def audience(audience_of: Callable[[str], SnapchatAudience]) -> SnapchatAudience:
    return audience_of(AUDIENCE_ID)


@pytest.fixture
def digests() -> Callable[..., DigestBlock]:
    """Digests by number: the n-th is n in 32 bytes."""
    return lambda *numbers: DigestBlock(b"".join(number.to_bytes(32, "big") for number in numbers))
