"""The Spark engine: segments are Spark SQL, and our own rules run on the executors over what they select.

Digests and counts are staged in a folder that the cluster and this process share, and streamed from there.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, closing
from pathlib import Path

from cdp_core.contract.source import (
    DigestSink,
    Engine,
    EngineContext,
    KeptKeys,
    KeyFound,
    Selected,
    Selection,
)
from cdp_core.engines.fields import require_fields, require_key
from cdp_core.engines.spark.address import STAGING, Address, address_of
from cdp_core.engines.spark.identify import Preparation
from cdp_core.engines.spark.kept import kept_condition, keys_in
from cdp_core.engines.spark.segments import count_members, member_condition, names_in, where_of
from cdp_core.engines.spark.session import Session
from cdp_core.engines.spark.staging import Staging, staging_at
from cdp_core.engines.spark.table import find_table
from cdp_core.errors import Code, InvalidFault
from cdp_core.model.configuration import Column, Segment
from cdp_core.workspace.files import scratch_folder


class SparkEngine(Engine):
    """Starts Spark at once, so that a missing Java, a wrong table or key is told before anything is asked."""

    def __init__(self, context: EngineContext) -> None:
        self._source = context.source
        self._kept: dict[str, str] = {}
        address = address_of(context.source)
        context.scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
        with ExitStack() as opened:
            folder = scratch_folder("spark-", context.scratch.absolute())
            opened.callback(shutil.rmtree, folder, ignore_errors=True)
            self._session = opened.enter_context(closing(Session(address, folder, url=context.source.url)))
            self._staging = Staging(self._place(address, folder, context.shared))
            opened.callback(self._staging.remove)
            self._table = find_table(self._session, address.table, context.source.url)
            require_key(context.source, self._table.columns)
            self._opened = opened.pop_all()

    def columns(self) -> tuple[Column, ...]:
        return self._table.columns

    def check_segment(self, segment: Segment) -> int:
        return count_members(self._session, segment, self._condition(segment))

    def keys_in(self, segment: Segment) -> Iterator[bytes]:
        condition = member_condition(self._session, segment, self._source.key)
        return keys_in(self._session, self._table, self._source.key, segment, condition)

    def keep(self, kept: Mapping[str, KeptKeys]) -> None:
        for segment_id, keys in kept.items():
            self._kept[segment_id] = kept_condition(
                self._session, self._table, self._source.key, segment_id, keys
            )

    def names_in(self, segment: Segment) -> frozenset[str]:
        return names_in(self._session, segment)

    def identify(self, selection: Selection, sink: DigestSink, progress: Callable[[int], None]) -> Selected:
        preparation = self._preparation(selection)
        condition = " OR ".join(map(self._condition, selection.segments)) or "false"
        where = ", ".join(map(where_of, selection.segments))
        members = preparation.identify(condition, where, sink, progress)
        profiles, duplicates = self._table.counted(self._source.key)
        return Selected(profiles=profiles, members=members, duplicate_keys=duplicates)

    def keys_of(self, selection: Selection, digests: Mapping[str, Collection[bytes]]) -> Iterator[KeyFound]:
        return self._preparation(selection).keys_of(self._source.key, digests)

    def close(self) -> None:
        self._opened.close()

    def _place(self, address: Address, folder: Path, shared: str | None) -> str:
        """Where to stage: on one machine a folder of this engine's own; on a cluster, unless it is said,
        below the URL where the ledgers lie."""
        if address.staging is not None:
            return address.staging
        if self._session.is_local:
            return str(folder)
        if shared is not None and (place := staging_at(shared)):
            return place
        raise InvalidFault(
            Code.SETTING_INVALID,
            "a cluster needs a folder that its executors and this machine share, to stage digests in",
            where=self._source.url,
            hint=f"--option {STAGING}=/mnt/shared/cdp, or a URL: --option {STAGING}=s3a://bucket/cdp; "
            "or keep the ledgers where both reach them: cdp ledger move --to s3://bucket/prefix",
        )

    def _preparation(self, selection: Selection) -> Preparation:
        require_fields(selection, self._source, self.columns())
        return Preparation(self._session, self._table, self._staging, selection)

    def _condition(self, segment: Segment) -> str:
        if segment.id in self._kept:
            return self._kept[segment.id]
        return member_condition(self._session, segment, self._source.key)
