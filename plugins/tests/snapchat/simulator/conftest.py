from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from cdp_snapchat.simulator import AUDIENCE_ID, SnapchatSimulator, snapchat_simulator


def digest(number: int) -> bytes:
    return hashlib.sha256(str(number).encode()).digest()


@dataclass
class Client:
    """Speaks to a simulator with a token of its own, and knows nothing that the facts do not say."""

    simulator: SnapchatSimulator
    http: requests.Session

    def sign_in(self) -> None:
        self.http.headers["Authorization"] = f"Bearer {self.simulator.issue_token().access_token}"

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        return self.http.request(method, self.simulator.api_url + path, timeout=10, **options)

    def users(
        self,
        digests: Sequence[bytes],
        *,
        method: str = "POST",
        schema: str = "EMAIL_SHA256",
        segment_id: str = AUDIENCE_ID,
    ) -> requests.Response:
        body = {"users": [{"schema": [schema], "data": [[one.hex()] for one in digests]}]}
        return self.ask(method, f"/segments/{segment_id}/users", json=body)

    def segment(self, segment_id: str = AUDIENCE_ID) -> dict[str, Any]:
        segments = self.ask("GET", f"/segments/{segment_id}").json()["segments"]
        return dict(segments[0]["segment"])


@contextmanager
def connected(**options: Any) -> Iterator[Client]:
    with snapchat_simulator(**{"rate_limit": False, **options}) as simulator, requests.Session() as http:
        http.trust_env = False
        client = Client(simulator, http)
        client.sign_in()
        yield client


@pytest.fixture
def client() -> Iterator[Client]:
    with connected() as one:
        yield one


@pytest.fixture
def connect() -> Callable[..., Any]:
    """Makes a client of a simulator with options: `with connect(expires_in=60) as client`."""
    return connected


@pytest.fixture
def digests() -> list[bytes]:
    """Three that differ."""
    return [digest(number) for number in range(3)]
