"""Segments: add (validated against the profiles), list, show, remove."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Mapping
from typing import Any

from cdp_core.app.desk import Desk, act
from cdp_core.app.views import SegmentView
from cdp_core.contract.source import Engine
from cdp_core.errors import Code, InvalidFault
from cdp_core.model.access import Action, Resource
from cdp_core.model.configuration import KeptResult, Segment
from cdp_core.model.names import as_typed, checked_name
from cdp_core.runner.profiles import Profiles


class Segments:
    def __init__(self, desk: Desk, profiles: Profiles) -> None:
        self.desk = desk
        self._profiles = profiles

    def resource(self, name: str, arguments: Mapping[str, Any]) -> Resource:
        found = next((each for each in self.desk.state.segments.all() if each.name == name), None)
        return Resource(kind="segment", name=name) if found is None else _about(found)

    @act(Action.SEGMENT_ADD)
    def add(
        self, name: str, *, where: str | None = None, sql: str | None = None, static: bool = False
    ) -> SegmentView:
        """Validate and keep a segment; `where` is a condition, `sql` a SELECT that yields the key column. A
        `static` one is evaluated now, and then when somebody refreshes it."""
        if (where is None) == (sql is None):
            raise _one_of_two()
        segment = Segment(
            id=uuid.uuid4().hex,
            name=checked_name(name, "segment"),
            where=where,
            sql=sql,
            created_by=self.desk.actor.name,
            created_at=self.desk.now(),
        )
        with self._profiles.open() as engine:
            members = engine.check_segment(segment)
            if static:
                segment = dataclasses.replace(segment, kept=self._evaluated(engine, segment))
        try:
            self.desk.state.segments.add(segment)
        except BaseException:
            self._profiles.results.forget(segment.kept)
            raise
        self.desk.note(after=_described(segment), members=members)
        return self._view(segment, members)

    @act(Action.SEGMENT_EDIT)
    def edit(
        self, name: str, *, where: str | None = None, sql: str | None = None, static: bool | None = None
    ) -> SegmentView:
        """Another condition or query, or another way to keep it; its exports go on with it. A static one is
        evaluated now."""
        before = self.desk.state.segments.get(name)
        if where is not None and sql is not None:
            raise _one_of_two()
        if where is None and sql is None:
            where, sql = before.where, before.sql
        after = dataclasses.replace(before, where=where, sql=sql, kept=None)
        keeps = before.kept is not None if static is None else static
        with self._profiles.open() as engine:
            members = engine.check_segment(after)
            if keeps:
                after = dataclasses.replace(after, kept=self._evaluated(engine, after))
        try:
            self.desk.state.segments.update(after)
        except BaseException:
            self._profiles.results.forget(after.kept)
            raise
        if before.kept is not None:
            self._profiles.results.replaced(before.kept)
            self._profiles.results.sweep(each.kept for each in self.desk.state.segments.all())
        self.desk.note(before=_described(before), after=_described(after), members=members)
        return self._view(after, members)

    @act(Action.SEGMENT_REFRESH)
    def refresh(self, name: str) -> SegmentView:
        """Evaluate a static segment anew, over today's profiles."""
        segment = self.desk.state.segments.get(name)
        if segment.kept is None:
            raise InvalidFault(
                Code.SEGMENT_INVALID,
                "the segment is dynamic: every run evaluates it",
                where=f"segment {name!r}",
                hint="nothing is to be refreshed; to keep its result from now on: "
                f"cdp segment edit {as_typed(name)} --static",
            )
        with self._profiles.open() as engine:
            result = self._evaluated(engine, segment)
        self.desk.state.segments.keep(segment.id, result)
        self._profiles.results.replaced(segment.kept)
        self._profiles.results.sweep(each.kept for each in self.desk.state.segments.all())
        self.desk.note(before=segment.kept.members, after=result.members)
        return self._view(dataclasses.replace(segment, kept=result), result.members)

    @act(Action.SEGMENT_SWITCH)
    def switch(self, name: str, *, active: bool) -> SegmentView:
        """While a segment is not active, its exports are skipped."""
        segment = self.desk.state.segments.get(name)
        self.desk.state.segments.switch(segment.id, active=active)
        self.desk.note(before=segment.active, after=active)
        return self._view(dataclasses.replace(segment, active=active), None)

    def _evaluated(self, engine: Engine, segment: Segment) -> KeptResult:
        return self._profiles.results.write(
            engine.keys_in(segment), at=self.desk.now(), by=self.desk.actor.name
        )

    @act(Action.SEGMENT_LIST)
    def list(self) -> tuple[SegmentView, ...]:
        """Those that the actor may look at."""
        return tuple(
            self._view(segment, None)
            for segment in self.desk.state.segments.all()
            if self.desk.may(Action.SEGMENT_SHOW, _about(segment))
        )

    @act(Action.SEGMENT_SHOW)
    def show(self, name: str) -> SegmentView:
        """The segment, evaluated over today's profiles."""
        segment = self.desk.state.segments.get(name)
        with self._profiles.open(segments=(segment,)) as engine:
            return self._view(segment, engine.check_segment(segment))

    @act(Action.SEGMENT_REMOVE)
    def remove(self, name: str) -> None:
        segment = self.desk.state.segments.get(name)
        dependents = self.desk.state.segments.dependents(segment.id)
        if dependents:
            raise InvalidFault(
                Code.IN_USE,
                f"segment {name!r} is used by: {', '.join(dependents)}",
                where=f"segment {name}",
                hint="edit or remove these exports first",
            )
        with self.desk.state.transaction():
            self.desk.state.segments.remove(segment.id)
            self.desk.state.grants.forget("segment", segment.id)
        self._profiles.results.forget(segment.kept)
        self.desk.note(before={"where": segment.where, "sql": segment.sql})

    def _view(self, segment: Segment, members: int | None) -> SegmentView:
        return SegmentView(
            id=segment.id,
            name=segment.name,
            where=segment.where,
            sql=segment.sql,
            members=members,
            exports=tuple(self.desk.state.segments.dependents(segment.id)),
            active=segment.active,
            kept=segment.kept,
            created_by=segment.created_by,
            created_at=segment.created_at,
        )


def _about(segment: Segment) -> Resource:
    return Resource(kind="segment", name=segment.name, segment_ids=frozenset({segment.id}))


def _one_of_two() -> InvalidFault:
    return InvalidFault(
        Code.SEGMENT_INVALID,
        "a segment has either a condition or an SQL query",
        hint='cdp segment add "Loyal customers" --where "lifetime_value > 500"',
    )


def _described(segment: Segment) -> dict[str, Any]:
    return {"where": segment.where, "sql": segment.sql, "static": segment.kept is not None}
