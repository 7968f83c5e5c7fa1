"""Which digests the audience must hold, worked out a second time without a line of the framework."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pyarrow.parquet
from sample import LOYAL_ABOVE

_HASHED = re.compile("[0-9a-f]{64}")
_ADDRESS = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


def expected_members(profiles: Path) -> set[bytes]:
    """SHA-256 of every loyal customer's e-mail that is one, trimmed and in lower case."""
    found = set()
    with pyarrow.parquet.ParquetFile(profiles) as parquet:
        for batch in parquet.iter_batches(columns=["email", "lifetime_value"]):
            columns = batch.to_pydict()
            for email, value in zip(columns["email"], columns["lifetime_value"], strict=True):
                if email and value > LOYAL_ABOVE and (digest := _digest(email.strip().lower())):
                    found.add(digest)
    return found


def _digest(text: str) -> bytes | None:
    if _HASHED.fullmatch(text):
        return bytes.fromhex(text)
    if text == "test@test.com" or not _ADDRESS.fullmatch(text):
        return None
    return hashlib.sha256(text.encode()).digest()
