"""Approval: which plans need it, who may give it, and whether a plan has it when it is to be delivered.

What is approved is delivered as it is or not at all: a signature is over the plan's digest, what the plan
stands on, and what is said of it. Rules: `docs/explanation/delivery-promise.md`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from cdp_core.errors import Code, GateFault, InvalidFault, NotAllowedFault
from cdp_core.model.access import Action, Actor
from cdp_core.model.approval import Asked, Signature, asked_of, signed_digest
from cdp_core.model.configuration import Export
from cdp_core.model.delivery import Operation
from cdp_core.model.journal import PlanRecord
from cdp_core.model.names import as_typed
from cdp_core.model.run import Run, RunStatus
from cdp_core.pipeline.plan import Plan
from cdp_core.runner import basis
from cdp_core.runner.rights import about_export
from cdp_core.runner.services import Services
from cdp_core.store.state import State


def asked_for(services: Services, export: Export, plan: Plan, actor: Actor, *, held: int) -> Asked | None:
    """What the plan must wait for, by the export's rules; `held` are the claims before it."""
    rule = export.policy.approval
    if rule is None:
        return None
    rows = dict.fromkeys(Operation, 0)
    for (operation, _), count in plan.totals.items():
        rows[operation] += count
    owed = sum(counts.owed for counts in plan.counts.values())
    removed = rows[Operation.REMOVE] + rows[Operation.REMOVE_ALL] - owed
    empties = plan.emptied is not None
    if not rule.asked_for(added=rows[Operation.ADD], removed=removed, held=held, empties=empties):
        return None
    return Asked(
        people=rule.people,
        made_by=tuple(sorted({actor.name, actor.real})),
        lapses_at=datetime.now(UTC) + timedelta(hours=services.workspace.settings.approval_hours),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A plan, what it needs, and what people have said."""

    plan: PlanRecord
    asked: Asked
    run: Run
    signatures: tuple[Signature, ...]

    @property
    def approved_by(self) -> tuple[str, ...]:
        return tuple(each.person for each in self.signatures if each.approved)

    @property
    def lacking(self) -> int:
        return max(0, self.asked.people - len(self.approved_by))


class Approvals:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._state = services.state

    def waiting(self) -> Iterator[Standing]:
        """The plans that wait, the oldest first."""
        there = {export.id for export in self._state.exports.all()}
        for run in self._state.runs.waiting():
            waits = as_it_stands(self._state, run).status is RunStatus.WAITING
            if waits and run.export_id in there:
                yield self.standing(str(run.plan_id))

    def standing(self, plan_id: str) -> Standing:
        """Raises `InvalidFault` where nobody needs to approve of the plan."""
        plan = self._state.plans.get(plan_id)
        asked = asked_of(plan)
        if asked is None:
            raise InvalidFault(
                Code.PLAN_UNKNOWN,
                f"plan {plan_id} needs nobody's approval",
                hint=f"to deliver it: cdp export run {self._name(plan)} --plan {plan_id}",
            )
        return Standing(
            plan=plan,
            asked=asked,
            run=as_it_stands(self._state, self._state.runs.get(plan.run_id)),
            signatures=self._state.signatures.of(plan_id),
        )

    def sign(
        self, plan_id: str, actor: Actor, *, approved: bool, reason: str = "", seen: str | None = None
    ) -> Standing:
        """Write down what somebody says of a plan; raises a fault where it is not theirs to say, where
        nothing can be said of the plan any more, or where it is not what they have `seen` (its digest)."""
        found = self.standing(plan_id)
        self._require_open(found)
        if seen is not None and seen != signed_digest(found.plan):
            otherwise = f"the plan itself, which {actor.name} has seen otherwise"
            raise _stale(found.plan, (otherwise,), self._name(found.plan))
        if approved:
            self._require_another(found, actor)
            if changed := self._changed(found.plan):
                raise _stale(found.plan, changed, self._name(found.plan))
        with self._state.transaction():
            self._state.signatures.add(
                Signature(
                    plan_id=plan_id,
                    digest=signed_digest(found.plan),
                    person=actor.name,
                    approved=approved,
                    reason=reason,
                    at=datetime.now(UTC),
                )
            )
            if not approved:
                said = f": {reason}" if reason else ""
                self.end(found.run, Code.PLAN_REJECTED, f"{actor.name} rejected its plan{said}")
        return self.standing(plan_id)

    def require(self, plan: PlanRecord) -> None:
        """Raise `GateFault` unless the plan may be delivered now: approved of by enough people, who may
        still do so and have seen just this."""
        asked = asked_of(plan)
        if asked is None:
            return
        found = self.standing(plan.id)
        self._require_open(found)
        digest, changed, valid = signed_digest(plan), [], set()
        for each in found.signatures:
            if each.digest != digest:
                changed.append(f"the plan itself, which {each.person} has seen otherwise")
            elif not self._may(each.person, plan):
                changed.append(f"{each.person}, who approved of it, may not do so any more")
            elif each.person not in asked.made_by:
                valid.add(each.person)
        if changed:
            raise _stale(plan, tuple(changed), self._name(plan))
        if len(valid) < asked.people:
            raise awaited(plan.id, replace(asked, people=asked.people - len(valid)), self._name(plan))

    def delivered(self, plan: PlanRecord) -> None:
        """The run that waited is one that only planned, now that another delivers its plan."""
        waited = self._state.runs.get(plan.run_id)
        if waited.status is RunStatus.WAITING:
            self._state.runs.save(
                replace(
                    waited,
                    status=RunStatus.PLANNED,
                    dry_run=True,
                    error_code=None,
                    error=None,
                    error_hint=None,
                )
            )

    def supersede(self, export: Export, by: Run) -> None:
        """Of an export one plan waits: the newest."""
        for run in self._state.runs.waiting(export.id):
            if run.id != by.id:
                self.end(run, Code.PLAN_REJECTED, f"plan {by.id} has taken its plan's place")

    def end(self, run: Run, code: Code, message: str) -> None:
        """A run that waits is not delivered any more; another stays as it is."""
        if run.status is RunStatus.WAITING:
            self._state.runs.save(
                replace(run, status=RunStatus.CANCELED, error_code=str(code), error=message, error_hint=None)
            )

    def _require_open(self, found: Standing) -> None:
        again = f"make and look at a new one: cdp export plan {self._name(found.plan)}"
        for run in self._state.runs.of_plan(found.plan.id):
            if run.id != found.plan.run_id and run.status in (RunStatus.DELIVERING, RunStatus.COMMITTED):
                under_way = run.status is RunStatus.DELIVERING
                raise GateFault(
                    Code.PLAN_STALE,
                    f"run {run.id} {'is delivering' if under_way else 'has delivered'} plan {found.plan.id}",
                    hint=f"to end it: cdp export cancel {self._name(found.plan)}" if under_way else again,
                )
        for run in self._state.runs.waiting(found.plan.export_id):
            if run.id != found.plan.run_id and run.started_at > found.plan.created_at:
                raise GateFault(
                    Code.PLAN_REJECTED,
                    f"plan {found.plan.id} is not to be delivered: plan {run.plan_id} has taken its place",
                    hint=f"cdp export approve {run.plan_id}",
                )
        if found.asked.lapses_at <= datetime.now(UTC):
            raise GateFault(Code.PLAN_LAPSED, f"plan {found.plan.id} has lapsed", hint=again)
        rejected = next((each for each in found.signatures if not each.approved), None)
        if rejected is not None or found.run.status is RunStatus.CANCELED:
            told = f"{rejected.person} rejected it" if rejected else str(found.run.error)
            raise GateFault(
                Code.PLAN_REJECTED, f"plan {found.plan.id} is not to be delivered: {told}", hint=again
            )

    def _require_another(self, found: Standing, actor: Actor) -> None:
        if {actor.name, actor.real} & set(found.asked.made_by):
            raise NotAllowedFault(
                Code.ANOTHER_PERSON_NEEDED,
                f"{actor.real} made plan {found.plan.id}, and somebody else must approve of it",
                hint=f"ask another person who may: cdp export approve {found.plan.id}",
            )
        if actor.name in found.approved_by:
            raise NotAllowedFault(
                Code.ANOTHER_PERSON_NEEDED,
                f"{actor.name} has approved of plan {found.plan.id} already",
                hint="it needs others" if found.lacking else "it has all the approval it needs",
            )

    def _changed(self, plan: PlanRecord) -> tuple[str, ...]:
        export = self._state.exports.by_id(plan.export_id)
        return basis.changes(dict(plan.basis), basis_of(self._services, export))

    def _may(self, person: str, plan: PlanRecord) -> bool:
        export = self._state.exports.by_id(plan.export_id)
        about = about_export(self._state, self._services.catalog, export)
        actor = self._state.grants.actor(person)
        return self._services.catalog.authorize(actor, Action.EXPORT_APPROVE, about).allowed

    def _name(self, plan: PlanRecord) -> str:
        return as_typed(self._state.exports.by_id(plan.export_id).name)


def as_it_stands(state: State, run: Run) -> Run:
    """A run that waits; as canceled where its plan has lapsed."""
    if run.status is not RunStatus.WAITING:
        return run
    asked = asked_of(state.plans.get(str(run.plan_id)))
    if asked is None or asked.lapses_at > datetime.now(UTC):
        return run
    return replace(
        run,
        status=RunStatus.CANCELED,
        error_code=str(Code.PLAN_LAPSED),
        error=f"nobody approved of its plan, or ran it, until {asked.lapses_at:%Y-%m-%d %H:%M} UTC",
        error_hint=None,
    )


def basis_of(services: Services, export: Export) -> dict[str, str]:
    """What a plan of the export stands on today."""
    connection = services.connector.connection_of(export)
    audience = services.connector.audience_of(export)
    consent = services.member_consent(export)
    return basis.basis(
        export=replace(export, policy=replace(export.policy, consent=consent)),
        connection=connection,
        segments=tuple(services.state.segments.by_id(each) for each in export.segment_ids),
        audience=audience,
        ledger_version=services.state.ledgers.current(audience).version,
        consent=services.consents.digest(connection),
    )


def awaited(plan_id: str, asked: Asked, export: str) -> GateFault:
    """`export` as it is typed."""
    people = "1 other person" if asked.people == 1 else f"{asked.people} other people"
    return GateFault(
        Code.APPROVAL_AWAITED,
        f"the plan waits for the approval of {people}, until {asked.lapses_at:%Y-%m-%d %H:%M} UTC",
        where=f"plan {plan_id}",
        hint=f"somebody else: cdp export approve {plan_id}; then: cdp export run {export} --plan {plan_id}",
    )


def _stale(plan: PlanRecord, changed: tuple[str, ...], export: str) -> GateFault:
    return GateFault(
        Code.PLAN_STALE,
        f"since plan {plan.id} was made, this has changed: {'; '.join(changed)}",
        hint=f"make and look at a new one: cdp export plan {export}",
    )
