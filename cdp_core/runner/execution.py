"""One execution of an export: lease, settle, plan, deliver, commit, read back.

The rules are in `docs/explanation/delivery-promise.md`. Whatever happens after the first batch is
journaled, what the journal knows is committed to the ledger, by this execution or by the next one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress

from cdp_core.errors import CdpError, Code, GateFault, TemporaryFault
from cdp_core.model.access import Action, Actor
from cdp_core.model.approval import Asked
from cdp_core.model.configuration import Export
from cdp_core.model.gates import Gate
from cdp_core.model.names import as_typed
from cdp_core.model.run import Run, RunEvent, RunStatus
from cdp_core.model.sentence import Sentence
from cdp_core.pipeline.plan import Plan
from cdp_core.runner.approval import Approvals, awaited
from cdp_core.runner.gates import and_yet, fault_of, findings, skips
from cdp_core.runner.opening import Opening, opening
from cdp_core.runner.planning import Planning
from cdp_core.runner.record import Record
from cdp_core.runner.rights import objection
from cdp_core.runner.services import Services
from cdp_core.runner.settle import settle
from cdp_core.runner.watch import LeaseWatch
from cdp_core.store.processes import this_process

_ASKED_TO_END = frozenset({Code.CANCELED, Code.INTERRUPTED})


class Execution:
    """Everything that belongs to one run. Each public method is one kind of run, used once. `rest_waits`: it
    sent what is owed alone, since the rest needs approval."""

    def __init__(
        self,
        *,
        services: Services,
        export: Export,
        actor: Actor,
        progress: Callable[[RunEvent], None] | None,
        stop: threading.Event,
    ) -> None:
        self._services = services
        self._state = services.state
        self._export = export
        self._actor = actor
        self._stop = stop
        self._command = "run"
        # What the person does has to stay allowed while it goes on; taking out and giving up are not stopped.
        self._action: Action | None = None
        self.rest_waits = False
        self._audience = services.connector.audience_of(export)
        self._record = Record(services=services, export=export, actor=actor, progress=progress)

    def plan(self) -> Run:
        """A dry run: it ends when the plan is on disk."""
        self._record.note(dry_run=True)
        self._action = Action.EXPORT_PLAN
        with self._under_way() as watch:
            planning = self._planning(watch)
            planning.from_profiles()
            return self._record.save(RunStatus.PLANNED, fault=planning.failing, ended=True)

    def run(self, meant: Collection[Gate]) -> Run:
        """`meant` are the gates that do not stop it."""
        self._action = Action.EXPORT_RUN
        return self._deliver(Planning.from_profiles, meant)

    def wait(self, meant: Collection[Gate], *, resync: bool = False) -> Run:
        """Plan anew what is left after a run that sent what is owed and nothing else, and wait with it."""
        self._action = Action.EXPORT_RESYNC if resync else Action.EXPORT_RUN
        make_plan = Planning.sent_again if resync else Planning.from_profiles
        return self._deliver(make_plan, meant, owed_is_sent=True)

    def run_planned(self, plan_id: str, meant: Collection[Gate]) -> Run:
        """Deliver a plan that was looked at, or nothing."""
        self._action = Action.EXPORT_RUN
        return self._deliver(lambda planning: planning.reopened(plan_id), meant, approved=True)

    def resync(self, meant: Collection[Gate]) -> Run:
        """A run that sends again what is there already."""
        self._command, self._action = "resync", Action.EXPORT_RESYNC
        return self._deliver(Planning.sent_again, meant)

    def take_out(self) -> Run:
        """Nothing is wanted any more: what no other export claims is removed, and no gate is asked."""
        run = self._deliver(Planning.as_nothing, None)
        if run.error_code is not None or run.delivered.accepted < run.delivered.planned:
            raise GateFault(
                Code.MEMBERS_REMAIN,
                f"{run.delivered.planned - run.delivered.accepted:,} members could not be taken out",
                where=f"run {run.id}",
                hint="run it again; nothing else was changed",
            )
        return run

    def erase(self, erased: Mapping[str, bytes]) -> Run:
        """Some digests alone are taken out (see `Planning.without`); no gate is asked, nor anybody."""
        return self._deliver(lambda planning: planning.without(erased), None)

    def release(self) -> None:
        """Give up the export's claims, and send nothing."""
        with self._under_way() as watch:
            files = self._planning(watch).ledger_files()
            kept = tuple(claims for claims in files if claims.export_id != self._export.id)
            self._record.commit(watch.lease, self._audience, kept, RunStatus.COMMITTED)

    def _deliver(
        self,
        make_plan: Callable[[Planning], Plan],
        meant: Collection[Gate] | None,
        *,
        owed_is_sent: bool = False,
        approved: bool = False,
    ) -> Run:
        """`meant` None: no gate is asked, nor anybody's approval."""
        opened_for = (self._services.connector, self._export, self._record.run)
        with self._under_way() as watch, opening(*opened_for) as destination:
            planning = self._planning(watch, destination)
            plan = make_plan(planning)
            fault, skipped = self._stopped(meant) if meant is not None else (None, False)
            if fault is not None or skipped:
                owed = planning.only_owed(plan)
                if owed is None:
                    if fault is not None:
                        raise fault
                    return self._skipped(planning.failing)
                plan = owed
            elif meant is not None and not approved and (asked := planning.asked):
                owed = None if owed_is_sent else planning.only_owed(plan)
                if owed is None:
                    return self._wait(asked)
                self._record.note(skipped_because=Sentence("the rest waits for approval"))
                self.rest_waits = skipped = True
                plan = owed
            held_back = bool(self._record.run.skipped_because)
            if held_back and not plan.changes_something:
                return self._skipped(planning.failing)
            opened = destination.result()
            watch.look_for_objections()
            self._look(watch, destination)
            # The libraries of delivery are imported by now, by who opened the destination.
            from cdp_core.runner.sending import Sending

            Sending(
                services=self._services,
                export=self._export,
                audience=self._audience,
                record=self._record,
                watch=watch,
                stop=self._stop,
                fault=fault,
                withdrawn=planning.withdrawn,
            ).send(plan, opened)
            run = self._record.run
            if fault is not None and run.error_code == str(fault.code):
                raise and_yet(fault, run.delivered)
            if (skipped or held_back) and run.status is RunStatus.COMMITTED:
                return self._skipped(planning.failing)
            return run

    def _wait(self, asked: Asked) -> Run:
        """The run ends with its plan, which another delivers once it is approved of."""
        approvals = Approvals(self._services)
        with self._state.transaction():
            approvals.supersede(self._export, self._record.run)
            fault = awaited(self._record.run.id, asked, as_typed(self._export.name))
            return self._record.save(RunStatus.WAITING, fault=fault, ended=True)

    def _skipped(self, fault: CdpError | None) -> Run:
        """`fault` is that of a segment that fails: the run has its exit status."""
        if not self._record.run.skipped_because:
            self._record.note(skipped_because=Sentence("the audience's size"))
        return self._record.save(RunStatus.SKIPPED, fault=fault, ended=True)

    def _stopped(self, meant: Collection[Gate]) -> tuple[GateFault | None, bool]:
        """Ask the gates: the fault that stops the run, and whether it is skipped."""
        plan_id = str(self._record.run.plan_id)
        found = findings(self._services, self._export, plan_id, meant)
        fault = fault_of(found, export=self._export.name, plan=plan_id, command=self._command)
        return fault, skips(found)

    def _planning(self, watch: LeaseWatch, destination: Opening | None = None) -> Planning:
        return Planning(
            services=self._services,
            export=self._export,
            audience=self._audience,
            record=self._record,
            meanwhile=lambda: self._look(watch, destination),
        )

    def _look(self, watch: LeaseWatch, destination: Opening | None) -> None:
        """Raise what ends the run before anything is sent: that somebody wants it to end, or what the
        service has refused already."""
        if self._stop.is_set() and not watch.lost.is_set():
            if watch.forbidden is not None:
                raise watch.forbidden
            who = watch.canceled_by
            raise TemporaryFault(
                Code.CANCELED if who else Code.INTERRUPTED,
                f"{f'canceled by {who}' if who else 'interrupted'} before anything was sent",
                where=f"run {self._record.run.id}",
                hint=f"nothing has changed; to begin anew: cdp export run {as_typed(self._export.name)}",
            )
        if destination is not None:
            destination.look()

    def _objection(self, action: Action) -> Callable[[], CdpError | None]:
        return objection(self._services, self._export, self._actor, action)

    @contextmanager
    def _under_way(self) -> Iterator[LeaseWatch]:
        """Hold the lease, settle what was left, and record this run, also when it fails before delivery."""
        record = self._record
        holder = this_process(person=self._actor.real, run_id=record.run.id)
        forbids = (lambda: None) if self._action is None else self._objection(self._action)
        with LeaseWatch(self._state, self._audience, holder, self._stop, objection=forbids) as watch:
            self._services.ledgers.require_current()
            settled = settle(self._services, self._audience, watch, settler=record.run.id, emit=record.tell)
            record.note(resumed_from=settled)
            # A dry run promises nothing, so that there will be nothing to settle.
            fence = None if record.run.dry_run else watch.lease.fence
            self._state.runs.start(record.run, audience=self._audience, fence=fence)
            record.announce("started")
            try:
                yield watch
            except CdpError as fault:
                if record.run.status is not RunStatus.DELIVERING:
                    ended = RunStatus.CANCELED if fault.code in _ASKED_TO_END else RunStatus.FAILED
                    record.save(ended, fault=fault, ended=True)
                else:
                    # It may be the state itself that cannot be written.
                    with suppress(CdpError):
                        self._state.runs.note_fault(record.run.id, fault)
                raise
            except KeyboardInterrupt:
                if record.run.status is not RunStatus.DELIVERING:
                    record.save(RunStatus.CANCELED, ended=True)
                raise
            finally:
                record.announce("ended")
