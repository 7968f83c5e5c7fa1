"""Suppressions: people who are never sent. Added, imported, listed, removed; kept as digests alone."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from cdp_core.app.desk import Desk, act
from cdp_core.app.lists import persons
from cdp_core.app.workspace_views import ImportView, SuppressionsView, SuppressionView, UnreadLine
from cdp_core.contract.digests import DigestBlock
from cdp_core.errors import Code, InvalidFault, UsageFault
from cdp_core.model.access import Action, Resource
from cdp_core.model.erasure import Identifier
from cdp_core.model.identifiers import IdentifierKind
from cdp_core.model.suppression import Suppression
from cdp_core.rules.identifiers import BUILT_IN_KINDS
from cdp_core.rules.identifiers.person import identify_person, known_kind

PREFIX = 12
# How the note of somebody who was erased begins.
ERASED = "erased: receipt "
MOST_LINES = 1_000


class Suppressions:
    """Persons are keyword arguments: the first positional one would be written into the audit log."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def resource(self, name: str, arguments: Mapping[str, Any]) -> Resource:
        return Resource(kind="suppression")

    @act(Action.SUPPRESSION_ADD)
    def add(
        self, *, person: str, kind: str | None = None, region: str | None = None, note: str = ""
    ) -> SuppressionView:
        """Never send this person again, and take them out of every audience at its next run."""
        require_no_identifier(note)
        found, digest = self._identified(person, kind, region)
        is_new = self.desk.state.suppressions.add(
            [(found, digest)], note=note, by=self.desk.actor.name, at=self.desk.now()
        )
        self.desk.note(kind=found, digest=_prefix(digest), new=bool(is_new))
        return _view(self._kept(found, digest), is_new=bool(is_new))

    @act(Action.SUPPRESSION_IMPORT)
    def import_(
        self,
        *,
        file: str,
        kind: str | None = None,
        field: str | None = None,
        region: str | None = None,
        note: str = "",
    ) -> ImportView:
        """The same for every person of a list, all in one transaction: a list that cannot be read to its
        end changes nothing. Lines that hold nobody are counted and told by number."""
        require_no_identifier(note)
        if kind is not None:
            known_kind(kind, self.desk.catalog.kinds)
        reading = _Reading(self.desk.catalog.kinds, kind, region)
        added = self.desk.state.suppressions.add(
            reading.to_the_end(persons(file, field=field, undone="nothing was added")),
            note=note,
            by=self.desk.actor.name,
            at=self.desk.now(),
        )
        view = ImportView(
            read=reading.read,
            added=added,
            known=reading.read - reading.empty - reading.malformed - added,
            empty=reading.empty,
            malformed=reading.malformed,
            lines=tuple(reading.lines),
            kinds=dict(reading.kinds),
        )
        self.desk.note(read=view.read, added=view.added, malformed=view.malformed)
        return view

    @act(Action.SUPPRESSION_REMOVE)
    def remove(
        self,
        *,
        person: str,
        kind: str | None = None,
        region: str | None = None,
        although_erased: bool = False,
    ) -> SuppressionView:
        """Let this person be sent again; where they were erased, only `although_erased` says so."""
        found, digest = self._identified(person, kind, region)
        before = self._kept(found, digest)
        about = Identifier(kind=found, digest=digest)
        receipts = self.desk.state.erasures.newest(sys.maxsize)
        erased = [each for each in receipts if about in each.identifiers]
        for erasure in erased:
            if erasure.ended_at is None:
                raise InvalidFault(
                    Code.IN_USE,
                    "this person is being erased, and a service has not confirmed it yet",
                    where=f"receipt {erasure.id}",
                    hint=f"cdp erase show {erasure.id}",
                )
        # Receipts go in their time, and notes stay; who was suppressed before has a note of then.
        if (erased or before.note.startswith(ERASED)) and not although_erased:
            raise UsageFault(
                Code.NOT_AGREED_TO_ACT,
                "this person was erased, and would be sent again",
                where=f"{ERASED}{erased[0].id}" if erased else before.note,
                hint="where they have agreed anew: --although-erased",
            )
        self.desk.state.suppressions.remove(found, digest)
        self.desk.note(kind=found, digest=_prefix(digest))
        return _view(before, is_new=False)

    @act(Action.SUPPRESSION_LIST)
    def list(self, *, limit: int = 20, kind: str | None = None) -> SuppressionsView:
        """How many there are of each kind, and the newest."""
        kept = self.desk.state.suppressions
        newest = kept.newest_first(limit=limit, kind=kind)
        return SuppressionsView(
            kinds=kept.count(), newest=tuple(_view(each, is_new=False) for each in newest)
        )

    def _identified(self, person: str, kind: str | None, region: str | None) -> tuple[str, bytes]:
        return identify_person(person, self.desk.catalog.kinds, kind=kind, region=region)

    def _kept(self, kind: str, digest: bytes) -> Suppression:
        kept = self.desk.state.suppressions.get(kind, digest)
        if kept is None:
            raise InvalidFault(
                Code.NOT_FOUND,
                "this person is not suppressed",
                where=f"{kind} {_prefix(digest)}…",
                hint="cdp suppress list",
            )
        return kept


def require_no_identifier(text: str, what: str = "note") -> None:
    """A note, or a reason, is kept and shown: it may name a ticket, which a plugin's kind may take for its
    own, and no person."""
    if any(kind.identify(word).digest for word in text.split() for kind in BUILT_IN_KINDS.values()):
        raise InvalidFault(
            Code.PERSON_UNTOLD,
            f"the {what} holds an identifier, and would be kept and shown as it is",
            hint=f"name the reason or a ticket, as in: --{what} 'objection, ticket 4711'",
        )


class _Reading:
    """One list on its way, and what has been read of it so far."""

    def __init__(self, kinds: Mapping[str, IdentifierKind], kind: str | None, region: str | None) -> None:
        self._all_kinds = kinds
        self._kind = kind
        self._region = region
        self.read = self.empty = self.malformed = 0
        self.kinds: Counter[str] = Counter()
        self.lines: list[UnreadLine] = []

    def to_the_end(self, listed: Iterator[tuple[int, str | None]]) -> Iterator[tuple[str, bytes]]:
        """The persons of the whole list; while it is read, nobody waits for the state."""
        found: dict[str, bytearray] = {}
        for kind, digest in self._digests(listed):
            found.setdefault(kind, bytearray()).extend(digest)
        # The database takes them faster in their order.
        return (
            (kind, digest) for kind, joined in found.items() for digest in sorted(DigestBlock(bytes(joined)))
        )

    def _digests(self, listed: Iterator[tuple[int, str | None]]) -> Iterator[tuple[str, bytes]]:
        for line, text in listed:
            self.read += 1
            if text is None or not text.strip():
                self.empty += 1
                continue
            try:
                found = identify_person(text, self._all_kinds, kind=self._kind, region=self._region)
            except InvalidFault as fault:
                self.malformed += 1
                if len(self.lines) < MOST_LINES:
                    self.lines.append(UnreadLine(line=line, reason=fault.message))
                continue
            self.kinds[found[0]] += 1
            yield found


def _prefix(digest: bytes) -> str:
    return digest.hex()[:PREFIX]


def _view(kept: Suppression, *, is_new: bool) -> SuppressionView:
    return SuppressionView(
        kind=kept.kind,
        digest=_prefix(kept.digest),
        note=kept.note,
        added_by=kept.added_by,
        added_at=kept.added_at,
        is_new=is_new,
    )
