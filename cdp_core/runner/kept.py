"""The results that static segments keep: digests of their members' keys, in files that never change.

A person who left the profiles is a member no more: members are the rows of today's table whose key is among
the kept ones. A digest does not tell a key, but where keys are few it can be guessed, so that the files are
private as all of the workspace is, and encrypted where the ledger is.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from cdp_core.contract.digests import DIGEST_SIZE
from cdp_core.contract.source import KeptKeys
from cdp_core.errors import CdpError, Code, InvalidFault
from cdp_core.model.configuration import KeptResult, Segment
from cdp_core.model.names import as_typed
from cdp_core.pipeline.digest_file import MOST_RANGES, DigestFile, DigestFileWriter
from cdp_core.pipeline.digest_sets import DIGEST, as_bytes
from cdp_core.pipeline.disk import sync
from cdp_core.pipeline.seal import Seal
from cdp_core.runner.ledger_store import LedgerStore
from cdp_core.workspace.files import make_private_folder


class KeptResults:
    """`store` keeps them where it keeps ledgers; they are written and read in `folder`."""

    def __init__(self, folder: Path, store: LedgerStore, seal: Seal) -> None:
        self._folder = folder
        self._store = store
        self._seal = seal

    def of(self, segments: Iterable[Segment]) -> dict[str, KeptKeys]:
        """By the segments' ids; dynamic ones keep nothing. Raises `InvalidFault` where a file is missing, or
        is not what was kept."""
        return {each.id: self._keys(each, each.kept) for each in segments if each.kept is not None}

    def write(self, digests: Iterable[bytes], *, at: datetime, by: str) -> KeptResult:
        """A new result of digests in their order, each once."""
        make_private_folder(self._folder)
        path = self._folder / f"{uuid.uuid4().hex}.parquet"
        with DigestFileWriter(path, self._seal) as writer:
            for of_one_byte in _by_first_byte(digests):
                writer.write(of_one_byte)
            written = writer.close(durable=True)
        sync(self._folder)
        self._store.keep_result(path)
        return KeptResult(path=path.name, sha256=written.sha256, members=written.rows, at=at, by=by)

    def holds(self, segment: Segment, result: KeptResult, keys: Iterable[bytes]) -> bool:
        """Whether one of the keys' digests is among the kept."""
        file = self._file(segment, result)
        return any(file.find(key) is not None for key in keys)

    def without(self, segment: Segment, result: KeptResult, keys: Collection[bytes]) -> KeptResult:
        """A new result, kept since the same moment, without some of the keys' digests."""
        barred = pa.array(list(keys), DIGEST)
        rest = (
            as_bytes(rows.filter(pc.invert(pc.is_in(rows, value_set=barred)))).tobytes()
            for rows in self._file(segment, result).read(MOST_RANGES)
        )
        return self.write(rest, at=result.at, by=result.by)

    def forget_unnamed(self, named: Iterable[KeptResult | None], keys: Collection[bytes]) -> None:
        """Take away at once what no segment has any more and what holds one of the keys' digests."""
        names = {result.path for result in named if result is not None}
        for path in self._folder.glob("*.parquet"):
            if path.name in names:
                continue
            with suppress(CdpError, OSError, ValueError, KeyError):
                file = DigestFile(path, self._seal)
                if any(file.find(key) is not None for key in keys):
                    self._store.drop_result(path)

    def replaced(self, result: KeptResult) -> None:
        """Another result has taken its place: it goes by and by, since a run may be about to read it."""
        with suppress(CdpError):
            self._store.renew_result(self._folder / result.path)

    def sweep(self, kept: Iterable[KeptResult | None]) -> None:
        """Take away results that no segment has any more; what cannot be reached is swept the next time."""
        with suppress(CdpError):
            self._store.sweep_results({result.path for result in kept if result is not None})

    def forget(self, result: KeptResult | None) -> None:
        """Take away a result that no segment has any more; where that cannot be, it is swept some day."""
        if result is not None:
            with suppress(CdpError):
                self._store.drop_result(self._folder / result.path)

    def _keys(self, segment: Segment, result: KeptResult) -> KeptKeys:
        return KeptKeys(members=result.members, blocks=self._file(segment, result).blocks)

    def _file(self, segment: Segment, result: KeptResult) -> DigestFile:
        path = self._folder / result.path
        if not self._store.bring_result(path, result.sha256):
            raise InvalidFault(
                Code.SEGMENT_RESULT_LOST,
                "the result that the segment keeps is missing, or is not what was kept",
                where=f"segment {segment.name!r}: {path}",
                hint=f"evaluate it anew: cdp segment refresh {as_typed(segment.name)} (or restore a backup)",
            )
        return DigestFile(path, self._seal)


def _by_first_byte(pieces: Iterable[bytes]) -> Iterator[pa.Array]:
    """Sorted digests, those of each first byte apart."""
    waiting = bytearray()
    first = 0
    for piece in pieces:
        waiting += piece
        last = waiting[-DIGEST_SIZE] if waiting else first
        while first < last:
            yield _taken(waiting, first)
            first += 1
    while first < MOST_RANGES:
        yield _taken(waiting, first)
        first += 1


def _taken(waiting: bytearray, first: int) -> pa.Array:
    """What stands at the beginning with that first byte, which is taken away."""
    end = 0
    while end < len(waiting) and waiting[end] == first:
        end += DIGEST_SIZE
    found = pa.py_buffer(bytes(waiting[:end]))
    del waiting[:end]
    return pa.FixedSizeBinaryArray.from_buffers(DIGEST, end // DIGEST_SIZE, [None, found])
