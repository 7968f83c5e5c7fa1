"""Prepare whole rows: which records may be sent, and which must not be, whatever else is wanted.

What screens a row is the identifiers that its matched fields yield, all of them: one that is suppressed, or
withheld since some row of the table yields it without consent, keeps the whole row back. A row that yields
none cannot be screened, and is not sent. Digests and records come from the engine and no value; who is
withheld is known when all rows have been read, so that the rows wait in a scratch file until then.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc

from cdp_core.contract.source import Engine, RowsFound, Selection
from cdp_core.model.accounting import Reason
from cdp_core.pipeline.digest_sets import DIGEST, EMPTY, as_bytes, union
from cdp_core.pipeline.disk import writing
from cdp_core.pipeline.grouping import Grouping
from cdp_core.pipeline.prepare import Prepared, prepared_kind
from cdp_core.pipeline.seal import PLAIN, Seal
from cdp_core.pipeline.suppressed import Suppressed
from cdp_core.rules.records import RECORD, RECORDS

_CODES = {reason: code for code, reason in enumerate(Reason, 1)}


def prepare_rows(
    engine: Engine,
    selection: Selection,
    into: Path,
    progress: Callable[[int], None],
    suppressed: Suppressed | None = None,
    *,
    seal: Seal = PLAIN,
) -> Prepared:
    """As `prepare`, for whole rows: what is counted are members, under the one kind `RECORD`.

    Raises `InvalidFault` as the engine does, and where the disk is full.
    """
    with (
        writing(into),
        tempfile.TemporaryFile(dir=into, prefix="records-") as scratch,
        Grouping({RECORD: RECORDS}, into, seal=seal) as grouping,
    ):
        reading = _Reading(selection)
        reading.write(engine.rows(selection), scratch, progress)
        screen = _Screen(selection, reading.withheld(), suppressed or Suppressed())
        for batch in reading.again(scratch):
            screen.pass_on(batch, grouping)
        return Prepared(
            profiles=reading.rows,
            members=reading.members,
            duplicate_keys=engine.repeated_keys(),
            kinds={RECORD: prepared_kind(grouping, RECORD, reading.members, into)},
        )


class _Reading:
    """All rows once: how many there are, and the digests of those without consent."""

    def __init__(self, selection: Selection) -> None:
        self._selection = selection
        self._refused: dict[str, list[pa.Array]] = {match.kind: [] for match in selection.matching}
        self.rows = 0
        self.members = 0

    def write(self, found: Iterator[RowsFound], to: IO[bytes], progress: Callable[[int], None]) -> None:
        writer = None
        for block in found:
            batch = self._batch(block)
            writer = writer or pa.ipc.new_stream(to, batch.schema)
            writer.write_batch(batch)
            self.rows += batch.num_rows
            self.members += block.members.true_count
            progress(self.members)
        if writer is not None:
            writer.close()

    def again(self, scratch: IO[bytes]) -> Iterator[pa.RecordBatch]:
        scratch.seek(0)
        if self.rows:
            yield from pa.ipc.open_stream(scratch)

    def withheld(self) -> dict[str, pa.Array]:
        return {kind: union(refused) for kind, refused in self._refused.items() if refused}

    def _batch(self, block: RowsFound) -> pa.RecordBatch:
        columns = {"record": block.records, "member": block.members, "agreed": block.agreed}
        refusing = pc.invert(block.agreed)
        for n, match in enumerate(self._selection.matching):
            digests, reasons = block.digests[n], block.reasons[n]
            placeholders = self._selection.kinds[match.kind].placeholders
            codes = pa.array([_CODES[reason] if reason else 0 for reason in reasons], pa.uint8())
            is_placeholder = pc.is_in(digests, value_set=pa.array(sorted(placeholders), DIGEST))
            codes = pc.if_else(is_placeholder, pa.scalar(_CODES[Reason.PLACEHOLDER], pa.uint8()), codes)
            digests = pc.if_else(is_placeholder, pa.scalar(None, DIGEST), digests)
            columns |= {f"digest{n}": digests, f"reason{n}": codes}
            if refusing.true_count:
                self._refused[match.kind].append(digests.filter(refusing).drop_null())
        return pa.RecordBatch.from_pydict(columns)


class _Screen:
    """Gives each member's row to the grouping: its record, or why it is not sent; and the records of all
    rows, members or not, that must not be."""

    def __init__(self, selection: Selection, withheld: dict[str, pa.Array], suppressed: Suppressed) -> None:
        self._kinds = [match.kind for match in selection.matching]
        self._withheld = [withheld.get(kind, EMPTY) for kind in self._kinds]
        self._suppressed = [next(suppressed.read(kind, 1)) for kind in self._kinds]

    def pass_on(self, batch: pa.RecordBatch, grouping: Grouping) -> None:
        records, left = batch.column("record"), batch.column("member")
        digests = [batch.column(f"digest{n}") for n in range(len(self._kinds))]
        refused = pc.or_(pc.invert(batch.column("agreed")), _any(digests, self._withheld))
        suppressed = _any(digests, self._suppressed)
        barred = records.filter(pc.and_(pc.or_(refused, suppressed), records.is_valid()))
        grouping.withheld(RECORD, as_bytes(barred))
        reasons: Counter[Reason] = Counter()
        for reason, holds in (
            (Reason.MISSING, records.is_null()),
            *self._unscreened(batch, digests),
            (Reason.WITHOUT_CONSENT, refused),
            (Reason.SUPPRESSED, suppressed),
        ):
            reasons[reason] += pc.and_(left, holds).true_count
            left = pc.and_not(left, holds)
        for reason, number in reasons.items():
            grouping.reason(RECORD, reason, number)
        grouping.digests(RECORD, as_bytes(records.filter(left)))

    def _unscreened(
        self, batch: pa.RecordBatch, digests: Sequence[pa.Array]
    ) -> Iterator[tuple[Reason, pa.Array]]:
        """Rows that yield no identifier at all, by the first reason that holds for one of their fields."""
        nothing = reduce(pc.and_, [each.is_null() for each in digests])
        for reason in (Reason.MISSING, Reason.PLACEHOLDER, Reason.MALFORMED, Reason.UNSUPPORTED):
            code = pa.scalar(_CODES[reason], pa.uint8())
            said = [pc.equal(batch.column(f"reason{n}"), code) for n in range(len(digests))]
            yield reason, pc.and_(nothing, reduce(pc.or_, said))


def _any(digests: Sequence[pa.Array], barred: Sequence[pa.Array]) -> pa.Array:
    """Of each row, whether one of its identifiers is among those of its kind that are barred."""
    return reduce(pc.or_, [pc.is_in(each, value_set=of) for each, of in zip(digests, barred, strict=True)])
