"""Exports: what goes where. Set up, plan, run, look back."""

from __future__ import annotations

import dataclasses
import threading
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from enum import StrEnum
from typing import Any

from cdp_core.app.desk import Desk, act
from cdp_core.app.views import DestinationForm, ExportView, RunReport
from cdp_core.contract.schemas import load_settings, settings_of
from cdp_core.errors import Code, InvalidFault, UsageFault
from cdp_core.model.access import Action, Resource
from cdp_core.model.configuration import Connection, Export, Match
from cdp_core.model.gates import Finding, Gate
from cdp_core.model.names import as_typed, checked_name
from cdp_core.model.policy import Policy
from cdp_core.model.run import Run, RunEvent
from cdp_core.runner.dead import as_they_stand
from cdp_core.runner.matching import check_matching
from cdp_core.runner.outcome import exit_status, notes
from cdp_core.runner.profiles import Profiles
from cdp_core.runner.runner import Runner


class Leaving(StrEnum):
    """What becomes of the members that an export put into its audience when it lets go of it."""

    TAKE_OUT = "take-out"
    LEAVE = "leave"


class Exports:
    def __init__(self, desk: Desk, profiles: Profiles, runner: Runner) -> None:
        self.desk = desk
        self._profiles = profiles
        self._runner = runner

    def resource(self, name: str, arguments: Mapping[str, Any]) -> Resource:
        state = self.desk.state
        if "connection" in arguments:
            found = (c for c in state.connections.all() if c.name == arguments["connection"])
            return Resource(kind="export", name=name, shared_with=_sharing(next(found, None)))
        export = next((e for e in state.exports.all() if e.name == name), None)
        if export is None or export.connection_id is None:
            return Resource(kind="export", name=name)
        connection = state.connections.by_id(export.connection_id)
        return Resource(kind="export", name=name, shared_with=connection.shared_with)

    @act(Action.EXPORT_OPTIONS)
    def options(self, name: str = "", *, connection: str) -> DestinationForm:
        """What must be asked to add an export over a connection."""
        spec = self.desk.catalog.destination_for(self.desk.state.connections.get(connection).type)
        with self._profiles.open() as engine:
            columns = tuple(column.name for column in engine.columns())
        return DestinationForm(
            destination=spec.key,
            label=spec.label,
            settings=settings_of(spec.settings_schema),
            kinds={rule.kind: rule.need for rule in spec.matching},
            fields=columns,
            segments=tuple(segment.name for segment in self.desk.state.segments.all()),
        )

    @act(Action.EXPORT_ADD)
    def add(
        self,
        name: str,
        *,
        connection: str,
        settings: Mapping[str, Any],
        matching: Sequence[Match],
        segments: Sequence[str],
        policy: Policy | None = None,
    ) -> ExportView:
        """Keep an export. Nothing is sent until it is run."""
        over = self.desk.state.connections.get(connection)
        export = Export(
            id=uuid.uuid4().hex,
            name=checked_name(name, "export"),
            destination=self.desk.catalog.destination_for(over.type).key,
            connection_id=over.id,
            settings=dict(settings),
            matching=tuple(matching),
            segment_ids=self._segment_ids(segments),
            policy=policy or Policy(),
            created_by=self.desk.actor.name,
            created_at=self.desk.now(),
        )
        self._check(export)
        self._runner.check_mode(export, alone=True)
        self.desk.state.exports.add(export)
        self.desk.note(after=_described(export))
        return self._view(export)

    @act(Action.EXPORT_LIST)
    def list(self) -> tuple[ExportView, ...]:
        return tuple(self._view(export) for export in self.desk.state.exports.all())

    @act(Action.EXPORT_SHOW)
    def show(self, name: str) -> ExportView:
        return self._view(self.desk.state.exports.get(name))

    @act(Action.EXPORT_EDIT)
    def edit(
        self,
        name: str,
        *,
        new_name: str | None = None,
        settings: Mapping[str, Any] | None = None,
        matching: Sequence[Match] | None = None,
        segments: Sequence[str] | None = None,
        policy: Policy | None = None,
        leaving: Leaving | None = None,
    ) -> ExportView:
        """Change what is given and keep the rest. `leaving` is asked for where the audience changes
        and the old one holds members that this export put there."""
        before = self.desk.state.exports.get(name)
        after = dataclasses.replace(
            before,
            name=before.name if new_name is None else checked_name(new_name, "export"),
            settings={**before.settings, **(settings or {})},
            matching=before.matching if matching is None else tuple(matching),
            segment_ids=before.segment_ids if segments is None else self._segment_ids(segments),
            policy=before.policy if policy is None else policy,
        )
        self._check(after)
        moves = before.connection_id and self._runner.audience_of(before) != self._runner.audience_of(after)
        self._runner.check_mode(after, alone=bool(moves) or before.policy.mode != after.policy.mode)
        if moves:
            self._let_go(before, leaving)
        self.desk.state.exports.update(after)
        self.desk.note(before=_described(before), after=_described(after))
        return self._view(after)

    @act(Action.EXPORT_DUPLICATE)
    def duplicate(self, name: str, *, new_name: str) -> ExportView:
        """A new export with the same configuration and no claims of its own."""
        original = self.desk.state.exports.get(name)
        copy = dataclasses.replace(
            original,
            id=uuid.uuid4().hex,
            name=checked_name(new_name, "export"),
            created_by=self.desk.actor.name,
            created_at=self.desk.now(),
        )
        self.desk.state.exports.add(copy)
        self.desk.note(after=_described(copy))
        return self._view(copy)

    @act(Action.EXPORT_DETACH)
    def detach(self, name: str, *, leaving: Leaving | None = None) -> ExportView:
        """Take the connection away; the configuration stays, and nothing runs until it is attached again."""
        before = self.desk.state.exports.get(name)
        if before.connection_id is None:
            raise InvalidFault(Code.NO_CONNECTION, f"export {name!r} has no connection already")
        self._let_go(before, leaving)
        after = dataclasses.replace(before, connection_id=None)
        self.desk.state.exports.update(after)
        return self._view(after)

    @act(Action.EXPORT_ATTACH)
    def attach(self, name: str, *, connection: str) -> ExportView:
        """Give a detached export a connection of the type that its destination needs."""
        before = self.desk.state.exports.get(name)
        if before.connection_id is not None:
            raise InvalidFault(
                Code.IN_USE,
                f"export {name!r} has a connection",
                hint=f"cdp export detach {as_typed(name)} first",
            )
        after = dataclasses.replace(before, connection_id=self.desk.state.connections.get(connection).id)
        self._check(after)
        self.desk.state.exports.update(after)
        self.desk.note(connection=connection)
        return self._view(after)

    @act(Action.EXPORT_REMOVE)
    def remove(self, name: str, *, leaving: Leaving | None = None) -> None:
        """Remove the configuration; the history of its runs stays."""
        export = self.desk.state.exports.get(name)
        if export.connection_id is not None:
            self._let_go(export, leaving)
        self.desk.state.exports.remove(export.id)
        self.desk.note(before=_described(export))

    @act(Action.EXPORT_PLAN)
    def plan(self, name: str, *, progress: Callable[[RunEvent], None] | None = None) -> RunReport:
        """A run that stops before anything is sent; the plan stays on disk."""
        export = self.desk.state.exports.get(name)
        run = self._runner.plan(export, self.desk.actor, progress)
        return self._report(run, self._runner.findings(export, run))

    @act(Action.EXPORT_RUN)
    def run(
        self,
        name: str,
        *,
        plan: str | None = None,
        progress: Callable[[RunEvent], None] | None = None,
        stop: threading.Event | None = None,
        meant: Collection[Gate] = (),
        agreed: bool = False,
    ) -> RunReport:
        """Bring the audience up to today's segments; `plan` delivers that plan as it is, or not at all.

        Setting `stop` ends it after the batches in flight. The gates in `meant` do not stop it. Raises
        `UsageFault` where the audience is to be emptied first and that is not `agreed` to.
        """
        export = self.desk.state.exports.get(name)
        self._note_meant(meant)
        run = self._runner.run(
            export,
            self.desk.actor,
            plan_id=plan,
            progress=progress,
            stop=stop or threading.Event(),
            meant=meant,
            agreed=agreed,
        )
        return self._report(run, self._runner.findings(export, run, meant))

    @act(Action.EXPORT_RESYNC)
    def resync(
        self,
        name: str,
        *,
        progress: Callable[[RunEvent], None] | None = None,
        stop: threading.Event | None = None,
        meant: Collection[Gate] = (),
    ) -> RunReport:
        """A run that also sends again what the ledger says is there, as far as today's rules allow it."""
        export = self.desk.state.exports.get(name)
        self._note_meant(meant)
        run = self._runner.resync(
            export, self.desk.actor, progress=progress, stop=stop or threading.Event(), meant=meant
        )
        return self._report(run, self._runner.findings(export, run, meant))

    @act(Action.EXPORT_HISTORY)
    def history(self, name: str, *, limit: int = 20) -> tuple[RunReport, ...]:
        """The last runs, newest first. An export that was removed keeps its history under its name.

        A run whose process died is shown as failed, though only the next run will write that down.
        """
        runs = self.desk.state.runs
        export = next((e for e in self.desk.state.exports.all() if e.name == name), None)
        found = runs.of_export(export.id, limit) if export else runs.of_name(name, limit)
        if not export and not found:
            self.desk.state.exports.get(name)
        return tuple(self._as_report(run) for run in as_they_stand(self.desk.state, found))

    def _note_meant(self, meant: Collection[Gate]) -> None:
        if meant:
            self.desk.note(meant=sorted(gate.flag for gate in meant if gate.flag))

    def _report(self, run: Run, found: tuple[Finding, ...]) -> RunReport:
        self.desk.note(run=run.id, plan=run.plan_id, status=str(run.status))
        return self._as_report(run, found)

    def _as_report(self, run: Run, found: tuple[Finding, ...] = ()) -> RunReport:
        folder = self._runner.plan_folder(run.plan_id) if run.plan_id else None
        return RunReport(
            run=run,
            exit_status=exit_status(run),
            gates=found,
            notes=notes(run),
            plan_folder=str(folder) if folder else None,
            mode=self._runner.mode_of(run),
        )

    def _segment_ids(self, names: Sequence[str]) -> tuple[str, ...]:
        if not names:
            raise InvalidFault(
                Code.SEGMENT_INVALID,
                "an export needs at least one segment",
                hint="`cdp segment list` shows them; `cdp segment add` makes one",
            )
        return tuple(dict.fromkeys(self.desk.state.segments.get(name).id for name in names))

    def _check(self, export: Export) -> None:
        """Everything that can be known before the service is asked."""
        spec = self.desk.catalog.destination(export.destination)
        if export.connection_id is not None:
            type_of = self.desk.state.connections.by_id(export.connection_id).type
            if type_of != spec.connection_type:
                raise InvalidFault(
                    Code.MATCHING_INVALID,
                    f"{spec.label} goes over connections of type {spec.connection_type!r}, not {type_of!r}",
                )
        secret = [info.name for info in settings_of(spec.settings_schema) if info.secret]
        if set(secret) & set(export.settings):
            raise InvalidFault(
                Code.SETTING_INVALID,
                f"{', '.join(secret)}: secrets are kept on the connection, not on an export",
                where=f"export {export.name!r}",
            )
        load_settings(spec.settings_schema, export.settings, what=f"export {export.name!r}")
        check_matching(export, spec, self.desk.catalog.kinds)
        with self._profiles.open() as engine:
            columns = [column.name for column in engine.columns()]
        uses = {f"data matching {match.kind}={match.field}": match.field for match in export.matching}
        if export.policy.region.field is not None:
            uses["country of phone numbers"] = export.policy.region.field
        if (consent := self._runner.member_consent(export)) is not None:
            uses[f"member consent {consent.field}={','.join(consent.granted)}"] = consent.field
        for where, field in uses.items():
            if field not in columns:
                raise InvalidFault(
                    Code.FIELD_MISSING,
                    f"the profiles have no field {field!r}",
                    where=where,
                    hint="fields: " + ", ".join(columns),
                )

    def _let_go(self, export: Export, leaving: Leaving | None) -> None:
        claims = self._runner.claims_of(export)
        if not claims:
            return
        if leaving is None:
            raise UsageFault(
                Code.NOT_AGREED_TO_ACT,
                f"{export.name!r} has put {claims:,} members into its audience: are they taken out or left?",
                hint="--take-members-out, or --leave-members (or --yes, which leaves them)",
            )
        if leaving is Leaving.TAKE_OUT:
            run = self._runner.take_out(export, self.desk.actor)
            self.desk.note(taken_out=claims, run=run.id)
        else:
            self._runner.release(export, self.desk.actor)
            self.desk.note(left=claims)

    def _view(self, export: Export) -> ExportView:
        state = self.desk.state
        connection = state.connections.by_id(export.connection_id) if export.connection_id else None
        last = next(iter(as_they_stand(state, state.runs.of_export(export.id, 1))), None)
        edit = self.desk.catalog.authorize(
            self.desk.actor, Action.EXPORT_EDIT, self.resource(export.name, {})
        )
        spec = self.desk.catalog.destinations.get(export.destination)
        return ExportView(
            name=export.name,
            destination=export.destination,
            connection=connection.name if connection and self.desk.sees(connection) else None,
            attached=connection is not None,
            settings=dict(export.settings),
            matching=export.matching,
            segments=tuple(state.segments.by_id(segment_id).name for segment_id in export.segment_ids),
            policy=export.policy,
            member_consent=export.policy.consent or self._profiles.settings.consent,
            permission="edit" if edit.allowed else "view",
            status=str(last.status) if last else None,
            refreshed=last.ended_at if last else None,
            audience=str(export.settings.get(spec.audience_setting, "")) if spec else "",
            claims=self._runner.claims_of(export) if connection and spec else 0,
        )


def _sharing(connection: Connection | None) -> frozenset[str] | None:
    return None if connection is None else connection.shared_with


def _described(export: Export) -> dict[str, Any]:
    return {
        "name": export.name,
        "settings": dict(export.settings),
        "matching": [f"{match.kind}={match.field}" for match in export.matching],
        "segments": list(export.segment_ids),
        "policy": export.policy.as_dict(),
    }
