"""Segments: add (validated against the profiles), list, show, remove."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from cdp_core.app.desk import Desk, act
from cdp_core.app.views import SegmentView
from cdp_core.errors import Code, InvalidFault
from cdp_core.model.access import Action, Resource
from cdp_core.model.configuration import Segment
from cdp_core.model.names import checked_name
from cdp_core.runner.profiles import Profiles


class Segments:
    def __init__(self, desk: Desk, profiles: Profiles) -> None:
        self.desk = desk
        self._profiles = profiles

    def resource(self, name: str, arguments: Mapping[str, Any]) -> Resource:
        return Resource(kind="segment", name=name)

    @act(Action.SEGMENT_ADD)
    def add(self, name: str, *, where: str | None = None, sql: str | None = None) -> SegmentView:
        """Validate and keep a segment; `where` is a condition, `sql` a SELECT that yields the key column."""
        if (where is None) == (sql is None):
            raise InvalidFault(
                Code.SEGMENT_INVALID,
                "a segment has either a condition or an SQL query",
                hint='cdp segment add "Loyal customers" --where "lifetime_value > 500"',
            )
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
        self.desk.state.segments.add(segment)
        self.desk.note(after={"where": where, "sql": sql}, members=members)
        return self._view(segment, members)

    @act(Action.SEGMENT_LIST)
    def list(self) -> tuple[SegmentView, ...]:
        return tuple(self._view(segment, None) for segment in self.desk.state.segments.all())

    @act(Action.SEGMENT_SHOW)
    def show(self, name: str) -> SegmentView:
        """The segment, evaluated over today's profiles."""
        segment = self.desk.state.segments.get(name)
        with self._profiles.open() as engine:
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
        self.desk.state.segments.remove(segment.id)
        self.desk.note(before={"where": segment.where, "sql": segment.sql})

    def _view(self, segment: Segment, members: int | None) -> SegmentView:
        return SegmentView(
            id=segment.id,
            name=segment.name,
            where=segment.where,
            sql=segment.sql,
            members=members,
            exports=tuple(self.desk.state.segments.dependents(segment.id)),
            created_by=segment.created_by,
            created_at=segment.created_at,
        )
