"""Select and identify: one query whose rows go through the rules on the executors, and come out staged.

No raw value leaves them: Spark gives our tasks the columns that are matched, and takes digests and counts.
"""

# ruff: noqa: S608 - names are quoted by `text`, and a segment's text is read by `reach` first
from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterator, Mapping
from importlib import metadata
from typing import Any

from cdp_core.contract.source import DigestSink, KeyFound, Selection
from cdp_core.engines.places import QueryPlace
from cdp_core.engines.spark.session import Session
from cdp_core.engines.spark.staging import Staging
from cdp_core.engines.spark.table import Table
from cdp_core.engines.spark.tasks import FOUND, MEMBERS, REASONS, STAGED, WITHHELD, Work
from cdp_core.engines.spark.text import binary
from cdp_core.engines.verdicts import DIGEST
from cdp_core.model.policy import MemberConsent


class Preparation:
    """How one selection is read."""

    def __init__(self, session: Session, table: Table, staging: Staging, selection: Selection) -> None:
        self._session = session
        self._table = table
        self._staging = staging
        self._selection = selection

    def identify(self, condition: str, where: str, sink: DigestSink, progress: Callable[[int], None]) -> int:
        """Hand every member's values to the sink; the number of members."""
        consent, members = self._selection.consent, 0
        pieces = self._staged(self._query(condition, consent), self._work(consent), where)
        for kind, what, values, digests in self._staging.read(pieces):
            if what == MEMBERS:
                members += values
                progress(members)
            elif what == DIGEST:
                sink.digests(kind, digests)
            elif what == WITHHELD:
                sink.withheld(kind, digests)
            else:
                sink.reason(kind, REASONS[what], values)
        return members

    def keys_of(self, key: str, digests: Mapping[str, Collection[bytes]]) -> Iterator[KeyFound]:
        """The keys of all rows that yield one of the digests."""
        query = f"SELECT {self._table.text_of(key)} AS row_key, {', '.join(self._columns())} FROM profiles"
        find = functools.partial(self._work(None).find, {kind: frozenset(of) for kind, of in digests.items()})
        frame = self._mapped(query, find, FOUND, "")
        for row in self._session.run(frame.collect, where=""):
            yield KeyFound(
                key=bytes(row.row_key or b"").decode(errors="surrogateescape"),
                kind=row.kind,
                digest=bytes(row.digest),
            )

    def _staged(self, query: str, work: Work, where: str) -> int:
        """Run the query and its tasks; how many pieces were staged."""
        from pyspark.sql import Observation
        from pyspark.sql.functions import count, lit

        written = Observation()
        frame = self._mapped(query, work.identify, STAGED, where).observe(written, count(lit(1)).alias("n"))
        # Digests are like no others, and cannot be compressed.
        how = {"compression": "uncompressed", "parquet.enable.dictionary": "false"}
        folder = self._staging.fresh()
        place = self._staging.place
        self._session.run(lambda: frame.write.options(**how).parquet(folder), where=where, staging=place)
        return int(written.get["n"])

    def _mapped(self, query: str, task: Callable[[Any], Any], schema: str, where: str) -> Any:
        def on_executor(batches: Any) -> Any:
            return task(batches)

        frame = self._session.analysed(query, QueryPlace(""), where=where)
        return frame.mapInArrow(on_executor, schema)

    def _work(self, consent: MemberConsent | None) -> Work:
        selection = self._selection
        return Work(
            kinds_of_matches=tuple(match.kind for match in selection.matching),
            kinds={match.kind: selection.kinds[match.kind] for match in selection.matching},
            region=selection.region,
            consent=consent,
            version=metadata.version("cdp-core"),
        )

    def _query(self, condition: str, consent: MemberConsent | None) -> str:
        """The members' rows; where consent is asked also those of all others that do not plainly say yes."""
        columns = ", ".join(self._columns())
        if consent is None:
            return f"SELECT {columns} FROM profiles AS profiles WHERE {condition}"
        said = self._table.text_of(consent.field)
        row = f"SELECT ({condition}) AS member, {said} AS said, {columns} FROM profiles"
        plainly = ", ".join(map(binary, consent.granted))
        return f"SELECT * FROM ({row}) AS row WHERE member OR coalesce(said NOT IN ({plainly}), true)"

    def _columns(self) -> list[str]:
        region, text_of = self._selection.region_field, self._table.text_of
        fields = enumerate(match.field for match in self._selection.matching)
        columns = [f"{text_of(field)} AS value{n}" for n, field in fields]
        return [*columns, f"{text_of(region) if region is not None else 'CAST(NULL AS BINARY)'} AS region"]
