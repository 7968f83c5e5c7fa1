"""Delivers a run's plan, commits what the journal knows of it, and reads the audience back.

Whatever ends the delivery, the ledger is brought up to the journal, here or by the next run.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import tenacity

from cdp_core.contract.faults import AGAIN, CredentialsRejected, DestinationFault
from cdp_core.errors import CdpError, Code, InternalFault
from cdp_core.model.accounting import DeliveryCounts
from cdp_core.model.configuration import Export
from cdp_core.model.delivery import AudienceKey
from cdp_core.model.names import as_typed
from cdp_core.model.run import RunStatus, Station
from cdp_core.model.sentence import Sentence
from cdp_core.pipeline import dead_letters, ledger
from cdp_core.pipeline.deliver import Delivery, DeliveryEnd
from cdp_core.pipeline.plan import Plan
from cdp_core.pipeline.ports import Screen
from cdp_core.rules.drift import Known, drift
from cdp_core.runner.approval import Approvals
from cdp_core.runner.history import known_of
from cdp_core.runner.latecomers import Latecomers
from cdp_core.runner.opening import Opened
from cdp_core.runner.outcome import delivery_counts
from cdp_core.runner.record import Record
from cdp_core.runner.rows import PlannedRows, WithRows
from cdp_core.runner.selecting import selection_of
from cdp_core.runner.services import Services
from cdp_core.runner.watch import LeaseWatch
from cdp_core.runner.withdrawals import record_withdrawals

# Clocks differ: the service's and ours.
NEWBORN = timedelta(hours=1)


class Sending:
    """`stop` ends the delivery after the batches in flight. A run that a gate has stopped, and that sends
    only what is owed, ends with the gate's `fault`."""

    def __init__(
        self,
        *,
        services: Services,
        export: Export,
        audience: AudienceKey,
        record: Record,
        watch: LeaseWatch,
        stop: threading.Event,
        fault: CdpError | None = None,
        withdrawn: Mapping[str, pa.Array] | None = None,
    ) -> None:
        self._withdrawn = withdrawn
        self._services = services
        self._state = services.state
        self._export = export
        self._audience = audience
        self._record = record
        self._watch = watch
        self._stop = stop
        self._fault = fault

    def send(self, plan: Plan, opened: Opened) -> None:
        late: Screen = Latecomers(self._state.suppressions, self._suppressions_known(), self._withdrawn)
        sends_rows = opened.to.spec.capabilities.payload == "records"
        if sends_rows:
            rows = self._rows(plan, late)
            late = rows.left_out
            with_rows = WithRows(opened.to.destination, rows)
            opened = replace(opened, to=replace(opened.to, destination=with_rows))
        to = opened.to
        known = known_of(self._state, self._audience)
        found = drift(opened.audience, known, now=datetime.now(UTC))
        self._record.note(audience=opened.audience, drift=tuple(each.message for each in found))
        with self._state.transaction():
            self._record.save(RunStatus.DELIVERING)
            Approvals(self._services).delivered(self._state.plans.get(str(self._record.run.plan_id)))
        planned = self._record.run.delivered.planned
        self._record.tell(Station.DELIVER, "started", 0, planned)
        end = Delivery(
            run_id=self._record.run.id,
            plan=plan,
            batch_size=to.batch_size,
            # One window of rows in memory, not several.
            concurrency=1 if sends_rows else to.concurrency,
            destination=to.destination,
            journal=self._state.journal,
            pace=self._services.connector.pace(to.connection, to.spec.capabilities),
            renew=to.http.renew,
            progress=self._record.counting(Station.DELIVER, planned),
            stop=self._stop,
            screen=late,
            patience=self._services.workspace.settings.patience,
            newborn_seconds=to.spec.capabilities.newborn_seconds if _is_newborn(opened, known) else 0.0,
        ).run()
        end = self._finished(plan, end, opened)
        self._record.tell(Station.DELIVER, "ended")
        self._record.tell(Station.COMMIT, "started")
        self._conclude(plan, end, opened)
        self._record.tell(Station.COMMIT, "ended")
        self._read_back(opened)

    def _rows(self, plan: Plan, late: Screen) -> PlannedRows:
        return PlannedRows(
            plan=plan,
            profiles=self._services.profiles,
            selection=selection_of(self._services, self._export, segments=()),
            late=late,
            scratch=self._services.workspace.scratch_folder / self._record.run.id,
        )

    def _suppressions_known(self) -> int:
        """The newest suppression that the plan was made with."""
        kept = self._state.plans.get(str(self._record.run.plan_id))
        known: int = kept.summary["suppressions"]
        return known

    def _finished(self, plan: Plan, end: DeliveryEnd, opened: Opened) -> DeliveryEnd:
        """The destination finishes what was delivered; where it cannot, the delivery has failed by that.
        Raises `InternalFault` where another run has taken over meanwhile: what is left is its to finish."""
        counts = delivery_counts(plan, self._state.journal.outcomes(self._record.run.id))
        whole = end.fault is None and counts.accepted + counts.left_out == counts.planned
        patience = self._services.workspace.settings.patience
        trying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(AGAIN),
            stop=tenacity.stop_after_attempt(patience.attempts),
            wait=tenacity.wait_exponential(multiplier=patience.first_wait, max=patience.longest_wait),
            reraise=True,
        )

        def finish() -> None:
            self._state.leases.check(self._watch.lease)
            opened.to.destination.finish(whole=whole)

        try:
            trying(lambda: opened.to.renewing(finish))
        except (DestinationFault, CdpError) as fault:
            if isinstance(fault, CdpError) and fault.code is Code.LEASE_LOST:
                raise
            return DeliveryEnd(fault=end.fault or fault, interrupted=end.interrupted)
        return end

    def _conclude(self, plan: Plan, end: DeliveryEnd, opened: Opened) -> None:
        """Bring the ledger up to what the journal knows, whatever ended the delivery."""
        run_id = self._record.run.id
        outcomes = self._state.journal.outcomes(run_id)
        files = ledger.apply(
            self._services.ledgers.folder,
            self._state.ledgers.current(self._audience).files,
            plan,
            outcomes,
            export_id=self._export.id,
        )
        counts = delivery_counts(plan, outcomes, self._state.journal.totals(run_id))
        self._record.note(delivered=counts)
        status, fault = RunStatus.COMMITTED, self._end_fault(end, opened) or self._forbidden(end, counts)
        fault = fault or self._fault
        if not counts.balances:
            fault = InternalFault(Code.UNBALANCED, "what was sent does not add up to what was planned")
        if fault is not None:
            status = RunStatus.FAILED
            self._record.note(error_code=str(fault.code), error=fault.message, error_hint=fault.hint)
        elif end.interrupted and (
            counts.not_sent + counts.unknown > counts.left_out
            # It may not have been emptied; and what is held back, or waits for a yes, is not gone on with.
            or plan.emptied is not None
            or self._record.run.skipped_because
        ):
            status = RunStatus.CANCELED
            who = self._watch.canceled_by
            told = f"canceled by {who}" if who else "interrupted"
            self._record.note(
                error_code=str(Code.CANCELED if who else Code.INTERRUPTED),
                error=f"{told} before {counts.not_sent + counts.unknown:,} digests had their answer",
                error_hint=f"what is left is planned anew by: cdp export run {as_typed(self._export.name)}",
            )
        record_withdrawals(self._services, self._record.run, plan)
        letters = dead_letters.change(plan, self._state.journal.batches(run_id))
        self._record.commit(self._watch.lease, self._audience, files, status, letters)

    def _forbidden(self, end: DeliveryEnd, counts: DeliveryCounts) -> CdpError | None:
        """What has been brought up against the run, where that ended it."""
        fault = self._watch.forbidden
        if fault is None or not end.interrupted:
            return None
        left = f"stopped before {counts.not_sent + counts.unknown:,} digests had their answer"
        return type(fault)(fault.code, f"{fault.message}; {left}", where=fault.where, hint=fault.hint)

    def _end_fault(self, end: DeliveryEnd, opened: Opened) -> CdpError | None:
        if isinstance(end.fault, CredentialsRejected):
            try:
                opened.to.http.give_up(end.fault.message)
            except CdpError as reconnect:
                return reconnect
        if isinstance(end.fault, DestinationFault):
            return self._services.connector.as_error(end.fault, opened.to.connection, export=self._export)
        return end.fault

    def _read_back(self, opened: Opened) -> None:
        """What the service says of the audience now; that it does not say it is no failure of the run."""
        self._record.tell(Station.READ_BACK, "started")
        try:
            audience = opened.to.renewing(opened.to.destination.audience_status)
        except (DestinationFault, CdpError) as fault:
            self._record.tell(
                Station.READ_BACK,
                "ended",
                note=Sentence("the audience could not be read back: {fault}", fault=str(fault)),
            )
            return
        self._record.note(audience=audience)
        self._state.runs.save(self._record.run)
        self._record.tell(Station.READ_BACK, "ended")


def _is_newborn(opened: Opened, known: Known) -> bool:
    """An audience that nothing was ever put into, and that the service made within the last hour."""
    created = opened.audience.created_at
    return known.first_commit is None and (created is None or datetime.now(UTC) - created < NEWBORN)
