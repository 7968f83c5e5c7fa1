"""Takes people out of every audience that holds them, and goes on with it until each service has said yes.

What is to be done stands in the state before anything is sent: killed anywhere, the same command again, or
the next run on an audience, goes on with the same receipt. A removal is a run of its own under the
audience's lease, of an export that claims the digest; what other exports claim of it ends with that.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol

from cdp_core.errors import CdpError, Code, GateFault, HeldFault
from cdp_core.model.access import Actor
from cdp_core.model.configuration import Export
from cdp_core.model.delivery import AudienceKey, BatchStatus, Operation
from cdp_core.model.erasure import Erasure, Removal
from cdp_core.model.journal import BatchRecord
from cdp_core.model.log import LogEvent
from cdp_core.model.run import Run
from cdp_core.pipeline.plan import Plan, PlanPart
from cdp_core.rules.records import RECORD
from cdp_core.runner.answered import batch_at, status_at
from cdp_core.runner.erased import Claim, Places, Sought
from cdp_core.runner.execution import Execution
from cdp_core.runner.forgetting import Forgetting
from cdp_core.runner.services import Services

log = logging.getLogger("cdp.erasure")

Progress = Callable[[str], None]


class MaySend(Protocol):
    def __call__(self, export: Export, *, takes_out: bool) -> None: ...


class Erasing:
    """`may_send` raises what forbids that an export sends at all."""

    def __init__(self, services: Services, actor: Actor, *, may_send: MaySend) -> None:
        self._services = services
        self._state = services.state
        self._actor = actor
        self._may_send = may_send
        self._places = Places(services)
        self._forgetting = Forgetting(services, actor)

    def everywhere(self, erasures: Sequence[Erasure], progress: Progress = lambda audience: None) -> None:
        """All audiences that are not done, then what the workspace keeps of them beside."""
        pending = sorted({audience for erasure in erasures for audience in erasure.pending})
        rest = []
        for audience in pending:
            progress(str(audience))
            if not self._at(audience, _pending(erasures, audience)):
                rest.append(audience)
        # Who had an audience may have let go of it meanwhile.
        for audience in rest:
            self._at(audience, _pending(erasures, audience))
        self._close(erasures)

    def at(self, audience: AudienceKey) -> None:
        """What is left to do at one audience, for whoever waits; what fails stands in the receipts."""
        try:
            if erasures := self._state.erasures.open():
                if here := _pending(erasures, audience):
                    self._at(audience, here)
                self._close(erasures)
        except CdpError as fault:
            log.warning(
                "erasures are gone on with by a later run: %s", fault, extra=LogEvent.ERASURE_WAITS.about()
            )

    def _close(self, erasures: Sequence[Erasure]) -> None:
        """End those that have nothing left to do."""
        done = [erasure for erasure in erasures if not self._state.erasures.get(erasure.id).pending]
        if not done:
            return
        try:
            self._forgetting.elsewhere(done)
        except CdpError as fault:
            log.warning("an erasure does not end yet: %s", fault, extra=LogEvent.ERASURE_WAITS.about())
            return
        for erasure in done:
            self._state.erasures.end(erasure.id, datetime.now(UTC))

    def _at(self, audience: AudienceKey, erasures: Sequence[Erasure]) -> bool:
        """Whether nothing of them is left there."""
        sought = Sought(erasures)
        try:
            claims = self._places.claims(audience, erasures)
            self._foresee(audience, erasures, claims)
            claims = self._taken_out(audience, erasures, claims, sought)
            if claims or self._places.unsettled(audience, sought):
                return False
            whole = self._confirm_rest(audience, erasures)
            self._forgetting.at(audience, erasures, sought)
        except CdpError as fault:
            self._tell_fault(audience, erasures, fault)
            return False
        for erasure in erasures if whole else ():
            self._state.erasures.done_at(erasure.id, audience)
        return whole

    def _foresee(self, audience: AudienceKey, erasures: Sequence[Erasure], claims: Sequence[Claim]) -> None:
        """Every claim stands in the receipt before anything is sent."""
        names = {export.id: export.name for export in self._state.exports.all()}
        for erasure in erasures:
            known = {each.key for each in self._state.erasures.get(erasure.id).removals}
            fresh = [_removal(audience, claim, names) for claim in claims if claim.erasure_id == erasure.id]
            new = [each for each in fresh if each.key not in known]
            self._state.erasures.tell(erasure.id, new)

    def _taken_out(
        self, audience: AudienceKey, erasures: Sequence[Erasure], claims: list[Claim], sought: Sought
    ) -> list[Claim]:
        """The claims that stand still, after each export that may be able to has tried once."""
        tried: set[str] = set()
        exports = {export.id: export for export in self._state.exports.all()}
        for run in self._places.unsettled(audience, sought):
            if run.export_id in exports and not any(each.export_id == run.export_id for each in claims):
                tried.add(run.export_id)
                self._try(exports[run.export_id], audience, sought)
                claims = self._places.claims(audience, erasures)
        while left := [claim for claim in claims if claim.export_id not in tried]:
            export_id = left[0].export_id
            tried.add(export_id)
            found = self._try(exports[export_id], audience, sought) if export_id in exports else _gone()
            after = self._places.claims(audience, erasures)
            names = {each: export.name for each, export in exports.items()}
            self._tell(audience, erasures, claims, after, found, by=export_id, names=names)
            claims = after
        return claims

    def _try(self, export: Export, audience: AudienceKey, sought: Sought) -> Run | CdpError:
        """One run that removes them, or what kept it from that."""
        try:
            if self._services.connector.audience_of(export) != audience:
                return _gone()
            spec = self._services.catalog.destination(export.destination)
            if Operation.REMOVE not in spec.capabilities.operations:
                return GateFault(
                    Code.MEMBERS_REMAIN,
                    f"the destination {spec.label} takes nobody out: ask its operator to",
                )
            # As with all that is only taken out, nobody's consent is needed.
            self._may_send(export, takes_out=True)
            execution = Execution(
                services=self._services,
                export=export,
                actor=self._actor,
                progress=None,
                stop=threading.Event(),
            )
            return execution.erase(sought.joined())
        except CdpError as fault:
            return fault

    def _tell(
        self,
        audience: AudienceKey,
        erasures: Sequence[Erasure],
        before: Sequence[Claim],
        after: Sequence[Claim],
        found: Run | CdpError,
        *,
        by: str,
        names: Mapping[str, str],
    ) -> None:
        """Write into the receipts what one export's try has come to; what others claim of the same digest
        has the same answer."""
        plan = self._places.plan(found.plan_id) if isinstance(found, Run) and found.plan_id else None
        stand = {_key(claim) for claim in after}
        for erasure in erasures:
            known = {removal.key: removal for removal in self._state.erasures.get(erasure.id).removals}
            told = []
            for claim in before:
                mine = claim.erasure_id == erasure.id
                ended = _key(claim) not in stand
                if not mine or not (ended or claim.export_id == by):
                    continue
                fresh = _removal(audience, claim, names)
                last = known.get(fresh.key, fresh)
                told.append(self._answered(last, found, plan, ended=ended))
            self._state.erasures.tell(erasure.id, told)

    def _answered(self, last: Removal, found: Run | CdpError, plan: Plan | None, *, ended: bool) -> Removal:
        """Confirmed is only what the claim's end and the service's answer both say."""
        if isinstance(found, CdpError):
            return replace(last, tries=last.tries + 1, message=_why(found))
        last = replace(last, tries=last.tries + 1, run_id=found.id)
        batches = self._state.journal.batches(found.id)
        for kind, place, again in _places_in(plan, last) if plan else ():
            batch = batch_at(batches, Operation.REMOVE, kind, place, again=again)
            if batch is None:
                continue
            status = status_at(batch, place)
            return replace(
                last,
                confirmed=ended and status is BatchStatus.ACCEPTED,
                batch=batch.number,
                request_id=batch.request_id,
                http_status=batch.http_status,
                message=batch.message or ("" if ended else f"{status}".replace("_", " ")),
                sent_at=batch.sent_at,
                answered_at=batch.answered_at if status is not BatchStatus.UNKNOWN else None,
            )
        return replace(last, message=found.error or "it was not sent")

    def _confirm_rest(self, audience: AudienceKey, erasures: Sequence[Erasure]) -> bool:
        """What a killed command did not come to write down, the journal of the run that removed it tells.
        Whether every claim that there was is accounted for: one that somebody gave up is not."""
        whole = True
        for erasure in erasures:
            now = self._state.erasures.get(erasure.id)
            rest = [each for each in now.unconfirmed if each.audience == audience]
            known = {each.key for each in now.removals}
            found = [self._from_journal(each, erasure) for each in rest]
            whole = whole and all(each.confirmed for each in found)
            found += [each for each in self._silent(audience, now) if each.key not in known]
            self._state.erasures.tell(erasure.id, found)
        return whole

    def _from_journal(self, removal: Removal, erasure: Erasure) -> Removal:
        for run in reversed(self._state.runs.committed(removal.audience)):
            if (run.ended_at or run.started_at) < erasure.asked_at:
                break
            plan = self._places.plan(run.plan_id) if run.plan_id else None
            if plan and (found := self._answered(removal, run, plan, ended=True)).confirmed:
                return found
            if emptying := self._emptying(run):
                return replace(
                    removal,
                    confirmed=True,
                    run_id=run.id,
                    batch=emptying.number,
                    request_id=emptying.request_id,
                    http_status=emptying.http_status,
                    message="the audience was emptied",
                    sent_at=emptying.sent_at,
                    answered_at=emptying.answered_at,
                )
        return replace(removal, message="its claim was given up: take it out at the service")

    def _emptying(self, run: Run) -> BatchRecord | None:
        """The request by which a run emptied the audience, where the service took it."""
        for batch in self._state.journal.batches(run.id):
            if (batch.range.operation, batch.status) == (Operation.REMOVE_ALL, BatchStatus.ACCEPTED):
                return batch
        return None

    def _silent(self, audience: AudienceKey, erasure: Erasure) -> list[Removal]:
        """Removals since it was asked for that no receipt has: of runs that removed it by themselves."""
        found = []
        sought = [(each.kind, each.digest) for each in erasure.identifiers]
        sought += [(RECORD, half) for half in erasure.halves]
        for run in self._state.runs.committed(audience):
            if run.started_at < erasure.asked_at or run.plan_id is None:
                continue
            plan = self._places.plan(run.plan_id)
            for kind, digest in sought if plan else ():
                removal = Removal(
                    audience=audience,
                    export_id=run.export_id,
                    export=run.export_name,
                    kind=kind,
                    digest=digest,
                )
                if plan and (answered := self._answered(removal, run, plan, ended=True)).confirmed:
                    found.append(answered)
        return found

    def _tell_fault(self, audience: AudienceKey, erasures: Sequence[Erasure], fault: CdpError) -> None:
        """What keeps an audience from being looked at stands in every receipt that is about it."""
        for erasure in erasures:
            now = self._state.erasures.get(erasure.id)
            about = [each for each in now.unconfirmed if each.audience == audience]
            self._state.erasures.tell(
                erasure.id, [replace(each, tries=each.tries + 1, message=_why(fault)) for each in about]
            )


def _places_in(plan: Plan, removal: Removal) -> list[tuple[str, int, bool]]:
    """Where a plan removes what a removal is about: kind, place, and whether it was refused before."""
    found = []
    for part, again in ((PlanPart.REMOVE, False), (PlanPart.REMOVE_AGAIN, True)):
        digests = plan.digests(part, removal.kind)
        if digests is None:
            continue
        is_row = removal.kind == RECORD
        sought = digests.of_row(removal.digest) if is_row else (removal.digest,)
        places = (digests.find(digest) for digest in sought)
        found += [(removal.kind, place, again) for place in places if place is not None]
    return found


def _pending(erasures: Sequence[Erasure], audience: AudienceKey) -> list[Erasure]:
    return [erasure for erasure in erasures if audience in erasure.pending]


def _removal(audience: AudienceKey, claim: Claim, names: Mapping[str, str]) -> Removal:
    return Removal(
        audience=audience,
        export_id=claim.export_id,
        export=names.get(claim.export_id, "an export that was removed"),
        kind=claim.kind,
        digest=claim.digest,
        message="not tried yet",
    )


def _key(claim: Claim) -> tuple[str, str, str, bytes]:
    return claim.erasure_id, claim.export_id, claim.kind, claim.digest


def _gone() -> CdpError:
    return GateFault(
        Code.MEMBERS_REMAIN,
        "no export that has this audience claims it: take it out at the service, then cdp ledger rebuild",
    )


def _why(fault: CdpError) -> str:
    said = f"{fault.code}: {fault.message}"
    return (
        f"{said}; the run that has it goes on with this at its end" if isinstance(fault, HeldFault) else said
    )
