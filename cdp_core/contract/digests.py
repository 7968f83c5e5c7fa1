"""Digests on their way to a service: many of them as one run of bytes, never as many objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

DIGEST_SIZE = 32


class DigestBlock:
    """An immutable sequence of 32-byte SHA-256 digests, kept as one run of bytes.

    `joined_hex` is the quick way to a request's body: 100,000 digests in a few milliseconds.
    """

    __slots__ = ("_buffer",)

    def __init__(self, buffer: bytes | memoryview) -> None:
        if len(buffer) % DIGEST_SIZE:
            raise ValueError(f"{len(buffer)} bytes are not a whole number of {DIGEST_SIZE}-byte digests")
        self._buffer = bytes(buffer)

    def __len__(self) -> int:
        return len(self._buffer) // DIGEST_SIZE

    def __iter__(self) -> Iterator[bytes]:
        for at in range(0, len(self._buffer), DIGEST_SIZE):
            yield self._buffer[at : at + DIGEST_SIZE]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DigestBlock) and other._buffer == self._buffer

    def __hash__(self) -> int:
        return hash(self._buffer)

    def __repr__(self) -> str:
        return f"DigestBlock({len(self)} digests)"

    def slice(self, start: int, count: int) -> DigestBlock:
        return DigestBlock(self._buffer[start * DIGEST_SIZE : (start + count) * DIGEST_SIZE])

    def without(self, places: Iterable[int]) -> DigestBlock:
        """The same, less those at some places (from 0)."""
        kept = bytearray()
        at = 0
        for place in sorted(places):
            kept += self._buffer[at * DIGEST_SIZE : place * DIGEST_SIZE]
            at = place + 1
        return DigestBlock(bytes(kept + self._buffer[at * DIGEST_SIZE :]))

    def joined_hex(self, separator: str) -> str:
        """Lower-case hexadecimal of every digest, with `separator` between."""
        # A placeholder of one character is all that bytes.hex takes, and none of them is a hex digit.
        return self._buffer.hex("|", DIGEST_SIZE).replace("|", separator) if self._buffer else ""

    @property
    def bytes(self) -> bytes:
        return self._buffer
