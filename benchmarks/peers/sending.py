"""What the peers' programs share: the three things they are told, and the request that each of them makes."""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Iterable

import requests

PER_SECOND = 10  # what Snapchat documents for one token


def told(doc: str | None, *flags: str) -> argparse.Namespace:
    """The command line: `profiles`, `url`, `token`, and the flags that this peer knows."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("profiles")
    parser.add_argument("url", help="the audience's users endpoint")
    parser.add_argument("token")
    for flag in flags:
        parser.add_argument(flag, action="store_true")
    return parser.parse_args()


def session(token: str) -> requests.Session:
    kept_alive = requests.Session()
    kept_alive.headers["Authorization"] = f"Bearer {token}"
    kept_alive.headers["Content-Type"] = "application/json"
    return kept_alive


def add(sending: requests.Session, url: str, digests: Iterable[str]) -> None:
    """Post one batch of digests, at most 100,000."""
    users = '"],["'.join(digests)
    body = f'{{"users":[{{"schema":["EMAIL_SHA256"],"data":[["{users}"]]}}]}}'
    sending.post(url, data=body, timeout=60).raise_for_status()


class Pace:
    """Lets several threads through at most ten times a second: each has its place in a steady row."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turn = time.monotonic()

    def wait(self) -> None:
        with self._lock:
            turn = max(self._turn, time.monotonic())
            self._turn = turn + 1 / PER_SECOND
        time.sleep(max(0.0, turn - time.monotonic()))
