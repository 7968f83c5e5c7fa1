"""Whose rows carry an identifier, and which other identifiers these rows yield: digests alone come back.

Three passes through the profiles for each way in which exports read them, however many people are asked for:
the keys of the rows that carry what was given, then all identifiers of these rows, and whose they are. A row
that one way of reading finds is looked at in every other: an export of e-mails and one of phones, each with a
country of its own, know the same person.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from cdp_core.contract.digests import DIGEST_SIZE, DigestBlock
from cdp_core.contract.source import DigestSink, KeptKeys, Selection
from cdp_core.model.accounting import Reason
from cdp_core.model.configuration import Export, Match, Segment
from cdp_core.model.erasure import Identifier
from cdp_core.model.policy import Region
from cdp_core.runner.services import Services

# Stands for the rows whose keys were found; no segment has that id.
_ROWS = Segment(id="rows-of-persons", name="rows of persons", where="true")


@dataclass(slots=True)
class Person:
    """`keys` are SHA-256 of the keys of the rows that carry what was given; `identifiers` are those that they
    yield, and what was given; `not_found` are the kinds that exports match and that they yield none of."""

    given: Identifier
    identifiers: set[Identifier]
    keys: set[bytes] = field(default_factory=set)
    not_found: tuple[str, ...] = ()


def gathered(
    services: Services, given: Sequence[Identifier], progress: Callable[[int], None]
) -> tuple[Person, ...]:
    """One for each that was given, in their order. `progress` is told the rows read, over all passes.

    Raises `InvalidFault` where the profiles cannot be read.
    """
    people = tuple(Person(given=each, identifiers={each}) for each in given)
    exports = services.state.exports.all()
    _read(services, people, [_of_everybody(services, *each) for each in _readings(exports)], progress)
    kinds = {match.kind for export in exports for match in export.matching}
    for person in people:
        person.not_found = tuple(sorted(kinds - {each.kind for each in person.identifiers}))
    return people


def _readings(exports: Iterable[Export]) -> Iterator[tuple[tuple[Match, ...], Region]]:
    """How exports read the profiles: by each manner of reading regions, all fields that are matched."""
    found: list[tuple[Region, list[Match]]] = []
    for export in exports:
        matches = next((matches for region, matches in found if region == export.policy.region), None)
        if matches is None:
            found.append((export.policy.region, matches := []))
        matches += [match for match in export.matching if match not in matches]
    for region, matches in found:
        yield tuple(matches), region


def _of_everybody(services: Services, matching: tuple[Match, ...], region: Region) -> Selection:
    return Selection(
        segments=(),
        matching=matching,
        kinds={match.kind: services.catalog.kinds[match.kind] for match in matching},
        region=region,
    )


def _read(
    services: Services,
    people: Sequence[Person],
    selections: Sequence[Selection],
    progress: Callable[[int], None],
) -> None:
    by_given = {person.given: person for person in people}
    owners: dict[bytes, set[Identifier]] = {}
    for selection in selections:
        for key, given in _keys(services, selection, by_given):
            owners.setdefault(key, set()).add(given)
            by_given[given].keys.add(key)
    for selection in selections if owners else ():
        theirs = _identifiers(services, selection, sorted(owners), progress)
        for key, found in _keys(services, selection, theirs):
            for given in owners.get(key, ()):
                by_given[given].identifiers.add(found)


def _keys(
    services: Services, selection: Selection, sought: Iterable[Identifier]
) -> Iterator[tuple[bytes, Identifier]]:
    """SHA-256 of the key of each row that yields one of them, with that."""
    by_kind: dict[str, set[bytes]] = {}
    for each in sought:
        if each.kind in selection.kinds:
            by_kind.setdefault(each.kind, set()).add(each.digest)
    matching = tuple(match for match in selection.matching if match.kind in by_kind)
    if not matching:
        return
    narrowed = Selection(
        segments=(), matching=matching, kinds=selection.kinds, region=selection.region, consent=None
    )
    with services.profiles.open() as engine:
        for found in engine.keys_of(narrowed, by_kind):
            key = hashlib.sha256(found.key.encode()).digest()
            yield key, Identifier(kind=found.kind, digest=found.digest)


def _identifiers(
    services: Services, selection: Selection, keys: Sequence[bytes], progress: Callable[[int], None]
) -> set[Identifier]:
    """What the rows of some keys yield, of everything that is matched; placeholders stand for nobody."""
    sink = _Gathering(selection)
    joined = b"".join(keys)

    def blocks(size: int) -> Iterator[bytes]:
        step = size * DIGEST_SIZE
        yield from (joined[at : at + step] for at in range(0, len(joined), step))

    with services.profiles.open() as engine:
        engine.keep({_ROWS.id: KeptKeys(members=len(keys), blocks=blocks)})
        of_rows = Selection(
            segments=(_ROWS,), matching=selection.matching, kinds=selection.kinds, region=selection.region
        )
        engine.identify(of_rows, sink, progress)
    return sink.found


class _Gathering(DigestSink):
    def __init__(self, selection: Selection) -> None:
        self._placeholders: Mapping[str, frozenset[bytes]] = {
            key: kind.placeholders for key, kind in selection.kinds.items()
        }
        self.found: set[Identifier] = set()

    def digests(self, kind: str, digests: bytes | memoryview) -> None:
        for digest in DigestBlock(bytes(digests)):
            if digest not in self._placeholders[kind]:
                self.found.add(Identifier(kind=kind, digest=digest))

    def withheld(self, kind: str, digests: bytes | memoryview) -> None:
        return

    def reason(self, kind: str, reason: Reason, values: int) -> None:
        return
