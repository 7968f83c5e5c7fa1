"""Looks through the profiles before anything is sent: which fields fit which kinds, and what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from cdp_core.contract.source import Engine, Examination
from cdp_core.errors import Code, InvalidFault
from cdp_core.model.configuration import Column, Match, Segment
from cdp_core.model.examination import FieldExamined, Remark
from cdp_core.model.identifiers import IdentifierKind
from cdp_core.model.policy import Region

# A guess is made from so many rows, drawn from all; a kind fits where half of what is there is well-formed.
GUESSED_FROM = 2_000
FITS = 0.5
EVERYBODY = Segment(id="", name="all profiles", where="true")

# Columns of types that begin so hold no text.
_NO_TEXT = (
    *("BOOL", "DOUBLE", "FLOAT", "REAL", "DECIMAL", "NUMERIC", "DATE", "TIME"),
    *(
        "INT",
        "TINYINT",
        "SMALLINT",
        "BIGINT",
        "HUGEINT",
        "UTINYINT",
        "USMALLINT",
        "UINT",
        "UBIGINT",
        "UHUGEINT",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Linted:
    """`fields` are looked through to the end. `fits` are the kinds that each guessed field looks like:
    several where it is none more than another, as with digests. `unfit` look like none. `region` is where
    national phone numbers were taken to be from."""

    fields: tuple[FieldExamined, ...]
    fits: Mapping[str, tuple[str, ...]]
    unfit: tuple[str, ...]
    region: Region


class Lint:
    """`progress` is told how many values have been read, over all fields."""

    def __init__(
        self,
        engine: Engine,
        *,
        kinds: Mapping[str, IdentifierKind],
        segment: Segment | None,
        region: Region,
        progress: Callable[[int], None],
    ) -> None:
        self._engine = engine
        self._kinds = kinds
        self._segment = segment or EVERYBODY
        self._region = region
        self._progress = progress
        self._read = 0

    def chosen(self, matches: Sequence[Match]) -> Linted:
        """Fields as the kinds that are said."""
        samples = [self._sample(match) for match in matches]
        return Linted(fields=self._through(samples), fits={}, unfit=(), region=self._region)

    def guessed(self, fields: Sequence[str], *, key: str) -> Linted:
        """Fields as the kinds that they look like; by default every column of text but the key."""
        names = fields or [
            each.name for each in self._engine.columns() if _is_text(each) and each.name != key
        ]
        fitting = {
            field: _fitting([self._sample(Match(kind=kind, field=field)) for kind in self._kinds])
            for field in names
        }
        everything = [each for found in fitting.values() for each in found]
        samples = [each for found in fitting.values() for each in _to_look_through(found, everything)]
        return Linted(
            fields=self._through(samples),
            fits={field: tuple(each.kind for each in found) for field, found in fitting.items() if found},
            unfit=tuple(field for field, found in fitting.items() if not found),
            region=self._region,
        )

    def _through(self, samples: Sequence[FieldExamined]) -> tuple[FieldExamined, ...]:
        return tuple(self._to_the_end(each, _beside(each, samples)) for each in samples)

    def _to_the_end(self, sample: FieldExamined, beside: str | None) -> FieldExamined:
        # Of fewer rows the sample has them all; and an engine that draws none has read to the end.
        if beside is None and sample.read != GUESSED_FROM:
            return sample
        return self._examine(Match(kind=sample.kind, field=sample.field), beside=beside)

    def _sample(self, match: Match) -> FieldExamined:
        return self._engine.examine(self._examination(match, most=GUESSED_FROM), lambda read: None)

    def _examine(self, match: Match, *, beside: str | None) -> FieldExamined:
        before = self._read
        found = self._engine.examine(
            self._examination(match, beside=beside), lambda read: self._progress(before + read)
        )
        self._read += found.read
        return found

    def _examination(
        self, match: Match, *, beside: str | None = None, most: int | None = None
    ) -> Examination:
        return Examination(
            segments=(self._segment,),
            match=match,
            kind=self._kinds[match.kind],
            region=self._region,
            beside=beside,
            most=most,
        )


def pairs(fields: Sequence[str], kinds: Sequence[str]) -> tuple[Match, ...]:
    """Each field with its kind, in their order, or all fields with the one kind that is given."""
    if len(kinds) not in (1, len(fields)):
        raise InvalidFault(
            Code.MATCHING_INVALID,
            f"{len(fields)} fields and {len(kinds)} kinds do not go together",
            hint="--kind once for all, or once for each --field; without it the kind is guessed",
        )
    return tuple(
        Match(kind=kind, field=field)
        for field, kind in zip(fields, kinds if len(kinds) > 1 else [kinds[0]] * len(fields), strict=True)
    )


def _fitting(looked: Iterable[FieldExamined]) -> tuple[FieldExamined, ...]:
    """The kinds that fit best: several where they fit alike, and all that take its digests."""
    fit = [each for each in looked if each.well_formed >= FITS]
    best = max((each.well_formed for each in fit), default=0.0)
    return tuple(each for each in fit if each.well_formed == best or _is_hashed(each))


def _to_look_through(
    fitting: tuple[FieldExamined, ...], everything: Sequence[FieldExamined]
) -> tuple[FieldExamined, ...]:
    """Digests are the same whatever their kind: once is enough, as that of a field to compare them with."""
    if not any(map(_is_hashed, fitting)):
        return fitting
    compared = (each for each in fitting if _beside(each, everything))
    return (next(compared, fitting[0]),)


def _is_hashed(found: FieldExamined) -> bool:
    return 2 * found.remarks.get(Remark.HASHED, 0) > found.usable


def _beside(found: FieldExamined, all_found: Iterable[FieldExamined]) -> str | None:
    """Another field of the kind that holds its values unhashed, if this one holds digests."""
    if not found.remarks.get(Remark.HASHED):
        return None
    others = (each for each in all_found if each.kind == found.kind and each.field != found.field)
    return next((each.field for each in others if each.usable and not _is_hashed(each)), None)


def _is_text(column: Column) -> bool:
    return not column.type.upper().startswith(_NO_TEXT)
