"""Which of the profiles' keys may be written beside a refused digest."""

from __future__ import annotations

import hashlib

import pytest

from cdp_core.runner.rejected import is_raw_identifier

UUID = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"


@pytest.mark.parametrize(
    ("key", "raw"),
    [
        ("customer-17", False),
        ("100234", False),
        (UUID, False),
        ("ann@example.org", True),
        ("+31 6 12345678", True),
        (hashlib.sha256(b"ann@example.org").hexdigest(), True),
    ],
)
def test_a_key_that_reads_as_an_identifier_is_one(key: str, raw: bool) -> None:
    assert is_raw_identifier(key, b"\0" * 32) is raw


def test_a_uuid_is_an_ad_id_where_it_is_the_refused_one() -> None:
    assert is_raw_identifier(UUID.upper(), hashlib.sha256(UUID.encode()).digest())
