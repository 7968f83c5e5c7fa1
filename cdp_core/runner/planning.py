"""Makes a run's plan: from today's profiles, as nothing wanted, or again from one that was looked at."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial

import pyarrow as pa

from cdp_core.contract.schemas import load_settings
from cdp_core.contract.source import Engine
from cdp_core.errors import Code, GateFault, InternalFault, InvalidFault
from cdp_core.model.accounting import KindCounts
from cdp_core.model.approval import Asked, asked_of
from cdp_core.model.configuration import Export, Segment
from cdp_core.model.delivery import AudienceKey
from cdp_core.model.gates import FieldChange, GateNumbers
from cdp_core.model.journal import PlanRecord
from cdp_core.model.ledger import LedgerFile
from cdp_core.model.names import as_typed
from cdp_core.model.policy import MemberConsent, Mode
from cdp_core.model.run import RunStatus, Station
from cdp_core.model.sentence import Sentence, from_kept
from cdp_core.model.sentence import kept as kept_sentence
from cdp_core.pipeline import ledger
from cdp_core.pipeline.compare import compare
from cdp_core.pipeline.plan import Plan
from cdp_core.pipeline.prepare import Prepared, PreparedKind, prepare
from cdp_core.pipeline.rows import prepare_rows
from cdp_core.pipeline.suppressed import Suppressed
from cdp_core.runner import basis
from cdp_core.runner.approval import Approvals, asked_for, basis_of
from cdp_core.runner.gates import changed_fields
from cdp_core.runner.modes import require_alone
from cdp_core.runner.open_destination import batch_size
from cdp_core.runner.outcome import delivery_counts
from cdp_core.runner.record import Record
from cdp_core.runner.selecting import selection_of, with_its_segment
from cdp_core.runner.services import Services
from cdp_core.runner.withdrawn import withdrawn_since
from cdp_core.store.suppressions import SuppressedDigests
from cdp_core.workspace.files import make_private_folder

# What makes a segment one that fails: its query, or the result that it keeps.
FAILING = frozenset({Code.SEGMENT_INVALID, Code.SEGMENT_RESULT_LOST})
# Segments that every profile is in, and none.
EVERYBODY = Segment(id="", name="everybody", where="true")
NOBODY = Segment(id="", name="nobody", where="false")


class Planning:
    """Under the audience's lease. `meanwhile` is called while profiles are read; raising ends that."""

    def __init__(
        self,
        *,
        services: Services,
        export: Export,
        audience: AudienceKey,
        record: Record,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> None:
        self._services = services
        self._state = services.state
        self._export = export
        self._audience = audience
        self._record = record
        self._meanwhile = meanwhile
        self._scratch = services.workspace.scratch_folder / record.run.id
        self._fields: dict[str, str] = {}
        self._changes: tuple[FieldChange, ...] = ()
        self.failing: InvalidFault | None = None
        self.withdrawn: Mapping[str, pa.Array] = {}
        self.asked: Asked | None = None

    def from_profiles(self) -> Plan:
        """Where a segment of the export is inactive, or fails, nobody is added, and only who is no profile
        any more, has withdrawn or is suppressed is taken out: `held_back` says so then, and `failing` has the
        fault of one that fails."""
        return self._unless_held_back(self._export.policy.mode, resend=0)

    @property
    def held_back(self) -> str:
        """Why nobody is added; empty where that is not so."""
        inactive = tuple(segment.name for segment in self._segments() if not segment.active)
        if inactive:
            return Sentence("a segment is inactive: {segments}", segments=inactive)
        if self.failing is not None:
            return Sentence(
                "{segment} fails: {fault}", segment=self.failing.where, fault=self.failing.message
            )
        return ""

    def _unless_held_back(self, mode: Mode, *, resend: int | None) -> Plan:
        if not self.held_back:
            try:
                return self._from_profiles(mode, resend=resend)
            except InvalidFault as fault:
                if fault.code not in FAILING:
                    raise
                self.failing = with_its_segment(fault, self._segments())
        return self._from_profiles(self._without_additions(), resend=0)

    def _without_additions(self) -> Mode:
        return Mode.ADD_ONLY if self._export.policy.mode is Mode.ADD_ONLY else Mode.MIRROR

    def sent_again(self) -> Plan:
        """The same, but what is there already is sent once more; the audience is not emptied for that."""
        mode = self._export.policy.mode
        return self._unless_held_back(Mode.MIRROR if mode is Mode.REPLACE else mode, resend=None)

    def as_nothing(self) -> Plan:
        """Nothing is wanted any more, of any kind that the export claims."""
        files = self.ledger_files()
        return self._compared(files, self._nothing_of(files), mode=Mode.MIRROR, resend=0, gates=False)

    def without(self, erased: Mapping[str, bytes]) -> Plan:
        """Some digests alone are removed, past every gate, whatever another export claims of them; no profile
        is read. By kind, one after another; of records only the first half counts."""
        files = self.ledger_files()
        last = self._state.plans.last_committed(self._export.id)
        self._fields = dict(last.summary.get("fields", {})) if last else {}
        # Where it dies here, what it has written is swept with this folder.
        make_private_folder(self._scratch)
        try:
            return self._compared(
                files,
                self._nothing_of(files),
                mode=Mode.ADD_ONLY,
                resend=0,
                gates=False,
                suppressed=Suppressed(erased),
            )
        finally:
            shutil.rmtree(self._scratch, ignore_errors=True)

    def _nothing_of(self, files: tuple[LedgerFile, ...]) -> Prepared:
        nothing = PreparedKind(read=0, reasons={}, distinct=0, wanted=())
        held = {claims.kind for claims in files if claims.export_id == self._export.id}
        return Prepared(profiles=0, members=0, kinds=dict.fromkeys(sorted(held), nothing))

    def reopened(self, plan_id: str) -> Plan:
        """A plan that was looked at, exactly as it is; raises `GateFault` if what it stands on has changed
        since, or if it lacks approval. The profiles may have changed: they do every day. Who is to be added
        and has withdrawn since is in `withdrawn`."""
        kept = self._state.plans.get(plan_id)
        again = f"cdp export plan {as_typed(self._export.name)}"
        basis.require_own(kept, self._export)
        changed = basis.changes(dict(kept.basis), basis_of(self._services, self._export))
        if changed:
            raise GateFault(
                Code.PLAN_STALE,
                f"since plan {kept.id} was made, this has changed: {'; '.join(changed)}",
                hint=f"make and look at a new one: {again}",
            )
        Approvals(self._services).require(kept)
        self.ledger_files()
        plan = self._services.ledgers.open_plan(kept)
        self._services.ledgers.keep_plan(plan.folder)
        if self._consent is not None:
            self.withdrawn = self._withdrawn_since(plan)
        self._adopt(plan, kept)
        return plan

    def _withdrawn_since(self, plan: Plan) -> Mapping[str, pa.Array]:
        try:
            prepared = self._prepared(Mode.MIRROR, (NOBODY,))
            return withdrawn_since(plan, prepared, self._services.seal)
        finally:
            shutil.rmtree(self._scratch, ignore_errors=True)

    def only_owed(self, plan: Plan) -> Plan | None:
        """Of the run's plan, the removals that no gate may hold back; None where there are none."""
        kept = self._state.plans.get(str(self._record.run.plan_id))
        plan_id = f"{self._record.run.id}-owed"
        narrowed = plan.only_owed(self._services.workspace.plans_folder / plan_id)
        if narrowed is None:
            return None
        kinds = {kind: counts.as_dict() for kind, counts in narrowed.counts.items()}
        kept = replace(
            kept,
            id=plan_id,
            run_id=self._record.run.id,
            folder=plan_id,
            sha256=narrowed.sha256,
            summary={**kept.summary, "kinds": kinds},
            created_at=datetime.now(UTC),
        )
        self._services.ledgers.keep_plan(narrowed.folder)
        self._state.plans.record(kept)
        self._adopt(narrowed, kept)
        return narrowed

    def _from_profiles(self, mode: Mode, *, resend: int | None) -> Plan:
        try:
            files = self.ledger_files()
            if mode is Mode.REPLACE:
                require_alone(self._services, self._export, files)
            segments = (EVERYBODY,) if self.held_back else self._segments()
            return self._compared(files, self._prepared(mode, segments), mode=mode, resend=resend)
        finally:
            shutil.rmtree(self._scratch, ignore_errors=True)

    def _prepared(self, mode: Mode, segments: tuple[Segment, ...]) -> Prepared:
        self._record.tell(Station.PREPARE, "started")
        make_private_folder(self._scratch)
        selection = selection_of(self._services, self._export, segments=segments)
        spec = self._services.catalog.destination(self._export.destination)
        preparing: Callable[..., Prepared] = partial(prepare, validity_alone=mode is Mode.REMOVE)
        if spec.capabilities.payload == "records":
            preparing = prepare_rows
        with self._services.profiles.open(self._scratch, segments=segments) as engine:
            prepared = preparing(
                engine,
                selection,
                self._scratch,
                self._read,
                self._suppressed,
                seal=self._services.seal,
            )
            self._look_at_fields(engine)
        self._record.tell(Station.PREPARE, "ended", prepared.members)
        return prepared

    def _look_at_fields(self, engine: Engine) -> None:
        """The types of the fields that the export uses, and what differs from the last committed run."""
        columns = engine.columns()
        mentioned = {match.field.lower() for match in self._export.matching}
        policy = self._export.policy
        mentioned |= {chosen.field.lower() for chosen in policy.fields}
        mentioned |= {
            field.lower() for field in (policy.region.field, self._consent and self._consent.field) if field
        }
        for segment in () if self.failing else self._segments():
            # What a static one's query asked for has been answered.
            mentioned |= engine.names_in(segment) if segment.kept is None else frozenset()
        self._fields = {column.name: column.type for column in columns if column.name.lower() in mentioned}
        last = self._state.plans.last_committed(self._export.id)
        then = last.summary.get("fields", {}) if last else {}
        self._changes = tuple(changed_fields(then, columns, mentioned))

    def _read(self, members: int) -> None:
        self._record.tell(Station.PREPARE, "progress", members)
        self._meanwhile()

    def _compared(
        self,
        files: tuple[LedgerFile, ...],
        prepared: Prepared,
        *,
        mode: Mode,
        resend: int | None,
        gates: bool = True,
        suppressed: Suppressed | None = None,
    ) -> Plan:
        self._record.tell(Station.COMPARE, "started")
        plan_id = self._record.run.id
        comparing = partial(
            compare,
            prepared,
            ledger_folder=self._services.ledgers.folder,
            files=files,
            export_id=self._export.id,
            folder=self._services.workspace.plans_folder / plan_id,
            letters=self._state.dead_letters.of(self._audience, self._export.id),
            suppressed=suppressed or self._suppressed,
            mode=mode,
            adds=not (gates and self.held_back),
            owed_alone=suppressed is not None,
            seal=self._services.seal,
        )
        plan = comparing(resend=resend)
        if gates and not self.held_back and not plan.changes_something and self._looks_asleep():
            shutil.rmtree(plan.folder)
            plan = comparing(resend=self._batch_size)
        kept = PlanRecord(
            id=plan_id,
            export_id=self._export.id,
            run_id=plan_id,
            folder=plan_id,
            sha256=plan.sha256,
            basis=basis_of(self._services, self._export),
            summary={
                "mode": mode,
                "held_back": kept_sentence(self.held_back) if gates else "",
                "profiles": prepared.profiles,
                "members": prepared.members,
                "kinds": {kind: counts.as_dict() for kind, counts in plan.counts.items()},
                "suppressions": self._known.newest,
                "fields": self._fields,
                "gates": self._numbers(files, prepared, plan).as_dict() if gates else None,
                "approval": self._asked(files, plan) if gates else None,
            },
            created_at=datetime.now(UTC),
        )
        self._services.ledgers.keep_plan(plan.folder)
        self._state.plans.record(kept)
        self._adopt(plan, kept)
        self._record.tell(Station.COMPARE, "ended")
        return plan

    def _asked(self, files: tuple[LedgerFile, ...], plan: Plan) -> dict[str, object] | None:
        held = sum(file.claims for file in files if file.export_id == self._export.id)
        asked = asked_for(self._services, self._export, plan, self._record.actor, held=held)
        return asked.as_dict() if asked else None

    def _numbers(self, files: tuple[LedgerFile, ...], prepared: Prepared, plan: Plan) -> GateNumbers:
        counts = plan.counts.values()
        own, others = 0, 0
        largest = max((kind.distinct + kind.kept for kind in counts), default=0)
        for (export_id, _), claims in ledger.count(files).items():
            if export_id == self._export.id:
                own += claims
            else:
                others, largest = others + claims, max(largest, claims)
        wanted = sum(kind.distinct for kind in counts)
        kept = sum(kind.kept for kind in counts)
        takes_out = plan.mode is Mode.REMOVE
        return GateNumbers(
            profiles=prepared.profiles,
            held=own + others if takes_out else own,
            # A row that is sent anew is not lost.
            removed=sum(kind.removed - kind.unclaimed - kind.replaced for kind in counts),
            owed=sum(kind.owed for kind in counts),
            # A member has several identifiers, and several exports may hold the same one. Who takes out what
            # others have put there does not know what is left.
            people_at_most=None if takes_out else min(wanted, prepared.members) + kept + others,
            digests_at_least=None if takes_out else largest,
            duplicate_keys=prepared.duplicate_keys,
            changes=self._changes,
            of_all=takes_out,
        )

    def _looks_asleep(self) -> bool:
        """Whether the service has taken no change for as long as the export allows."""
        days = self._export.policy.keep_alive_days
        if days is None:
            return False
        last = self._state.journal.last_accepted(self._audience)
        return last is not None and datetime.now(UTC) - last >= timedelta(days=days)

    @property
    def _batch_size(self) -> int:
        spec = self._services.catalog.destination(self._export.destination)
        what = f"export {self._export.name!r}"
        return batch_size(spec, load_settings(spec.settings_schema, self._export.settings, what=what))

    def _adopt(self, plan: Plan, kept: PlanRecord) -> None:
        """The run takes over the plan's sums, which must balance before anything is sent."""
        kinds = {kind: KindCounts(**counts) for kind, counts in kept.summary["kinds"].items()}
        unbalanced = [kind for kind, counts in kinds.items() if not counts.balances]
        if unbalanced:
            raise InternalFault(
                Code.UNBALANCED,
                f"the sums of {', '.join(unbalanced)} do not balance",
                where=f"plan {kept.id}",
                hint="nothing was sent; please report this with the plan's summary",
            )
        self._record.note(
            plan_id=kept.id,
            kinds=kinds,
            members=kept.summary["members"],
            profiles=kept.summary["profiles"],
            delivered=delivery_counts(plan),
            skipped_because=from_kept(kept.summary.get("held_back", "")),
        )
        self._record.save(RunStatus.PLANNED)
        self.asked = asked_of(kept)

    @cached_property
    def _known(self) -> SuppressedDigests:
        """The suppressions that this plan is made with."""
        return self._state.suppressions.digests()

    @cached_property
    def _suppressed(self) -> Suppressed:
        return Suppressed(self._known.kinds)

    @property
    def _consent(self) -> MemberConsent | None:
        return self._services.member_consent(self._export)

    def _segments(self) -> tuple[Segment, ...]:
        return tuple(self._state.segments.by_id(each) for each in self._export.segment_ids)

    def ledger_files(self) -> tuple[LedgerFile, ...]:
        """The audience's claims, all exports', after looking that the files are what was committed."""
        files = self._state.ledgers.current(self._audience).files
        self._services.ledgers.verify(files)
        return files
