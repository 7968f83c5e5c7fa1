"""Erasures: people who are taken out of every audience for good, and the receipts of that."""

from __future__ import annotations

import dataclasses
import re
import secrets
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cdp_core.app.desk import Desk, act
from cdp_core.app.lists import persons
from cdp_core.app.suppressions import ERASED, PREFIX, require_no_identifier
from cdp_core.errors import Code, InvalidFault, UsageFault
from cdp_core.model.access import Action, Resource
from cdp_core.model.erasure import Erasure, Identifier, Withdrawal
from cdp_core.rules.identifiers.person import identify_person, known_kind
from cdp_core.runner.persons import Person
from cdp_core.runner.runner import Runner
from cdp_core.runner.whereabouts import Whereabouts

_MOST_LINES = 10
_RECEIPT = re.compile("[0-9a-f-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureView:
    """Receipts, in the order in which people were named; `unconfirmed` are those that have not ended."""

    receipts: tuple[Erasure, ...]

    @property
    def unconfirmed(self) -> int:
        return sum(receipt.ended_at is None for receipt in self.receipts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Whom:
    """A person, or everybody on a list, whose column is `field`: of a kind, or of the one that each tells by
    itself; `region` is for national phone numbers. `as_given`: the profiles are not searched for what else is
    theirs."""

    person: str | None = dataclasses.field(default=None, repr=False)
    file: str | None = None
    field: str | None = None
    kind: str | None = None
    region: str | None = None
    as_given: bool = False


class Erasures:
    """Persons are keyword arguments: the first positional one would be written into the audit log."""

    def __init__(self, desk: Desk, runner: Runner) -> None:
        self.desk = desk
        self._runner = runner

    def resource(self, name: str, arguments: Mapping[str, Any]) -> Resource:
        """A receipt; what is none may be a person, and is kept nowhere."""
        return Resource(kind="person", name=name if _RECEIPT.fullmatch(name) else "")

    @act(Action.ERASURE_LOOK)
    def look(
        self,
        *,
        whom: Whom,
        progress: Callable[[int], None] = lambda read: None,
    ) -> tuple[Whereabouts, ...]:
        """Where each person is: what `erase` would end and take away. Nothing is changed or sent."""
        given = self._given(whom)
        found = self._people(given, as_given=whom.as_given, progress=progress)
        self._note(given)
        return self._runner.whereabouts([self._made(each, note="") for each in found])

    @act(Action.ERASE)
    def erase(
        self,
        *,
        whom: Whom,
        note: str = "",
        progress: Callable[[int], None] = lambda read: None,
        at: Callable[[str], None] = lambda audience: None,
    ) -> ErasureView:
        """Suppress a person, or all of a list, with every identifier that their rows yield; take them out of
        every audience; take away what the workspace keeps of them besides. What a service has not confirmed
        is gone on with by the same act again, and by every run on the audience.

        Raises `InvalidFault` where a line of a list holds nobody; then nothing is done.
        """
        require_no_identifier(note)
        given = self._given(whom)
        found = self._people(given, as_given=whom.as_given, progress=progress)
        erasures = self._asked(found, note)
        self._note(given, receipts=[erasure.id for erasure in erasures])
        self._runner.erasing(self.desk.actor).everywhere(
            [erasure for erasure in erasures if erasure.ended_at is None], at
        )
        view = ErasureView(receipts=tuple(self.desk.state.erasures.get(each.id) for each in erasures))
        self.desk.note(unconfirmed=view.unconfirmed)
        return view

    @act(Action.ERASURE_SHOW)
    def show(self, receipt: str) -> Erasure:
        """A receipt, by its id, or the beginning of one that no other has."""
        if not _RECEIPT.fullmatch(receipt):
            raise InvalidFault(Code.NOT_FOUND, "that is no receipt's number", hint="cdp erase list")
        return self.desk.state.erasures.get(receipt)

    @act(Action.CONSENT_WITHDRAWALS)
    def withdrawals(self, *, limit: int = 20) -> tuple[Withdrawal, ...]:
        """What the newest runs that had to do so took out because consent was withdrawn."""
        return self.desk.state.withdrawals.newest(limit)

    @act(Action.ERASURE_LIST)
    def list(self, *, limit: int = 20, unconfirmed: bool = False) -> tuple[Erasure, ...]:
        """The newest receipts, or those that have not ended."""
        kept = self.desk.state.erasures
        return kept.open()[::-1][:limit] if unconfirmed else kept.newest(limit)

    def _given(self, whom: Whom) -> tuple[Identifier, ...]:
        """Everybody who was named, each once."""
        kinds, kind, file = self.desk.catalog.kinds, whom.kind, whom.file
        if kind is not None:
            known_kind(kind, kinds)
        if (whom.person is None) == (file is None):
            raise UsageFault(Code.USAGE, "either a person is given or a list, not both", hint="--file FILE")
        listed = (
            [(0, whom.person)]
            if file is None
            else persons(file, field=whom.field, undone="nobody was erased")
        )
        found, wrong = dict[Identifier, None](), []
        for line, text in listed:
            if file is not None and (text is None or not text.strip()):
                continue
            try:
                told, digest = identify_person(text or "", kinds, kind=kind, region=whom.region)
            except InvalidFault:
                if file is None:
                    raise
                wrong.append(line)
                continue
            found[Identifier(kind=told, digest=digest)] = None
        if wrong or not found:
            shown = ", ".join(map(str, wrong[:_MOST_LINES])) + (", …" if len(wrong) > _MOST_LINES else "")
            raise InvalidFault(
                Code.PERSON_UNTOLD,
                f"these lines tell nobody: {shown}" if wrong else "the list holds nobody",
                where=str(file),
                hint="nobody was erased; mend the list, or say --kind and --default-region",
            )
        return tuple(found)

    def _people(
        self, given: Sequence[Identifier], *, as_given: bool, progress: Callable[[int], None]
    ) -> tuple[Person, ...]:
        if as_given:
            return tuple(Person(given=each, identifiers={each}) for each in given)
        return self._runner.persons(given, progress)

    def _made(self, person: Person, note: str) -> Erasure:
        now = self.desk.now()
        return Erasure(
            id=f"{now:%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:6]}",
            given=person.given,
            identifiers=tuple(sorted(person.identifiers, key=lambda each: (each.kind, each.digest))),
            not_found=person.not_found,
            asked_by=self.desk.actor.real,
            asked_at=now,
            note=note,
            keys=tuple(sorted(person.keys)),
            secret=secrets.token_bytes(32),
            pending=self._runner.erased().audiences(),
        )

    def _asked(self, people: Sequence[Person], note: str) -> tuple[Erasure, ...]:
        """Suppressed and written down, all or none; who is being erased already keeps their receipt, and so
        does who was, where there is nothing of them."""
        state = self.desk.state
        made = [self._made(each, note) for each in people]
        nothing = {each.erasure.given for each in self._runner.whereabouts(made) if each.is_nothing}
        asked: tuple[Erasure, ...] = ()
        with state.transaction():
            for erasure in made:
                before = next(iter(state.erasures.of(erasure.given)), None)
                if before is None or (before.ended_at and not _covers(before, erasure, nothing)):
                    state.erasures.add(erasure)
                    before = erasure
                elif before.ended_at is None:
                    state.erasures.widen(before, erasure)
                    before = state.erasures.get(before.id)
                asked += (before,)
                state.suppressions.add(
                    sorted((each.kind, each.digest) for each in erasure.identifiers),
                    note=f"{ERASED}{before.id}",
                    by=self.desk.actor.name,
                    at=self.desk.now(),
                )
        return asked

    def _note(self, given: Sequence[Identifier], **more: Any) -> None:
        """Of one person as explaining and suppressing do; of many how many."""
        first = given[0]
        self.desk.note(persons=len(given), **more)
        if len(given) == 1:
            self.desk.note(kind=first.kind, digest=first.digest.hex()[:PREFIX])


def _covers(before: Erasure, erasure: Erasure, nothing: Collection[Identifier]) -> bool:
    """Whether an erasure that has ended stands for one that is asked for now."""
    return erasure.given in nothing and set(erasure.identifiers) <= set(before.identifiers)
