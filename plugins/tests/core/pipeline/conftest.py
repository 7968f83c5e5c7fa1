"""Digests, and the files that hold them."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from cdp_core.pipeline.digest_file import DigestFileWriter, Written, split
from cdp_core.pipeline.digest_sets import distinct, from_bytes
from cdp_core.pipeline.prepare import Prepared, PreparedKind


@pytest.fixture
def digest() -> Callable[[object], bytes]:
    return lambda value: hashlib.sha256(str(value).encode()).digest()


@pytest.fixture
def digest_file(tmp_path: Path) -> Callable[..., Written]:
    """Write digests to a file of so many ranges."""

    def write(digests: Iterable[bytes], ranges: int = 1) -> Written:
        with DigestFileWriter(tmp_path / f"{uuid.uuid4().hex}.parquet") as file:
            for part in split([distinct(from_bytes(b"".join(digests)))], 1, ranges):
                file.write(part)
            return file.close(durable=False)

    return write


@pytest.fixture
def prepared(digest_file: Callable[..., Written]) -> Callable[..., Prepared]:
    """What preparation yields where these digests are wanted."""

    def make(ranges: int = 1, **wanted: Iterable[bytes]) -> Prepared:
        kinds = {}
        for kind, digests in wanted.items():
            written = digest_file(set(digests), ranges)
            kinds[kind] = PreparedKind(
                read=written.rows, reasons={}, distinct=written.rows, wanted=(written,)
            )
        return Prepared(profiles=1, members=1, kinds=kinds)

    return make
