"""The runner: what the facade asks of an export, each as an execution under the audience's lease."""

from __future__ import annotations

import dataclasses
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cdp_core.errors import CdpError, Code, InvalidFault, NotAllowedFault
from cdp_core.model.access import Actor
from cdp_core.model.accounting import KindCounts
from cdp_core.model.configuration import Export
from cdp_core.model.delivery import AudienceKey
from cdp_core.model.erasure import Erasure, Identifier
from cdp_core.model.gates import Finding, Gate
from cdp_core.model.policy import MemberConsent, Mode
from cdp_core.model.run import Run, RunEvent, RunStatus
from cdp_core.runner import basis
from cdp_core.runner.erased import Places
from cdp_core.runner.erasing import Erasing
from cdp_core.runner.execution import Execution
from cdp_core.runner.explain import Search
from cdp_core.runner.gates import findings
from cdp_core.runner.modes import check_mode, require_agreed, require_alone, require_claims
from cdp_core.runner.persons import Person, gathered
from cdp_core.runner.record import Record
from cdp_core.runner.rejected import Rejected, rejected
from cdp_core.runner.services import Services
from cdp_core.runner.whereabouts import Whereabouts, whereabouts

Progress = Callable[[RunEvent], None]


class Runner:
    def __init__(self, services: Services) -> None:
        self._services = services

    def plan(self, export: Export, actor: Actor, progress: Progress | None) -> Run:
        """Settle what was left, prepare and compare; nothing is sent and no consent is needed for that."""
        return self._execution(export, actor, progress, threading.Event()).plan()

    def run(
        self,
        export: Export,
        actor: Actor,
        *,
        plan_id: str | None,
        progress: Progress | None,
        stop: threading.Event,
        meant: Collection[Gate],
        agreed: bool,
    ) -> Run:
        """A whole run; with `plan_id`, one that delivers that plan as it is, or not at all. The gates in
        `meant` do not stop it. What needs approval waits for it, and what is owed all the same has been a
        run of its own before. `agreed`: somebody has said yes to what the mode does that needs one."""
        require_agreed(self._services, export, agreed=agreed)
        if plan_id is not None:
            # One that is not there, or another's, is a slip of who types, and no run of the export's.
            basis.require_own(self._services.state.plans.get(plan_id), export)
        # A removal changes what a plan stands on that was looked at: then it comes after.
        with self._erasing_around(export, actor, stop, before=plan_id is None):
            if plan_id is not None:
                return self._sending(export, actor, progress, stop).run_planned(plan_id, meant)
            execution = self._sending(export, actor, progress, stop)
            run = execution.run(meant)
            if execution.rest_waits and run.status is RunStatus.SKIPPED:
                return self._sending(export, actor, progress, stop).wait(meant)
            return run

    def resync(
        self,
        export: Export,
        actor: Actor,
        *,
        progress: Progress | None,
        stop: threading.Event,
        meant: Collection[Gate],
    ) -> Run:
        """A run that also sends what is there already."""
        require_claims(export)
        with self._erasing_around(export, actor, stop, before=True):
            execution = self._sending(export, actor, progress, stop)
            run = execution.resync(meant)
            if execution.rest_waits and run.status is RunStatus.SKIPPED:
                return self._sending(export, actor, progress, stop).wait(meant, resync=True)
            return run

    def findings(self, export: Export, run: Run, meant: Collection[Gate] = ()) -> tuple[Finding, ...]:
        """What the gates say of the run's plan."""
        return findings(self._services, export, run.plan_id, meant) if run.plan_id else ()

    def take_out(self, export: Export, actor: Actor, progress: Progress | None = None) -> Run:
        """Take the export's members out of its audience, but for those that another export claims. It sends
        digests that are there already, and only to have them gone: it needs nobody's consent."""
        self._may_send(export, takes_out=True)
        stop = threading.Event()
        with self._erasing_around(export, actor, stop, before=False):
            return self._execution(export, actor, progress, stop).take_out()

    def release(self, export: Export, actor: Actor) -> None:
        """Give up the export's claims and leave its members where they are; the run says how many."""
        claims = self._claims(export)
        self._execution(export, actor, None, threading.Event()).release()
        runs = self._services.state.runs
        run = next(run for run in runs.of_export(export.id) if run.only_released)
        kinds = {kind: KindCounts(released=number) for kind, number in claims.items()}
        runs.save(dataclasses.replace(run, kinds=kinds))

    def claims_of(self, export: Export) -> int:
        """How many digests the ledger holds for the export, over all kinds."""
        return 0 if export.connection_id is None else self._claims(export).total()

    def _claims(self, export: Export) -> Counter[str]:
        """The same by kind, for an export with a connection."""
        found: Counter[str] = Counter()
        for file in self._services.state.ledgers.current(self.audience_of(export)).files:
            if file.export_id == export.id:
                found[file.kind] += file.claims
        return found

    def rejected(self, run: Run, export: Export | None) -> tuple[Rejected, ...]:
        """What the service refused in a run; `export` is the run's, where it is there still."""
        return rejected(self._services, run, export)

    def erasing(self, actor: Actor) -> Erasing:
        return Erasing(self._services, actor, may_send=self._may_send)

    def erased(self) -> Places:
        """Looks where people are who are to be erased."""
        return Places(self._services)

    def whereabouts(self, erasures: Sequence[Erasure]) -> tuple[Whereabouts, ...]:
        """Where people are, for each in their order."""
        return whereabouts(self._services, erasures)

    def persons(self, given: Sequence[Identifier], progress: Callable[[int], None]) -> tuple[Person, ...]:
        """Whose rows carry what was given, and what else these yield."""
        return gathered(self._services, given, progress)

    def search(self, *, kind: str, digest: bytes, progress: Callable[[int], None]) -> Search:
        """Looks up what became of one digest."""
        return Search(self._services, kind=kind, digest=digest, progress=progress)

    def audience_of(self, export: Export) -> AudienceKey:
        return self._services.connector.audience_of(export)

    def mode_of(self, run: Run) -> Mode | None:
        """The mode that the run's plan was made in; None where it has none."""
        if run.plan_id is None:
            return None
        return Mode(self._services.state.plans.get(run.plan_id).summary.get("mode", Mode.MIRROR))

    def check_mode(self, export: Export, *, alone: bool) -> None:
        """Raise `InvalidFault` where the destination cannot do what the export's mode needs; with `alone`
        also `GateFault` where the audience is to be emptied and others have members there."""
        check_mode(export, self._services.catalog.destination(export.destination))
        if alone and export.policy.mode is Mode.REPLACE and export.connection_id is not None:
            files = self._services.state.ledgers.current(self.audience_of(export)).files
            require_alone(self._services, export, files)

    def member_consent(self, export: Export) -> MemberConsent | None:
        return self._services.member_consent(export)

    def plan_folder(self, plan_id: str) -> Path:
        return self._services.workspace.plans_folder / plan_id

    @contextmanager
    def _erasing_around(
        self, export: Export, actor: Actor, stop: threading.Event, *, before: bool
    ) -> Iterator[None]:
        """Erasures that wait for the export's audience are gone on with before a run and after it: one may
        have been asked for while the run held the audience."""
        try:
            audience = self.audience_of(export)
        except InvalidFault:
            yield
            return
        if before:
            self.erasing(actor).at(audience)
        try:
            yield
        finally:
            if not stop.is_set():
                self.erasing(actor).at(audience)

    def _sending(
        self, export: Export, actor: Actor, progress: Progress | None, stop: threading.Event
    ) -> Execution:
        """An execution that may send; that one may not is recorded as a run, too."""
        try:
            self._may_send(export)
        except CdpError as fault:
            self._record_refused(export, actor, fault)
            raise
        return self._execution(export, actor, progress, stop)

    def _execution(
        self, export: Export, actor: Actor, progress: Progress | None, stop: threading.Event
    ) -> Execution:
        return Execution(services=self._services, export=export, actor=actor, progress=progress, stop=stop)

    def _record_refused(self, export: Export, actor: Actor, fault: CdpError) -> None:
        """A run that may not begin stands in the history as failed; it leaves nothing to settle. One whose
        audience cannot be named, for want of a connection or a plugin, is in the audit log alone."""
        try:
            audience = self.audience_of(export)
        except InvalidFault:
            return
        state = self._services.state
        record = Record(services=self._services, export=export, actor=actor, progress=None)
        with state.transaction():
            state.runs.start(record.run, audience=audience)
            record.save(RunStatus.FAILED, fault=fault, ended=True)

    def _may_send(self, export: Export, *, takes_out: bool = False) -> None:
        """Everything that forbids sending and can be known before anything is read."""
        services = self._services
        for broken in services.catalog.manager.broken_guards:
            raise NotAllowedFault(
                Code.ACCESS_PLUGIN_BROKEN,
                f"plugin {broken.name!r} decides on access or consent and cannot be loaded: {broken.reason}",
                where=f"distribution {broken.distribution}",
                hint=f"mend it, or let an Administrator disable it: cdp plugins disable {broken.name}",
            )
        services.catalog.destination(export.destination)
        connection = services.connector.connection_of(export)
        if not takes_out:
            services.consents.require(connection)
        services.connector.require_signed_in(connection)
