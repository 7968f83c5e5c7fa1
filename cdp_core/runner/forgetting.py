"""Takes away what the workspace keeps of people beside the claims on them, once nothing needs it any more.

A plan whose batches were sent stays, so that a ledger can be rebuilt from it, with something in the digest's
place that leads back to nobody; another plan that holds the digest goes as a whole, and whoever waits with it
waits no more. Of ledgers, the claims that have ended are written out; dead letters and the keys in the
results of static segments are deleted.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Sequence

from cdp_core.errors import CdpError, Code
from cdp_core.model.access import Actor
from cdp_core.model.configuration import Export, KeptResult, Segment
from cdp_core.model.delivery import AudienceKey
from cdp_core.model.erasure import Erasure, Forgotten
from cdp_core.model.journal import PlanRecord
from cdp_core.model.run import Run
from cdp_core.pipeline import ledger
from cdp_core.pipeline.digest_file import DigestFile
from cdp_core.pipeline.plan import Plan
from cdp_core.runner.approval import Approvals
from cdp_core.runner.erased import Places, Sought
from cdp_core.runner.services import Services
from cdp_core.runner.watch import LeaseWatch
from cdp_core.store.processes import this_process

ERASED = "it holds a person who was erased; a new plan does not"


class Forgetting:
    def __init__(self, services: Services, actor: Actor) -> None:
        self._services = services
        self._state = services.state
        self._actor = actor
        self._places = Places(services)

    def at(self, audience: AudienceKey, erasures: Sequence[Erasure], sought: Sought) -> None:
        """Of an audience whose ledger claims nothing of them any more. Raises `HeldFault` where somebody has
        it."""
        holder = this_process(person=self._actor.real)
        with LeaseWatch(self._state, audience, holder, threading.Event()) as watch:
            self._services.ledgers.require_current()
            files = self._ledger(watch, audience, sought)
            plans = sum(
                self._plan(audience, run, record, plan, sought)
                for run, record, plan in list(self._places.plans(audience, sought))
            )
            self._sweep(audience)
            for erasure in erasures:
                letters = sum(
                    self._state.dead_letters.forget(audience, each.kind, each.digest)
                    for each in erasure.identifiers
                )
                # What was written anew was so for all of them: it is counted with each.
                forgotten = Forgotten(ledger_files=files, plans=plans, dead_letters=letters)
                self._state.erasures.forgot(erasure.id, forgotten)

    def elsewhere(self, erasures: Sequence[Erasure]) -> None:
        """What belongs to no audience: results of static segments, and ledger files that lie aside."""
        sought = Sought(erasures)
        aside = self._aside(sought)
        for erasure in erasures:
            results = sum(
                self._result(segment, segment.kept, erasure)
                for segment in self._state.segments.all()
                if segment.kept is not None
            )
            self._state.erasures.forgot(erasure.id, Forgotten(results=results, aside=aside))
        if not self._state.leases.holders():
            keys = {key for erasure in erasures for key in erasure.keys}
            kept = [segment.kept for segment in self._state.segments.all()]
            self._services.profiles.results.forget_unnamed(kept, keys)

    def _sweep(self, audience: AudienceKey) -> None:
        """What nothing names any more, here or of a killed command, need not wait for its day."""
        runs = self._state.runs.on(audience)
        exports = {run.export_id for run in runs}
        exports |= {file.export_id for file in self._state.ledgers.current(audience).files}
        # An export that has another audience by now may be about to name a file there.
        exports -= {each.id for each in self._state.exports.all() if not self._is_of(each, audience)}
        plans = {name for run in runs for name in (run.id, f"{run.id}-owed")}
        self._services.ledgers.drop_unnamed(exports=exports, plans=plans)

    def _is_of(self, export: Export, audience: AudienceKey) -> bool:
        try:
            return self._services.connector.audience_of(export) == audience
        except CdpError:
            return False

    def _ledger(self, watch: LeaseWatch, audience: AudienceKey, sought: Sought) -> int:
        store = self._services.ledgers
        before = self._state.ledgers.current(audience).files
        store.verify(before)
        after = ledger.without_traces(store.folder, before, sought.in_file, self._services.seal)
        if after == before:
            return 0
        store.keep(after)
        self._state.ledgers.mend(watch.lease, audience, after)
        old = [file for file in before if file not in after]
        store.drop(old)
        return len(old)

    def _plan(self, audience: AudienceKey, run: Run, record: PlanRecord, plan: Plan, sought: Sought) -> int:
        store = self._services.ledgers
        if self._was_delivered(audience, record):
            name = f"{record.id}.{uuid.uuid4().hex[:8]}"
            folder = self._services.workspace.plans_folder / name
            written = plan.written_anew(folder, self._services.seal, sought.replaced)
            store.keep_plan(written.folder)
            self._state.plans.moved(record.id, folder=name, sha256=written.sha256)
        else:
            Approvals(self._services).end(run, Code.PLAN_REJECTED, ERASED)
        store.drop_plan(record.folder)
        return 1

    def _was_delivered(self, audience: AudienceKey, record: PlanRecord) -> bool:
        """Whether batches of it were sent, or a ledger stands on it."""
        committed = {run.id for run in self._state.runs.committed(audience)}
        return any(
            run.id in committed or self._state.journal.batches(run.id)
            for run in self._state.runs.of_plan(record.id)
        )

    def _result(self, segment: Segment, kept: KeptResult, erasure: Erasure) -> int:
        results = self._services.profiles.results
        if not erasure.keys or not results.holds(segment, kept, erasure.keys):
            return 0
        new = results.without(segment, kept, erasure.keys)
        with self._state.transaction():
            if self._state.segments.by_id(segment.id).kept != kept:
                results.forget(new)
                return 0
            self._state.segments.keep(segment.id, new)
        # A run that is about to read the old one finds it for a day.
        if self._state.leases.holders():
            results.replaced(kept)
        else:
            results.forget(kept)
        return 1

    def _aside(self, sought: Sought) -> int:
        gone = 0
        for path in sorted(self._services.workspace.aside_folder.rglob("*.parquet")):
            kind = path.name.partition(".")[0]
            digests = DigestFile(path, self._services.seal)
            try:
                is_there = sought.in_file(kind, digests)
            except (CdpError, OSError, ValueError, KeyError):  # spoilt: nothing can be read from it
                continue
            if is_there:
                path.unlink(missing_ok=True)
                gone += 1
        return gone
