"""What became of one person: today's profiles, the ledgers, the plans on disk and the journal are asked.

Where whole rows leave, what is looked for are the records of the rows that yield the person's digest today.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterator, Sequence

from cdp_core.contract.digests import DIGEST_SIZE
from cdp_core.contract.source import DigestSink, Selection
from cdp_core.errors import CdpError, GateFault
from cdp_core.model.accounting import Reason
from cdp_core.model.configuration import Export, Segment
from cdp_core.model.delivery import AudienceKey, BatchStatus, Operation
from cdp_core.model.explanation import AudienceHistory, ExportStanding, Held, Moment, UnreadPlan, Why
from cdp_core.model.journal import BatchRecord, DeadLetter
from cdp_core.model.policy import Mode
from cdp_core.model.run import Run
from cdp_core.model.suppression import Suppression
from cdp_core.pipeline import ledger
from cdp_core.pipeline.plan import Plan, PlanPart
from cdp_core.rules.records import RECORD, half_of_key
from cdp_core.runner.answered import batch_at, status_at
from cdp_core.runner.rejected import row_keys
from cdp_core.runner.selecting import selection_of
from cdp_core.runner.services import Services

_SENT = {
    PlanPart.ADD: (Operation.ADD, False),
    PlanPart.ADD_AGAIN: (Operation.ADD, True),
    PlanPart.REMOVE: (Operation.REMOVE, False),
    PlanPart.REMOVE_AGAIN: (Operation.REMOVE, True),
}
_NOT_SENT = (PlanPart.CLAIM, PlanPart.RELEASE)


class Search:
    """For one digest. `progress` is told the rows read so far, over all passes through the profiles."""

    def __init__(
        self, services: Services, *, kind: str, digest: bytes, progress: Callable[[int], None]
    ) -> None:
        self._services = services
        self._state = services.state
        self._kind = kind
        self._digest = digest
        self._progress = progress
        self._read = 0
        self._passes: dict[object, tuple[bool, bool]] = {}
        self._rows: set[bytes] = set()

    def standing(self, export: Export, suppression: Suppression | None) -> ExportStanding:
        """One export today; raises `InvalidFault` where the profiles cannot be read."""
        audience = self._audience_of(export)
        rows = self._rows_of(export) if export.policy.fields else frozenset()
        self._rows |= rows
        segments: list[str] = []
        withheld = False
        if self._kind in export.kinds:
            for segment in map(self._state.segments.by_id, export.segment_ids):
                found, refused = self._pass(export, segment)
                segments += [segment.name] if found else []
                withheld |= refused
        asked = self._services.member_consent(export) is not None
        letter = self._letter(audience, export) if audience else None
        held = self._held(audience, export, rows) if audience else Held.NO
        why = self._why(
            export, has_segment=bool(segments), withheld=withheld, suppression=suppression, letter=letter
        )
        if export.policy.mode is Mode.REMOVE and (
            segments or (held is not Held.NO and (withheld or suppression))
        ):
            why = None
        return ExportStanding(
            export=export.name,
            audience=str(audience or ""),
            mode=export.policy.mode,
            held=held,
            why=why,
            segments=tuple(segments),
            keys=self._keys(export),
            consent=False if withheld else (True if asked and segments else None),
            dead_letter=letter,
        )

    def history(self, audience: AudienceKey) -> AudienceHistory:
        """What all runs on an audience did with the digest, and with the rows of the exports whose standing
        was asked for before; dry runs sent nothing, and are left out."""
        moments: list[Moment] = []
        unread: list[UnreadPlan] = []
        for run in self._state.runs.on(audience):
            if run.dry_run or run.plan_id is None:
                continue
            kept = self._state.plans.get(run.plan_id)
            try:
                plan = self._services.ledgers.open_plan(kept)
            except GateFault:
                unread.append(UnreadPlan(run_id=run.id, purged=not self._services.ledgers.has_plan(kept)))
                continue
            moments += self._moments(run, plan)
        return AudienceHistory(audience=str(audience), moments=tuple(moments), unread=tuple(unread))

    def audiences(self, exports: Sequence[Export]) -> tuple[AudienceKey, ...]:
        """Those of the exports, each once."""
        found = (self._audience_of(export) for export in exports)
        return tuple(dict.fromkeys(audience for audience in found if audience is not None))

    def _audience_of(self, export: Export) -> AudienceKey | None:
        """None where it cannot be named: no connection, or no plugin that knows its kind of audience."""
        try:
            return self._services.connector.audience_of(export)
        except CdpError:
            return None

    def _pass(self, export: Export, segment: Segment) -> tuple[bool, bool]:
        """Whether a segment's members yield the digest, and whether anybody without consent does."""
        selection = Selection(
            segments=(segment,),
            matching=tuple(match for match in export.matching if match.kind == self._kind),
            kinds={self._kind: self._services.catalog.kinds[self._kind]},
            region=export.policy.region,
            consent=self._services.member_consent(export),
        )
        key = (segment.id, selection.matching, selection.region, selection.consent)
        if key not in self._passes:
            sink = _Seeking(self._digest)
            before = self._read
            with self._services.profiles.open(segments=(segment,)) as engine:
                selected = engine.identify(selection, sink, lambda read: self._progress(before + read))
            self._read += selected.members
            self._passes[key] = sink.found, sink.refused
        return self._passes[key]

    def _why(
        self,
        export: Export,
        *,
        has_segment: bool,
        withheld: bool,
        suppression: Suppression | None,
        letter: DeadLetter | None,
    ) -> Why | None:
        """The first that holds, in the order of the accounting."""
        reasons = {
            Why.NOT_MATCHED: self._kind not in export.kinds,
            Why.IN_NO_SEGMENT: not has_segment,
            Why.WITHOUT_CONSENT: withheld,
            Why.SUPPRESSED: suppression is not None,
            Why.DEAD_LETTER: letter is not None and letter.operation is Operation.ADD,
        }
        return next((why for why, holds in reasons.items() if holds), None)

    def _keys(self, export: Export) -> tuple[str, ...]:
        found = row_keys(self._services, export, {self._kind: [self._digest]})
        return tuple(sorted(found.get((self._kind, self._digest), ())))

    def _rows_of(self, export: Export) -> frozenset[bytes]:
        """What the records of the rows that yield the digest today begin with."""
        matching = tuple(match for match in export.matching if match.kind == self._kind)
        if not matching:
            return frozenset()
        selection = dataclasses.replace(
            selection_of(self._services, export, segments=()), matching=matching, consent=None
        )
        with self._services.profiles.open() as engine:
            found = engine.keys_of(selection, {self._kind: [self._digest]})
            return frozenset(half_of_key(row.key) for row in found if row.key is not None)

    def _held(self, audience: AudienceKey, export: Export, rows: Collection[bytes]) -> Held:
        folder, seal = self._services.ledgers.folder, self._services.seal
        kind = RECORD if export.policy.fields else self._kind
        files = [
            file
            for file in self._state.ledgers.current(audience).files
            if (file.export_id, file.kind) == (export.id, kind)
        ]
        self._services.ledgers.verify(files)
        if not export.policy.fields:
            return ledger.holds(folder, files, self._digest, seal)
        found = {ledger.holds_row(folder, files, row, seal) for row in rows}
        return next((held for held in (Held.YES, Held.PERHAPS) if held in found), Held.NO)

    def _letter(self, audience: AudienceKey, export: Export) -> DeadLetter | None:
        letters = self._state.dead_letters.of(audience, export.id)
        about = (self._kind, self._digest)
        return next((each for each in letters if (each.kind, each.digest) == about), None)

    def _moments(self, run: Run, plan: Plan) -> Iterator[Moment]:
        for part, (operation, again) in _SENT.items():
            for kind, place in self._places(plan, part):
                journaled = self._state.journal.batches(run.id)
                last = batch_at(journaled, operation, kind, place, again=again)
                yield _moment(run, str(operation), place, last)
        if self._places(plan, PlanPart.EMPTIED):
            journaled = self._state.journal.batches(run.id)
            emptying = [batch for batch in journaled if batch.range.operation is Operation.REMOVE_ALL]
            last = min(emptying, key=lambda batch: -batch.number, default=None)
            yield _moment(run, str(PlanPart.EMPTIED), 0, last)
        for part in _NOT_SENT:
            if self._places(plan, part):
                yield Moment(run_id=run.id, export=run.export_name, at=run.started_at, act=str(part))

    def _places(self, plan: Plan, part: PlanPart) -> list[tuple[str, int]]:
        """Where a part of a plan has the digest, or a record of the person's rows, with its kind."""
        sought = {self._kind: {self._digest}}
        if records := plan.digests(part, RECORD):
            sought[RECORD] = {record for row in self._rows for record in records.of_row(row)}
        return [
            (kind, place)
            for kind, each in sought.items()
            if (digests := plan.digests(part, kind))
            for digest in sorted(each)
            if (place := digests.find(digest)) is not None
        ]


def _moment(run: Run, act: str, place: int, last: BatchRecord | None) -> Moment:
    if last is None:
        return Moment(
            run_id=run.id, export=run.export_name, at=run.started_at, act=act, status=BatchStatus.NOT_SENT
        )
    return Moment(
        run_id=run.id,
        export=run.export_name,
        at=last.answered_at or last.sent_at or last.opened_at,
        act=act,
        batch=last.number,
        status=status_at(last, place),
        attempts=last.attempts,
        request_id=last.request_id,
        http_status=last.http_status,
        message=last.message,
    )


class _Seeking(DigestSink):
    """Whether one digest comes by, and whether it is withheld."""

    def __init__(self, digest: bytes) -> None:
        self._digest = digest
        self.found = False
        self.refused = False

    def digests(self, kind: str, digests: bytes | memoryview) -> None:
        self.found = self.found or self._among(bytes(digests))

    def withheld(self, kind: str, digests: bytes | memoryview) -> None:
        self.refused = self.refused or self._among(bytes(digests))

    def reason(self, kind: str, reason: Reason, values: int) -> None:
        return

    def _among(self, digests: bytes) -> bool:
        at = digests.find(self._digest)
        # What begins in one digest and ends in the next is none.
        while at >= 0 and at % DIGEST_SIZE:
            at = digests.find(self._digest, at + 1)
        return at >= 0
