"""An engine: it evaluates segments over profiles, and hands out digests and counts, never raw values."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cdp_core.contract.identifiers import IdentifierKind
from cdp_core.model.accounting import Reason
from cdp_core.model.configuration import Column, Match, ProfileSource, Segment


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineContext:
    """What an engine is handed: the source, a folder of its own to spill to, and how much memory it
    may take (bytes; None: its own default)."""

    source: ProfileSource
    scratch: Path
    memory_limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What to prepare: the members of the segments, and for each matched field its kind's rule."""

    segments: tuple[Segment, ...]
    matching: tuple[Match, ...]
    kinds: Mapping[str, IdentifierKind]


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedKind:
    """One kind's share: values read, those not sent by reason, and how many distinct digests remain.

    `wanted` are Parquet files with one column `digest` (32-byte binary), each digest once over all
    files; partitioned by the engine as it likes.
    """

    read: int
    reasons: Mapping[Reason, int]
    distinct: int
    wanted: tuple[Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What the engine found: rows of the profile table, members of the segments, and each kind's share."""

    profiles: int
    members: int
    kinds: Mapping[str, PreparedKind] = field(default_factory=dict)


class Engine(abc.ABC):
    """One open profile source. Not shared between threads; `close` frees what it holds."""

    @abc.abstractmethod
    def columns(self) -> tuple[Column, ...]:
        """The profile table's columns; raises `InvalidFault` where the source cannot be read."""

    @abc.abstractmethod
    def check_segment(self, segment: Segment) -> int:
        """Validate a segment's query and count its members.

        Raises `InvalidFault` with the place in the query where it is not valid, not a read, or
        reaches for anything but the profiles.
        """

    @abc.abstractmethod
    def prepare(self, selection: Selection, into: Path, progress: Callable[[int], None]) -> Prepared:
        """Select members, identify and screen their values, and write the distinct digests into `into`."""

    @abc.abstractmethod
    def close(self) -> None: ...

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSpec:
    """Registers an engine. `accepts` says whether it reads the source that a user named; the first
    spec that does gets it."""

    key: str
    label: str
    accepts: Callable[[str], bool]
    open: Callable[[EngineContext], Engine]
