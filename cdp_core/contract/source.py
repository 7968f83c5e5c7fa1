"""A profile source's engine: evaluates segments, hands out digests and counts, and never raw values."""

from __future__ import annotations

import abc
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cdp_core.contract.digests import DIGEST_SIZE
from cdp_core.errors import Code, InvalidFault
from cdp_core.model.accounting import Reason
from cdp_core.model.configuration import Column, Match, ProfileSource, Segment
from cdp_core.model.examination import FieldExamined
from cdp_core.model.identifiers import IdentifierKind
from cdp_core.model.policy import ChosenField, MemberConsent, Region
from cdp_core.model.secret import Secret

if TYPE_CHECKING:
    import pyarrow


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineContext:
    """What an engine is handed: the source, a folder of its own to spill to, and how much memory it
    may take (bytes; None: its own default).

    `secrets` are those that the source's options refer to, by option (`SourceSpec.secrets`). Without
    `local_normalising` no raw value may come to this process from elsewhere: what the engine cannot decide
    where the profiles lie is `Reason.UNSUPPORTED`. `shared` is a URL below which other machines may put
    aside what this one reads and removes; what is left there is swept after a day.
    """

    source: ProfileSource
    scratch: Path
    memory_limit: int | None = None
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    local_normalising: bool = True
    shared: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Whom to identify: the members of the segments, and for each matched field its kind's rule.

    `region` gives the values of regional kinds the region that they are read in (`Region.of`).
    `consent` is the field that every row of the profile table is asked for, and its yes-values. `fields` are
    what is chosen of whole rows (`Engine.rows`).
    """

    segments: tuple[Segment, ...]
    matching: tuple[Match, ...]
    kinds: Mapping[str, IdentifierKind]
    region: Region = field(default_factory=Region)
    consent: MemberConsent | None = None
    fields: tuple[ChosenField, ...] = ()

    @property
    def region_field(self) -> str | None:
        """The profile field to read the region from; None where no matched kind is regional."""
        regional = any(self.kinds[match.kind].regional for match in self.matching)
        return self.region.field if regional else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """One field to look through as one kind, of the members of the segments.

    `most` bounds how many rows are looked at: then a sample is enough, drawn from all of them. `beside`
    is a field in which the same rows may hold the value unhashed: a digest that was made of it as it
    stands, without normalising it, is told by that.
    """

    segments: tuple[Segment, ...]
    match: Match
    kind: IdentifierKind
    region: Region = field(default_factory=Region)
    beside: str | None = None
    most: int | None = None

    @property
    def selection(self) -> Selection:
        return Selection(
            segments=self.segments,
            matching=(self.match,),
            kinds={self.match.kind: self.kind},
            region=self.region,
        )


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


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsFound:
    """Rows of the profile table, as Arrow arrays of one length.

    `records` are the rows' records (`rules.records.record_of` of the key's and the chosen fields' texts),
    32 bytes each, NULL where a row has no key; `members` and `agreed` say of each whether it is a member and
    whether it has consent (true where none is asked for). `digests` has, for each match, what its field
    yields, NULL where that is nothing, and `reasons` why not. `values` are the chosen fields' texts, where
    they were asked for.
    """

    records: pyarrow.Array
    members: pyarrow.Array
    agreed: pyarrow.Array
    digests: tuple[pyarrow.Array, ...]
    reasons: tuple[tuple[Reason | None, ...], ...]
    values: tuple[pyarrow.Array, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptKeys:
    """The result that a static segment keeps: SHA-256 of each member's key, as UTF-8 text, 32 bytes each, in
    their order, each once. `blocks` yields them one after another, at most so many at a time."""

    members: int
    blocks: Callable[[int], Iterator[bytes]]


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


class _Counting(DigestSink):
    """Counts what a field yields. Digests are told apart by their first eight bytes: among a hundred
    million two share them once in some thousands of times."""

    def __init__(self, placeholders: frozenset[bytes]) -> None:
        self._placeholders = placeholders
        self.read = 0
        self.distinct: set[bytes] = set()
        self.reasons: Counter[Reason] = Counter()

    def digests(self, kind: str, digests: bytes | memoryview) -> None:
        for at in range(0, len(digests), DIGEST_SIZE):
            digest = bytes(digests[at : at + DIGEST_SIZE])
            self.read += 1
            if digest in self._placeholders:
                self.reasons[Reason.PLACEHOLDER] += 1
            else:
                self.distinct.add(digest[:8])

    def reason(self, kind: str, reason: Reason, values: int) -> None:
        self.read += values
        self.reasons[reason] += values

    def withheld(self, kind: str, digests: bytes | memoryview) -> None:
        return


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

    def keys_in(self, segment: Segment) -> Iterator[bytes]:
        """Evaluate a segment's query: SHA-256 of each member's key, as in `KeptKeys`, in pieces of any number
        of digests. Raises what `check_segment` raises; by default the engine cannot keep a result."""
        raise _keeps_nothing(segment.name)

    def keep(self, kept: Mapping[str, KeptKeys]) -> None:
        """From now on the members of these segments (by their id) are the rows whose key's digest is among
        the kept ones, whatever their query says. By default the engine cannot keep a result."""
        for segment_id in kept:
            raise _keeps_nothing(segment_id)

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

    def rows(self, selection: Selection, sought: bytes | None = None) -> Iterator[RowsFound]:
        """All rows of the profile table, members or not, without the values of the chosen fields; or, of the
        records `sought` (32 bytes each), the rows that have them still, with the values.

        Values come out of the engine nowhere else. By default it cannot give whole rows. Raises
        `InvalidFault` as `identify` does.
        """
        raise InvalidFault(
            Code.PROFILES_UNREADABLE,
            "the engine of this profile source gives digests, and no whole rows",
            hint="files, DuckDB and PostgreSQL give whole rows; the destination `files` takes digests",
        )

    def repeated_keys(self) -> int:
        """The rows whose key an earlier row has, of an engine that gives whole rows."""
        return 0

    def examine(self, examination: Examination, progress: Callable[[int], None]) -> FieldExamined:
        """Look through a field: counts for each reason, and what is to be said of the values besides.

        No raw value comes out: examples are masked by `rules.identifiers.masking`. By default the counts
        alone, of all rows, by `identify`; it raises what that raises.
        """
        sink = _Counting(examination.kind.placeholders)
        self.identify(examination.selection, sink, progress)
        return FieldExamined(
            field=examination.match.field,
            kind=examination.match.kind,
            read=sink.read,
            distinct=len(sink.distinct),
            reasons=dict(sink.reasons),
        )

    @abc.abstractmethod
    def close(self) -> None: ...

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _keeps_nothing(segment: str) -> InvalidFault:
    return InvalidFault(
        Code.SEGMENT_INVALID,
        "the engine of this profile source cannot keep a segment's result",
        where=f"segment {segment!r}",
        hint="make it dynamic: remove it, and add it without --static",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSpec:
    """Registers an engine. `accepts` says whether it reads the source that a user named; the first
    spec that does gets it. `secrets` names the options that hold a reference to a secret (`env:NAME`).
    `url_of` makes the URL that is kept of what a user named together with this engine (`--engine KEY`).
    """

    key: str
    label: str
    accepts: Callable[[str], bool]
    open: Callable[[EngineContext], Engine]
    secrets: frozenset[str] = frozenset()
    url_of: Callable[[str], str] = str
