"""A profile source's engine: evaluates segments, hands out digests and counts, and never raw values."""

from __future__ import annotations

import abc
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cdp_core.model.accounting import Reason
from cdp_core.model.configuration import Column, Match, ProfileSource, Segment
from cdp_core.model.identifiers import IdentifierKind
from cdp_core.model.policy import MemberConsent, Region


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineContext:
    """What an engine is handed: the source, a folder of its own to spill to, and how much memory it
    may take (bytes; None: its own default)."""

    source: ProfileSource
    scratch: Path
    memory_limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Whom to identify: the members of the segments, and for each matched field its kind's rule.

    `region` gives the values of regional kinds the region that they are read in (`Region.of`).
    `consent` is the field that every row of the profile table is asked for, and its yes-values.
    """

    segments: tuple[Segment, ...]
    matching: tuple[Match, ...]
    kinds: Mapping[str, IdentifierKind]
    region: Region = field(default_factory=Region)
    consent: MemberConsent | None = None

    @property
    def region_field(self) -> str | None:
        """The profile field to read the region from; None where no matched kind is regional."""
        regional = any(self.kinds[match.kind].regional for match in self.matching)
        return self.region.field if regional else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """How many rows the profile table has, and how many of them are members of the segments.
    `duplicate_keys` are the table's rows whose key an earlier row has."""

    profiles: int
    members: int
    duplicate_keys: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFound:
    """A row's key, as text, and a digest that one of its matched fields yields."""

    key: str
    kind: str
    digest: bytes


class DigestSink(abc.ABC):
    """Takes what an engine finds, in any order and in pieces of any size; the core groups and screens it.

    Every value read comes in exactly one way: as a digest or under a reason. Consent changes nothing
    in this: a member without it is handed over like any other, and once more as withheld.
    """

    @abc.abstractmethod
    def digests(self, kind: str, digests: bytes | memoryview) -> None:
        """Digests of well-formed values, 32 bytes each, one after another, duplicates and all."""

    @abc.abstractmethod
    def reason(self, kind: str, reason: Reason, values: int) -> None:
        """So many values yield no digest, for this reason."""

    @abc.abstractmethod
    def withheld(self, kind: str, digests: bytes | memoryview) -> None:
        """Digests from the matched fields of rows without consent, members or not, duplicates and all:
        none of these is sent, whatever other row yields it too."""


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

    def names_in(self, segment: Segment) -> frozenset[str]:
        """The names, in lower case, that a valid segment's query mentions, whether or not the profiles
        have a column of that name; by default the names of all columns."""
        return frozenset(column.name.lower() for column in self.columns())

    @abc.abstractmethod
    def identify(self, selection: Selection, sink: DigestSink, progress: Callable[[int], None]) -> Selected:
        """Read each member's row once, and hand each matched value's digest or reason to the sink.

        Where the selection asks for consent, the matched values of every row without it, of members
        and of all others, are withheld besides. What a value means is `says_yes`'s to say.
        `progress` is told the members read so far. Raises `InvalidFault` as `columns` and
        `check_segment` do, and where a matched field or the consent's is not in the source.
        """

    def keys_of(self, selection: Selection, digests: Mapping[str, Collection[bytes]]) -> Iterator[KeyFound]:
        """The keys of all rows, members or not, whose matched fields yield one of `digests` (by kind).

        By default none: an engine that does not find them leaves people with the digests alone.
        """
        return iter(())

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
