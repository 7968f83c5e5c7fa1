"""The DuckDB engine: one connection over one profile source, closed off from everything else.

Select and identify are one query over the source: members' rows in, digests and verdicts out, as a
stream. Memory is bounded by the batch, not by the source; what a segment's own query needs (sorts,
joins) spills to the scratch folder. Raw values pass through this process's memory and nowhere else.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterator, Mapping

import duckdb

from cdp_core.contract.source import (
    DigestSink,
    Engine,
    EngineContext,
    Examination,
    KeptKeys,
    KeyFound,
    RowsFound,
    Selected,
    Selection,
)
from cdp_core.engines.duckdb.examine import examine
from cdp_core.engines.duckdb.faults import on_profiles
from cdp_core.engines.duckdb.identify import identify, keys_of
from cdp_core.engines.duckdb.kept import kept_condition, keys_in
from cdp_core.engines.duckdb.memory import share_of_memory
from cdp_core.engines.duckdb.relations import Relation, open_relation
from cdp_core.engines.duckdb.rows import rows
from cdp_core.engines.duckdb.segments import count_members, member_condition, names_in
from cdp_core.engines.duckdb.sources import locate
from cdp_core.engines.duckdb.text import literal
from cdp_core.engines.fields import require_fields, require_key
from cdp_core.errors import InvalidFault
from cdp_core.model.configuration import Column, Segment
from cdp_core.model.examination import FieldExamined
from cdp_core.workspace.files import scratch_folder


class DuckDBEngine(Engine):
    """Opens the source at once, so that a wrong path or key is told before anything is asked."""

    def __init__(self, context: EngineContext) -> None:
        self._source = context.source
        self._kept: dict[str, str] = {}
        located = locate(context.source)
        context.scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._spill = scratch_folder("duckdb-", context.scratch)
        self._connection = duckdb.connect(
            config={
                "temp_directory": str(self._spill),
                "memory_limit": f"{(context.memory_limit or share_of_memory()) >> 10}KiB",
                "preserve_insertion_order": False,
                # It would keep every page of the source that was read, up to the memory limit.
                "enable_external_file_cache": False,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "python_enable_replacements": False,
            }
        )
        try:
            if located.form == "duckdb":
                path = str(located.files[0])
                on_profiles(
                    lambda: self._connection.execute(f"ATTACH {literal(path)} AS source (READ_ONLY)"),
                    where=path,
                )
            for setting in (
                f"allowed_paths = {located.allowed_paths}",
                "enable_external_access = false",
                "errors_as_json = true",
                "TimeZone = 'UTC'",
                "lock_configuration = true",
            ):
                self._connection.execute(f"SET {setting}")
            self._relation: Relation = open_relation(self._connection, located, context.source.key)
            require_key(context.source, self.columns())
        except BaseException:
            self.close()
            raise

    def columns(self) -> tuple[Column, ...]:
        return self._relation.columns

    def check_segment(self, segment: Segment) -> int:
        condition = self._condition(segment)
        return count_members(self._connection, segment, condition)

    def keys_in(self, segment: Segment) -> Iterator[bytes]:
        condition = member_condition(self._connection, segment, self._source.key)
        return keys_in(self._connection, self._source.key, segment, condition)

    def keep(self, kept: Mapping[str, KeptKeys]) -> None:
        for segment_id, keys in kept.items():
            self._kept[segment_id] = kept_condition(self._connection, self._source.key, segment_id, keys)

    def names_in(self, segment: Segment) -> frozenset[str]:
        return names_in(self._connection, segment)

    def identify(self, selection: Selection, sink: DigestSink, progress: Callable[[int], None]) -> Selected:
        require_fields(selection, self._source, self.columns())
        conditions = [self._condition(segment) for segment in selection.segments]
        members = identify(
            self._connection,
            self._relation,
            condition=" OR ".join(conditions) or "false",
            selection=selection,
            sink=sink,
            progress=progress,
        )
        profiles = self._relation.rows()
        return Selected(
            profiles=profiles,
            members=members,
            duplicate_keys=self._relation.duplicates(self._source.key, profiles),
        )

    def keys_of(self, selection: Selection, digests: Mapping[str, Collection[bytes]]) -> Iterator[KeyFound]:
        require_fields(selection, self._source, self.columns())
        return keys_of(
            self._connection, self._relation, key=self._source.key, selection=selection, digests=digests
        )

    def rows(self, selection: Selection, sought: bytes | None = None) -> Iterator[RowsFound]:
        require_fields(selection, self._source, self.columns())
        conditions = [self._condition(segment) for segment in selection.segments]
        return rows(
            self._connection,
            self._relation,
            key=self._source.key,
            condition=" OR ".join(conditions) or "false",
            selection=selection,
            sought=sought,
        )

    def repeated_keys(self) -> int:
        return self._relation.duplicates(self._source.key, self._relation.rows())

    def examine(self, examination: Examination, progress: Callable[[int], None]) -> FieldExamined:
        require_fields(examination.selection, self._source, self.columns())
        conditions = [self._condition(segment) for segment in examination.segments]
        return examine(
            self._connection,
            self._relation,
            condition=" OR ".join(conditions) or "false",
            examination=examination,
            progress=progress,
        )

    def close(self) -> None:
        self._connection.close()
        shutil.rmtree(self._spill, ignore_errors=True)

    def _condition(self, segment: Segment) -> str:
        if segment.id in self._kept:
            return self._kept[segment.id]
        try:
            return member_condition(self._connection, segment, self._source.key)
        except InvalidFault as fault:
            if self._relation.known_rows != 0:
                raise
            # Without a row every column is text, and a comparison with a number is then no valid one.
            hint = f"{self._source.url} has no rows, so that the types of its columns are unknown"
            raise InvalidFault(fault.code, fault.message, where=fault.where, hint=hint) from None
