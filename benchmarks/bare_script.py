"""The bare script that `end_to_end` compares with: the least that puts a table's e-mails into an audience.

One DuckDB query trims, lowers, checks and hashes; the rows are joined into bodies of 100,000 and posted by
one thread. It keeps no ledger, journal or plan, counts nothing, tries nothing again, and does without
Python's rule for letters beyond ASCII.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator

import duckdb
import requests

BATCH = 100_000

_QUERY = r"""
SELECT sha256(email) FROM (SELECT lower(trim(email, e' \t\r\n')) AS email FROM '{path}')
WHERE regexp_full_match(email, '[^@\s]+@[^@\s.]+(\.[^@\s.]+)+')
"""


def bodies(path: str) -> Iterator[str]:
    with duckdb.connect() as connection:
        answer = connection.execute(_QUERY.format(path=path))
        while rows := answer.fetchmany(BATCH):
            users = '"],["'.join([row[0] for row in rows])
            yield f'{{"users":[{{"schema":["EMAIL_SHA256"],"data":[["{users}"]]}}]}}'


def send(url: str, token: str, bodies: Iterator[str], per_second: float) -> None:
    """Post each body; with a limit, none earlier than its place in a steady row of so many a second."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    turn = time.monotonic()
    with requests.Session() as session:
        for body in bodies:
            if per_second:
                time.sleep(max(0.0, turn - time.monotonic()))
                turn = max(turn, time.monotonic()) + 1 / per_second
            session.post(url, data=body, headers=headers, timeout=60).raise_for_status()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("profiles")
    parser.add_argument("url", help="the audience's users endpoint")
    parser.add_argument("token")
    parser.add_argument("--per-second", type=float, default=0.0, help="requests a second; 0: no limit")
    options = parser.parse_args()
    send(options.url, options.token, bodies(options.profiles), options.per_second)
