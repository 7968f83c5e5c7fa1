"""A list over a plain session to the stand-in, as the core would hand it over."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from cdp_core import Batch, ConnectionContext, DestinationContext, DigestBlock, Operation

from cdp_mailer.destination import MailingList
from cdp_mailer.settings import KEY_HEADER, ConnectionSettings, ExportSettings
from cdp_mailer.stand_in import DEMO_KEY, LIST, MailerStandIn, mailer_stand_in


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The stand-in, and a connection to it."""

    stand_in: MailerStandIn
    connection: ConnectionContext

    def list(self, list_id: str = LIST) -> MailingList:
        settings: dict[str, Any] = ExportSettings().load({"list_id": list_id})
        return MailingList(DestinationContext(connection=self.connection, settings=settings))


@pytest.fixture
def service() -> Iterator[Service]:
    with mailer_stand_in() as (stand_in, url), requests.Session() as http:
        http.trust_env = False
        http.headers[KEY_HEADER] = DEMO_KEY
        settings = ConnectionSettings().load({"api_url": url, "api_key": DEMO_KEY})
        connection = ConnectionContext(settings=settings, http=http, clock=time.time)
        yield Service(stand_in=stand_in, connection=connection)


def digests(*numbers: int) -> list[bytes]:
    return [number.to_bytes(32, "big") for number in numbers]


def batch(operation: Operation, *numbers: int) -> Batch:
    return Batch(operation=operation, kind="EMAIL", digests=DigestBlock(b"".join(digests(*numbers))))
