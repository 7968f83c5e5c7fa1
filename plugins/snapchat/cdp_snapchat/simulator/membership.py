"""The members of one audience under one schema: a set of 32-byte digests that takes ten million of them.

Changes are kept as they came and settled when somebody asks for the members. A service that takes a
day to process an upload may do so, and a request costs no more than its parsing. Settled members lie in
256 runs by their first byte, 32 bytes each, where a Python set would take more than 110.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

DIGEST_SIZE = 32
_RUNS = 256
# What waits unsettled at most, so that sending the same again and again does not fill the memory.
_MOST_PENDING = 512 * 1024 * 1024


def split_digests(digests: bytes) -> tuple[bytes, ...]:
    """Each digest of a run of bytes."""
    return struct.unpack("32s" * (len(digests) // DIGEST_SIZE), digests)


class Membership:
    """Not thread-safe: the world's lock is held by whoever calls."""

    def __init__(self) -> None:
        self._runs: list[bytes] = [b""] * _RUNS
        self._pending: list[tuple[bool, bytes]] = []
        self._pending_size = 0

    def add(self, digests: bytes) -> None:
        self._change(True, digests)

    def remove(self, digests: bytes) -> None:
        self._change(False, digests)

    def clear(self) -> None:
        self._runs = [b""] * _RUNS
        self._pending = []
        self._pending_size = 0

    def __len__(self) -> int:
        self._settle()
        return sum(map(len, self._runs)) // DIGEST_SIZE

    def runs(self) -> list[bytes]:
        """The members as runs of digests, in no order; safe to read after the lock is given back."""
        self._settle()
        return list(self._runs)

    def __iter__(self) -> Iterator[bytes]:
        for run in self.runs():
            yield from split_digests(run)

    def checksum(self) -> str:
        """The sum of the members as 256-bit numbers, modulo 2^256, in hexadecimal: no order changes it."""
        return f"{sum(int.from_bytes(digest) for digest in self) % 2**256:064x}"

    def _change(self, adds: bool, digests: bytes) -> None:
        self._pending.append((adds, digests))
        self._pending_size += len(digests)
        if self._pending_size > _MOST_PENDING:
            self._settle()

    def _settle(self) -> None:
        if not self._pending:
            return
        changes: list[list[tuple[bool, bytes]]] = [[] for _ in range(_RUNS)]
        # From the end, so that each is let go of while the next is being split.
        self._pending.reverse()
        while self._pending:
            adds, digests = self._pending.pop()
            parts: list[list[bytes]] = [[] for _ in range(_RUNS)]
            for digest in split_digests(digests):
                parts[digest[0]].append(digest)
            for change, part in zip(changes, parts, strict=True):
                if part:
                    change.append((adds, b"".join(part)))
        self._pending_size = 0
        for at, change in enumerate(changes):
            if change:
                self._runs[at] = _changed(self._runs[at], change)


def _changed(run: bytes, changes: list[tuple[bool, bytes]]) -> bytes:
    members = set(split_digests(run))
    for adds, digests in changes:
        if adds:
            members.update(split_digests(digests))
        else:
            members.difference_update(split_digests(digests))
    return b"".join(members)
