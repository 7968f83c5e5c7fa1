"""A webhook connection over a real session to the strict service."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from acme_service import AUDIENCE, SETTINGS, Acme, acme_service
from cdp_core.contract.credentials import ClientCredentials
from cdp_core.contract.destination import ConnectionContext, DestinationContext
from cdp_core.contract.schemas import load_settings
from cdp_core.contract.transport import Transport
from cdp_core.oauth.client_tokens import ClientTokens
from cdp_core.oauth.session import ConnectionSession
from cdp_webhook.destination import WebhookAudience
from cdp_webhook.schemas import ConnectionSettings, ExportSettings, credentials, origin

Connect = Callable[..., Any]


@pytest.fixture
def acme() -> Iterator[Acme]:
    with acme_service() as running:
        yield running


@contextmanager
def connected(acme: Acme, **given: Any) -> Iterator[ConnectionContext]:
    """As the core opens a connection, with a clock that nobody moves."""
    settings = load_settings(
        ConnectionSettings, {"api_url": acme.url, **SETTINGS, **given}, what="the connection"
    )
    found = credentials(settings)
    tokens = None
    if isinstance(found, ClientCredentials):
        tokens = ClientTokens(
            found,
            connection_name="Acme",
            transport=Transport(),
            client_hint="look at client_secret",
            sleep=lambda _: None,
        )
        found = None
    with ConnectionSession(origin=origin(settings), tokens=tokens, credentials=found) as session:
        yield ConnectionContext(settings=settings, http=session, clock=time.time)


def audience(connection: ConnectionContext, audience_id: str = AUDIENCE) -> WebhookAudience:
    settings = load_settings(ExportSettings, {"audience_id": audience_id}, what="the export")
    return WebhookAudience(DestinationContext(connection=connection, settings=settings))
