"""The PostgreSQL engine: one read-only transaction over one table, in one snapshot.

Segments, normal forms and SHA-256 are PostgreSQL's work; digests and counts come out, and the values that
its SQL cannot decide, unless `local_normalising` is off: then no value leaves the server.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

from cdp_core.contract.source import (
    DigestSink,
    Engine,
    EngineContext,
    KeptKeys,
    KeyFound,
    RowsFound,
    Selected,
    Selection,
)
from cdp_core.engines.fields import require_fields, require_key
from cdp_core.engines.postgres.address import PASSWORD, address_of
from cdp_core.engines.postgres.identify import Preparation
from cdp_core.engines.postgres.kept import kept_condition, keys_in
from cdp_core.engines.postgres.rows import rows
from cdp_core.engines.postgres.segments import count_members, member_condition, names_in, where_of
from cdp_core.engines.postgres.session import Session
from cdp_core.engines.postgres.table import find_table
from cdp_core.model.configuration import Column, Segment


class PostgresEngine(Engine):
    """Connects at once, so that a wrong password, table or key is told before anything is asked."""

    def __init__(self, context: EngineContext) -> None:
        self._source = context.source
        self._kept: dict[str, str] = {}
        self._local = context.local_normalising
        address = address_of(context.source)
        self._session = Session(address, context.secrets.get(PASSWORD), url=context.source.url)
        try:
            self._table = find_table(self._session, address, context.source.url)
            require_key(context.source, self._table.columns)
        except BaseException:
            self.close()
            raise

    def columns(self) -> tuple[Column, ...]:
        return self._table.columns

    def check_segment(self, segment: Segment) -> int:
        return count_members(self._session, self._table, segment, self._condition(segment))

    def keys_in(self, segment: Segment) -> Iterator[bytes]:
        condition = member_condition(self._session, self._table, segment, self._source.key)
        return keys_in(self._session, self._table, self._source.key, segment, condition)

    def keep(self, kept: Mapping[str, KeptKeys]) -> None:
        for segment_id, keys in kept.items():
            self._kept[segment_id] = kept_condition(self._table, self._source.key, keys)

    def names_in(self, segment: Segment) -> frozenset[str]:
        return names_in(segment)

    def identify(self, selection: Selection, sink: DigestSink, progress: Callable[[int], None]) -> Selected:
        condition = " OR ".join(map(self._condition, selection.segments)) or "false"
        where = ", ".join(map(where_of, selection.segments))
        members = self._preparation(selection).identify(condition, where, sink, progress)
        return Selected(
            profiles=self._table.rows(),
            members=members,
            duplicate_keys=self._table.duplicates(self._source.key),
        )

    def keys_of(self, selection: Selection, digests: Mapping[str, Collection[bytes]]) -> Iterator[KeyFound]:
        return self._preparation(selection).keys_of(self._source.key, digests)

    def rows(self, selection: Selection, sought: bytes | None = None) -> Iterator[RowsFound]:
        return rows(
            self._session,
            self._preparation(selection),
            selection,
            key=self._source.key,
            condition=" OR ".join(map(self._condition, selection.segments)) or "false",
            where=", ".join(map(where_of, selection.segments)) or self._table.url,
            sought=sought,
        )

    def repeated_keys(self) -> int:
        return self._table.duplicates(self._source.key)

    def close(self) -> None:
        self._session.close()

    def _preparation(self, selection: Selection) -> Preparation:
        require_fields(selection, self._source, self.columns())
        return Preparation(self._session, self._table, selection, local=self._local)

    def _condition(self, segment: Segment) -> str:
        if segment.id in self._kept:
            return self._kept[segment.id]
        return member_condition(self._session, self._table, segment, self._source.key)
