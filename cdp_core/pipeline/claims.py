"""An audience's claims as sets, range by range, read from the ledger's files in their order."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from cdp_core.model.ledger import LedgerFile, LedgerPart
from cdp_core.pipeline.digest_file import DigestFile
from cdp_core.pipeline.digest_sets import EMPTY, minus, part, union
from cdp_core.pipeline.seal import PLAIN, Seal


@dataclass(frozen=True, slots=True)
class Claims:
    """One export's (or several exports') claims of one kind within one range."""

    confirmed: pa.Array
    unconfirmed: pa.Array

    @property
    def all(self) -> pa.Array:
        """The two have nothing in common."""
        return (
            pa.concat_arrays([self.confirmed, self.unconfirmed]) if len(self.unconfirmed) else self.confirmed
        )


# A range's claims, worked out where they are needed: reading is cheap, and sets are made in threads.
Fold = Callable[[], Claims]


class LedgerReader:
    """The files of one export and kind."""

    def __init__(self, folder: Path, files: Iterable[LedgerFile], seal: Seal = PLAIN) -> None:
        self._files = [(file, DigestFile(folder / file.path, seal)) for file in files]

    @property
    def ranges(self) -> int:
        return max((digests.ranges for _, digests in self._files), default=1)

    def read(self, ranges: int) -> Iterator[Fold]:
        """For each range, what gives its claims."""
        if not self._files:
            yield from itertools.repeat(_nothing, ranges)
            return
        parts = [file.part for file, _ in self._files]
        for arrays in zip(*(digests.read(ranges) for _, digests in self._files), strict=True):
            yield _Folded(parts, arrays)


def together(readers: Sequence[LedgerReader], ranges: int) -> Iterator[Fold]:
    """The claims of several exports as one; what one has confirmed is confirmed."""
    if not readers:
        yield from itertools.repeat(_nothing, ranges)
        return
    for folds in zip(*(reader.read(ranges) for reader in readers), strict=True):
        yield _Joined(folds)


def _nothing() -> Claims:
    return Claims(EMPTY, EMPTY)


@dataclass(frozen=True, slots=True)
class _Folded:
    parts: Sequence[LedgerPart]
    arrays: Sequence[pa.Array]

    def __call__(self) -> Claims:
        """What changed since the base is gathered first: it is little, where the base may be large."""
        base, added, ended, unconfirmed = EMPTY, EMPTY, EMPTY, EMPTY
        for ledger_part, digests in zip(self.parts, self.arrays, strict=True):
            if ledger_part is LedgerPart.BASE:
                base = digests
            elif ledger_part is LedgerPart.UNCONFIRMED:
                unconfirmed = digests
            elif ledger_part is LedgerPart.ADDED:
                back = part(ended, digests)
                ended, added = back.only_left, pa.concat_arrays([added, back.only_right])
            else:
                gone = part(added, digests)
                added, ended = gone.only_left, pa.concat_arrays([ended, gone.only_right])
        confirmed = minus(base, ended)
        return Claims(pa.concat_arrays([confirmed, added]) if len(added) else confirmed, unconfirmed)


@dataclass(frozen=True, slots=True)
class _Joined:
    folds: Sequence[Fold]

    def __call__(self) -> Claims:
        claims = [fold() for fold in self.folds]
        if len(claims) == 1:
            return claims[0]
        confirmed = union([each.confirmed for each in claims])
        unconfirmed = union([each.unconfirmed for each in claims])
        return Claims(confirmed, minus(unconfirmed, confirmed))


def by_kind(files: Iterable[LedgerFile], kind: str) -> dict[str, list[LedgerFile]]:
    """Of each export that claims anything of a kind, its files in their order."""
    found: dict[str, list[LedgerFile]] = {}
    for file in files:
        if file.kind == kind:
            found.setdefault(file.export_id, []).append(file)
    return found
