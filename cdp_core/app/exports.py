"""Exports: what goes where, set up and changed."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from enum import StrEnum
from typing import Any

from cdp_core.app.desk import Desk, act
from cdp_core.app.export_runs import ExportRuns
from cdp_core.app.soundness import require_sound
from cdp_core.app.views import DestinationForm, ExportView, NewAudienceForm
from cdp_core.contract.schemas import settings_of
from cdp_core.errors import Code, InvalidFault, UsageFault
from cdp_core.model.access import Action
from cdp_core.model.configuration import Export, Match
from cdp_core.model.names import as_typed, checked_name
from cdp_core.model.policy import Policy
from cdp_core.runner.audiences import Audiences as AudienceDesk
from cdp_core.runner.dead import as_they_stand
from cdp_core.runner.profiles import Profiles
from cdp_core.runner.runner import Runner
from cdp_core.scheduler.calendar import shown_of


class Leaving(StrEnum):
    """What becomes of the members that an export put into its audience when it lets go of it."""

    TAKE_OUT = "take-out"
    LEAVE = "leave"


class Exports(ExportRuns):
    """Set up here; how they run is `ExportRuns`."""

    def __init__(self, desk: Desk, profiles: Profiles, runner: Runner, audiences: AudienceDesk) -> None:
        super().__init__(desk, runner)
        self._profiles = profiles
        self._audiences = audiences

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
            audience_setting=spec.audience_setting,
            lists_audiences=spec.capabilities.lists_audiences,
            creates_audiences=spec.capabilities.creates_audiences,
            payload=spec.capabilities.payload,
        )

    @act(Action.EXPORT_ADD)
    def add(
        self,
        name: str,
        *,
        connection: str | None,
        settings: Mapping[str, Any],
        matching: Sequence[Match],
        segments: Sequence[str],
        policy: Policy | None = None,
        new_audience: NewAudienceForm | None = None,
        destination: str = "",
        group: str | None = None,
    ) -> ExportView:
        """Keep an export. Nothing is sent until it is run.

        The service is asked whether its audience can take members, or, with `new_audience`, to make one.
        One without a `connection` is detached from the beginning, and needs its `destination`; `group` is the
        group that it is of.
        """
        over = None if connection is None else self.desk.state.connections.get(connection)
        given = Export(
            id=uuid.uuid4().hex,
            name=checked_name(name, "export"),
            destination=destination,
            connection_id=None if over is None else over.id,
            settings=dict(settings),
            matching=tuple(matching),
            segment_ids=self._segment_ids(segments),
            policy=policy or Policy(),
            group=None if group is None else self._free_for_a_group(group),
            created_by=self.desk.actor.name,
            created_at=self.desk.now(),
        )
        self._refuse_names_of_groups([given.name])
        return self._add(given, new_audience)

    @act(Action.EXPORT_ADD_EACH)
    def add_each(
        self,
        name: str,
        *,
        connection: str,
        settings: Mapping[str, Any],
        matching: Sequence[Match],
        segments: Sequence[str],
        policy: Policy | None = None,
        retention_in_days: int | None = None,
        progress: Callable[[str], None] = lambda added: None,
    ) -> tuple[ExportView, ...]:
        """An export for each segment, with an audience of its own that the service is asked to make; they
        are run together by the group's `name`. A segment whose export is there keeps it, so that a
        group can be added to, and what was interrupted goes on.

        `progress` is told the name of each export that was added.
        """
        group = self._free_for_a_group(name)
        exports = self.desk.state.exports.all()
        there = {export.segment_ids for export in exports if export.group == group}
        views = []
        for segment, segment_id in zip(dict.fromkeys(segments), self._segment_ids(segments), strict=True):
            if (segment_id,) in there:
                continue
            given = Export(
                id=uuid.uuid4().hex,
                name=checked_name(f"{group}: {segment}", "export"),
                destination="",
                connection_id=self.desk.state.connections.get(connection).id,
                settings=dict(settings),
                matching=tuple(matching),
                segment_ids=(segment_id,),
                policy=policy or Policy(),
                group=group,
                created_by=self.desk.actor.name,
                created_at=self.desk.now(),
            )
            form = NewAudienceForm(name=given.name, retention_in_days=retention_in_days)
            views.append(self._add(given, form))
            progress(given.name)
        self.desk.note(added=[view.name for view in views])
        return tuple(views)

    def _add(self, given: Export, new_audience: NewAudienceForm | None) -> ExportView:
        state = self.desk.state
        if given.connection_id is None:
            return self._add_detached(given)
        over = state.connections.by_id(given.connection_id)
        spec = self.desk.catalog.destination_for(over.type)
        export, marker = dataclasses.replace(given, destination=spec.key), None
        self._refuse_taken(export)
        if new_audience is not None:
            # All that can be wrong is found before the service is asked for something that stays.
            self._sound(export, without=spec.audience_setting)
            made, marker = self._audiences.make(
                over,
                name=new_audience.name,
                retention=new_audience.retention_in_days,
                person=self.desk.actor.real,
            )
            self.desk.note(new_audience=made)
            export = dataclasses.replace(export, settings={**export.settings, spec.audience_setting: made})
        self._sound(export)
        self._runner.check_mode(export, alone=True)
        unchecked = self._audiences.check(export) if marker is None else ""
        with state.transaction():
            state.exports.add(export)
            if marker is not None:
                self._audiences.settle(marker)
        self.desk.note(after=_described(export))
        return self._view(export, unchecked=unchecked)

    def _add_detached(self, export: Export) -> ExportView:
        self._refuse_taken(export)
        self._sound(export)
        self._runner.check_mode(export, alone=False)
        self.desk.state.exports.add(export)
        self.desk.note(after=_described(export))
        return self._view(export)

    @act(Action.EXPORT_LIST)
    def list(self) -> tuple[ExportView, ...]:
        """Those that the actor may look at."""
        return tuple(
            self._view(export)
            for export in self.desk.state.exports.all()
            if self.desk.may(Action.EXPORT_SHOW, self.resource(export.name, {}))
        )

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
        unset: Collection[str] = (),
    ) -> ExportView:
        """Change what is given and keep the rest; settings in `unset` are what they are where nobody has set
        them. `leaving` is asked for where the audience changes and the old one holds members that this
        export put there."""
        before = self.desk.state.exports.get(name)
        after = dataclasses.replace(
            before,
            name=before.name if new_name is None else checked_name(new_name, "export"),
            settings={
                **{each: value for each, value in before.settings.items() if each not in unset},
                **(settings or {}),
            },
            matching=before.matching if matching is None else tuple(matching),
            segment_ids=before.segment_ids if segments is None else self._segment_ids(segments),
            policy=before.policy if policy is None else policy,
        )
        if before.policy.approval not in (None, after.policy.approval):
            # Who could lift it could send without it.
            self.desk.require(Action.EXPORT_APPROVE, self.resource(name, {}))
        self._sound(after)
        moves = before.connection_id and self._runner.audience_of(before) != self._runner.audience_of(after)
        self._runner.check_mode(after, alone=bool(moves) or before.policy.mode != after.policy.mode)
        # Members are let go only once nothing else can stop the change.
        if after.name != before.name:
            self._refuse_names_of_groups([after.name])
            self._refuse_taken(after)
        unchecked = ""
        if moves:
            unchecked = self._audiences.check(after)
            self._let_go(before, leaving)
        self.desk.state.exports.update(after)
        self.desk.note(before=_described(before), after=_described(after))
        return self._view(after, unchecked=unchecked)

    @act(Action.EXPORT_DUPLICATE)
    def duplicate(self, name: str, *, new_name: str) -> ExportView:
        """A new export with the same configuration and no claims of its own."""
        original = self.desk.state.exports.get(name)
        copy = dataclasses.replace(
            original,
            id=uuid.uuid4().hex,
            name=checked_name(new_name, "export"),
            group=None,
            created_by=self.desk.actor.name,
            created_at=self.desk.now(),
        )
        self._refuse_names_of_groups([copy.name])
        self.desk.state.exports.add(copy)
        self.desk.note(after=_described(copy))
        return self._view(copy)

    @act(Action.EXPORT_DETACH)
    def detach(self, name: str, *, leaving: Leaving | None = None) -> ExportView:
        """Take the connection away; the configuration stays, and nothing runs until it is attached again."""
        before = self.desk.state.exports.get(name)
        if before.connection_id is None:
            raise InvalidFault(
                Code.NO_CONNECTION,
                f"export {name!r} has no connection already",
                where=f"export {name}",
                hint=f"cdp export attach {as_typed(name)} --connection NAME gives it one",
            )
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
        self._sound(after)
        unchecked = self._audiences.check(after)
        self.desk.state.exports.update(after)
        self.desk.note(connection=connection)
        return self._view(after, unchecked=unchecked)

    @act(Action.EXPORT_REMOVE)
    def remove(self, name: str, *, leaving: Leaving | None = None) -> None:
        """Remove the configuration; the history of its runs stays."""
        export = self.desk.state.exports.get(name)
        if export.connection_id is not None:
            self._let_go(export, leaving)
        self.desk.state.exports.remove(export.id)
        self.desk.note(before=_described(export))

    def _segment_ids(self, names: Sequence[str]) -> tuple[str, ...]:
        if not names:
            raise InvalidFault(
                Code.SEGMENT_INVALID,
                "an export needs at least one segment",
                hint="`cdp segment list` shows them; `cdp segment add` makes one",
            )
        return tuple(dict.fromkeys(self.desk.state.segments.get(name).id for name in names))

    def _refuse_taken(self, export: Export) -> None:
        if any(each.name == export.name and each.id != export.id for each in self.desk.state.exports.all()):
            raise InvalidFault(
                Code.NAME_TAKEN, f"there is an export {export.name!r} already", hint="another name"
            )

    def _free_for_a_group(self, name: str) -> str:
        group = checked_name(name, "export")
        if any(export.name == group for export in self.desk.state.exports.all()):
            raise InvalidFault(Code.NAME_TAKEN, f"there is an export {group!r} already", hint="another name")
        return group

    def _refuse_names_of_groups(self, names: Sequence[str]) -> None:
        groups = {export.group for export in self.desk.state.exports.all()}
        for name in names:
            if name in groups:
                raise InvalidFault(
                    Code.NAME_TAKEN, f"{name!r} is the name of a group of exports", hint="another name"
                )

    def _sound(self, export: Export, *, without: str = "") -> None:
        require_sound(
            export,
            desk=self.desk,
            profiles=self._profiles,
            consent=self._runner.member_consent(export),
            without=without,
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

    def _view(self, export: Export, *, unchecked: str = "") -> ExportView:
        state = self.desk.state
        connection = state.connections.by_id(export.connection_id) if export.connection_id else None
        last = next(iter(as_they_stand(state, state.runs.of_export(export.id, 1))), None)
        edit = self.desk.may(Action.EXPORT_EDIT, self.resource(export.name, {}))
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
            permission="edit" if edit else "view",
            status=str(last.status) if last else None,
            shown=shown_of(state, export, last, self.desk.now()),
            refreshed=last.ended_at if last else None,
            audience=str(export.settings.get(spec.audience_setting, "")) if spec else "",
            claims=self._runner.claims_of(export) if connection and spec else 0,
            group=export.group,
            unchecked=unchecked,
        )


def _described(export: Export) -> dict[str, Any]:
    return {
        "name": export.name,
        "settings": dict(export.settings),
        "matching": [f"{match.kind}={match.field}" for match in export.matching],
        "segments": list(export.segment_ids),
        "policy": export.policy.as_dict(),
    }
