"""One execution of an export: lease, settle, prepare, compare, gates, deliver, commit, read back.

The rules are in `docs/explanation/delivery-promise.md`. Whatever happens after the first batch is
journaled, what the journal knows is committed to the ledger, by this execution or by the next one.
"""

from __future__ import annotations

import dataclasses
import shutil
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from cdp_core.contract.faults import CredentialsRejected, DestinationFault
from cdp_core.contract.source import Selection
from cdp_core.errors import CdpError, Code, GateFault, InternalFault, InvalidFault
from cdp_core.model.access import Actor
from cdp_core.model.accounting import KindCounts
from cdp_core.model.configuration import Export
from cdp_core.model.journal import PlanRecord
from cdp_core.model.ledger import LedgerFile
from cdp_core.model.run import Run, RunEvent, RunStatus, Station
from cdp_core.oauth.session import with_renewal
from cdp_core.pipeline import ledger
from cdp_core.pipeline.compare import compare
from cdp_core.pipeline.deliver import Delivery, DeliveryEnd
from cdp_core.pipeline.plan import Plan
from cdp_core.pipeline.prepare import Prepared, PreparedKind, prepare
from cdp_core.runner import basis
from cdp_core.runner.connect import OpenDestination
from cdp_core.runner.outcome import delivery_counts
from cdp_core.runner.pace import ConnectionPace
from cdp_core.runner.services import Services
from cdp_core.runner.settle import settle
from cdp_core.runner.watch import LeaseWatch
from cdp_core.store.processes import this_process

Planning = Callable[[], tuple[Plan, PlanRecord]]


class Execution:
    """Everything that belongs to one run. Each public method is one kind of run, used once."""

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
        self._progress = progress
        self._stop = stop
        self._audience = services.connector.audience_of(export)
        self._began = time.monotonic()
        self._run = Run(
            id=_run_id(),
            export_id=export.id,
            export_name=export.name,
            status=RunStatus.PLANNING,
            actor=actor.name,
            started_at=datetime.now(UTC),
        )

    def plan(self) -> Run:
        """A dry run: it ends when the plan is on disk."""
        self._run = dataclasses.replace(self._run, dry_run=True)
        with self._under_way():
            self._make_plan(self._prepared_from_profiles)
            return self._save(status=RunStatus.PLANNED, ended=True)

    def run(self) -> Run:
        with self._under_way() as watch:
            plan, _ = self._make_plan(self._prepared_from_profiles)
            return self._deliver(plan, watch)

    def run_planned(self, plan_id: str) -> Run:
        """Deliver a plan that was looked at, exactly as it is; raises `GateFault` if what it stands on
        has changed since. The profiles may have: they do every day."""
        with self._under_way() as watch:
            record = self._state.plans.get(plan_id)
            if record.export_id != self._export.id:
                raise InvalidFault(
                    Code.PLAN_UNKNOWN,
                    f"plan {record.id} belongs to another export",
                    hint=f'cdp export plan "{self._export.name}"',
                )
            changed = basis.changes(dict(record.basis), self._basis())
            if changed:
                raise GateFault(
                    Code.PLAN_STALE,
                    f"since plan {record.id} was made, this has changed: {'; '.join(changed)}",
                    hint=f'make and look at a new one: cdp export plan "{self._export.name}"',
                )
            plan = Plan.open(self._plan_folder(record.folder), record.sha256)
            self._adopt(plan, record)
            return self._deliver(plan, watch)

    def take_out(self) -> Run:
        """Nothing is wanted any more: what no other export claims is removed."""
        with self._under_way() as watch:
            plan, _ = self._make_plan(self._prepared_as_nothing)
            run = self._deliver(plan, watch)
        if run.error_code is not None or run.delivered.accepted < run.delivered.planned:
            raise GateFault(
                Code.MEMBERS_REMAIN,
                f"{run.delivered.planned - run.delivered.accepted:,} members could not be taken out",
                where=f"run {run.id}",
                hint="run it again; nothing else was changed",
            )
        return run

    def release(self) -> None:
        with self._under_way() as watch:
            files = self._ledger_files()
            kept = tuple(claims for claims in files if claims.export_id != self._export.id)
            self._commit(kept, watch, RunStatus.COMMITTED)

    @contextmanager
    def _under_way(self) -> Iterator[LeaseWatch]:
        """Hold the lease, settle what was left, and record this run, also when it fails before delivery."""
        holder = this_process(person=self._actor.real, run_id=self._run.id)
        with LeaseWatch(self._state, self._audience, holder, self._stop) as watch:
            settled = settle(self._services, self._audience, watch, settler=self._run.id, emit=self._emit)
            self._run = dataclasses.replace(self._run, resumed_from=settled)
            # A dry run promises nothing, so that there will be nothing to settle.
            fence = None if self._run.dry_run else watch.lease.fence
            self._state.runs.start(self._run, audience=self._audience, fence=fence)
            try:
                yield watch
            except CdpError as fault:
                if self._run.status is not RunStatus.DELIVERING:
                    self._save(status=RunStatus.FAILED, fault=fault, ended=True)
                raise
            except KeyboardInterrupt:
                if self._run.status is not RunStatus.DELIVERING:
                    self._save(status=RunStatus.CANCELED, ended=True)
                raise
            finally:
                shutil.rmtree(self._scratch, ignore_errors=True)

    # The plan

    def _make_plan(self, prepare: Callable[[], Prepared]) -> tuple[Plan, PlanRecord]:
        files = self._ledger_files()
        prepared = prepare()
        self._emit(Station.COMPARE, "started")
        plan_id = self._run.id
        plan = compare(
            prepared,
            ledger_folder=self._services.workspace.ledger_folder,
            files=files,
            export_id=self._export.id,
            folder=self._plan_folder(plan_id),
        )
        shutil.rmtree(self._scratch, ignore_errors=True)
        record = PlanRecord(
            id=plan_id,
            export_id=self._export.id,
            run_id=self._run.id,
            folder=plan_id,
            sha256=plan.sha256,
            basis=self._basis(),
            summary={
                "profiles": prepared.profiles,
                "members": prepared.members,
                "kinds": {kind: counts.as_dict() for kind, counts in plan.counts.items()},
            },
            created_at=datetime.now(UTC),
        )
        self._state.plans.record(record)
        self._adopt(plan, record)
        self._emit(Station.COMPARE, "ended")
        return plan, record

    def _adopt(self, plan: Plan, record: PlanRecord) -> None:
        """The run takes over the plan's sums, which must balance before anything is sent."""
        kinds = {kind: KindCounts(**counts) for kind, counts in record.summary["kinds"].items()}
        unbalanced = [kind for kind, counts in kinds.items() if not counts.balances]
        if unbalanced:
            raise InternalFault(
                Code.UNBALANCED,
                f"the sums of {', '.join(unbalanced)} do not balance",
                where=f"plan {record.id}",
                hint="nothing was sent; please report this with the plan's summary",
            )
        self._run = dataclasses.replace(
            self._run,
            plan_id=record.id,
            kinds=kinds,
            members=record.summary["members"],
            profiles=record.summary["profiles"],
            delivered=delivery_counts(plan, (), requests=0, retries=0),
        )
        self._save(status=RunStatus.PLANNED)

    def _prepared_from_profiles(self) -> Prepared:
        self._emit(Station.PREPARE, "started")
        self._scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
        kinds = {match.kind: self._services.catalog.kinds[match.kind] for match in self._export.matching}
        selection = Selection(
            segments=tuple(self._state.segments.by_id(each) for each in self._export.segment_ids),
            matching=self._export.matching,
            kinds=kinds,
        )
        with self._services.profiles.open() as engine:
            prepared = prepare(
                engine, selection, self._scratch, lambda done: self._told(Station.PREPARE, done)
            )
        if prepared.profiles == 0:
            raise GateFault(
                Code.PROFILES_EMPTY,
                "the profile source has no rows: everybody would be taken out of the audience",
                where=self._services.workspace.settings.profiles.url,
                hint="look at the source; to empty an audience, remove the export and take its members out",
            )
        self._emit(Station.PREPARE, "ended", prepared.members)
        return prepared

    def _prepared_as_nothing(self) -> Prepared:
        nothing = PreparedKind(read=0, reasons={}, distinct=0, wanted=())
        held = {claims.kind for claims in self._ledger_files() if claims.export_id == self._export.id}
        return Prepared(profiles=0, members=0, kinds=dict.fromkeys(sorted(held), nothing))

    def _ledger_files(self) -> tuple[LedgerFile, ...]:
        """The audience's claims, all exports', after looking that the files are what was committed."""
        files = self._state.ledgers.current(self._audience).files
        ledger.verify(self._services.workspace.ledger_folder, files)
        return files

    def _basis(self) -> dict[str, str]:
        connection = self._services.connector.connection_of(self._export)
        return basis.basis(
            export=self._export,
            connection=connection,
            segments=tuple(self._state.segments.by_id(each) for each in self._export.segment_ids),
            audience=self._audience,
            ledger_version=self._state.ledgers.current(self._audience).version,
            consent=self._services.consents.digest(connection),
        )

    # The delivery

    def _deliver(self, plan: Plan, watch: LeaseWatch) -> Run:
        with self._services.connector.destination(self._export) as to:
            self._verify(to)
            self._save(status=RunStatus.DELIVERING)
            planned = self._run.delivered.planned
            self._emit(Station.DELIVER, "started", 0, planned)
            end = Delivery(
                run_id=self._run.id,
                plan=plan,
                batch_size=to.batch_size,
                concurrency=to.spec.capabilities.concurrency,
                destination=to.destination,
                journal=self._state.journal,
                pace=ConnectionPace(
                    state=self._state, connection_id=to.connection.id, rate=to.spec.capabilities.rate
                ),
                renew=to.http.renew,
                progress=self._counting(planned),
                stop=self._stop,
                patience=self._services.workspace.settings.patience,
            ).run()
            self._emit(Station.DELIVER, "ended")
            self._emit(Station.COMMIT, "started")
            self._conclude(plan, end, to, watch)
            self._emit(Station.COMMIT, "ended")
            self._read_back(to)
        return self._run

    def _verify(self, to: OpenDestination) -> None:
        """Ask the service for the audience before anything is promised to it."""
        where = f"export {self._export.name!r}"
        try:
            audience = with_renewal(to.http, to.destination.verify)
        except ValueError as unfit:
            raise InvalidFault(
                Code.AUDIENCE_UNFIT,
                str(unfit),
                where=where,
                hint=f'cdp export edit "{self._export.name}" --set {to.spec.audience_setting}=…',
            ) from unfit
        except DestinationFault as fault:
            raise self._error(fault, to) from fault
        self._run = dataclasses.replace(self._run, audience=audience)

    def _conclude(self, plan: Plan, end: DeliveryEnd, to: OpenDestination, watch: LeaseWatch) -> None:
        """Bring the ledger up to what the journal knows, whatever ended the delivery."""
        outcomes = self._state.journal.outcomes(self._run.id)
        files = ledger.apply(
            self._services.workspace.ledger_folder,
            self._state.ledgers.current(self._audience).files,
            plan,
            outcomes,
            export_id=self._export.id,
        )
        totals = self._state.journal.totals(self._run.id)
        counts = delivery_counts(plan, outcomes, requests=totals.requests, retries=totals.retries)
        self._run = dataclasses.replace(self._run, delivered=counts)
        fault = self._end_fault(end, to)
        if not counts.balances:
            fault = InternalFault(Code.UNBALANCED, "what was sent does not add up to what was planned")
        if fault is None and end.interrupted:
            self._run = dataclasses.replace(self._run, error_code=str(Code.INTERRUPTED), error="interrupted")
            self._commit(files, watch, RunStatus.CANCELED)
            return
        if fault is not None:
            self._run = dataclasses.replace(self._run, error_code=str(fault.code), error=fault.message)
        self._commit(files, watch, RunStatus.FAILED if fault else RunStatus.COMMITTED)

    def _commit(self, files: tuple[LedgerFile, ...], watch: LeaseWatch, status: RunStatus) -> None:
        ended = dataclasses.replace(
            self._run,
            status=status,
            ended_at=datetime.now(UTC),
            seconds=round(time.monotonic() - self._began, 3),
        )
        self._state.ledgers.commit(watch.lease, self._audience, files, ended)
        # Only now: a run whose commit failed is still one that has to be settled.
        self._run = ended
        ledger.sweep(self._services.workspace.ledger_folder, self._state.ledgers.referenced())

    def _end_fault(self, end: DeliveryEnd, to: OpenDestination) -> CdpError | None:
        if isinstance(end.fault, CredentialsRejected):
            try:
                to.http.give_up(end.fault.message)
            except CdpError as reconnect:
                return reconnect
        if isinstance(end.fault, DestinationFault):
            return self._error(end.fault, to)
        return end.fault

    def _read_back(self, to: OpenDestination) -> None:
        """What the service says of the audience now; that it does not say it is no failure of the run."""
        self._emit(Station.READ_BACK, "started")
        try:
            audience = with_renewal(to.http, to.destination.audience_status)
        except (DestinationFault, CdpError) as fault:
            self._emit(Station.READ_BACK, "ended", note=f"the audience could not be read back: {fault}")
            return
        self._run = dataclasses.replace(self._run, audience=audience)
        self._state.runs.save(self._run)
        self._emit(Station.READ_BACK, "ended")

    # The record

    def _save(self, *, status: RunStatus, fault: CdpError | None = None, ended: bool = False) -> Run:
        self._run = dataclasses.replace(
            self._run,
            status=status,
            ended_at=datetime.now(UTC) if ended else None,
            seconds=round(time.monotonic() - self._began, 3),
            error_code=str(fault.code) if fault else None,
            error=fault.message if fault else None,
        )
        self._state.runs.save(self._run)
        return self._run

    def _error(self, fault: DestinationFault, to: OpenDestination) -> CdpError:
        return self._services.connector.as_error(fault, to.connection)

    def _counting(self, planned: int) -> Callable[[int], None]:
        """Adds up answered digests from several threads."""
        guard = threading.Lock()
        answered = 0

        def count(more: int) -> None:
            nonlocal answered
            with guard:
                answered += more
                self._emit(Station.DELIVER, "progress", answered, planned)

        return count

    def _told(self, station: Station, done: int) -> None:
        self._emit(station, "progress", done)

    def _emit(self, station: Station, state: str, done: int = 0, total: int = 0, *, note: str = "") -> None:
        event = RunEvent(
            run_id=self._run.id,
            export=self._export.name,
            station=station,
            state=state,
            done=done,
            total=total,
            note=note,
        )
        if self._progress is not None:
            self._progress(event)
        self._services.catalog.tell(event)

    def _plan_folder(self, plan_id: str) -> Path:
        return self._services.workspace.plans_folder / plan_id

    @property
    def _scratch(self) -> Path:
        return self._services.workspace.scratch_folder / self._run.id


def _run_id() -> str:
    """Sorts by time, and is short enough to type: 20261123-0259-7d1fce."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:6]}"
