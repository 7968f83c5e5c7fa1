"""Whole rows on their way: their values are read at delivery, a window of the plan at a time, and kept in
memory alone.

A row is sent only as it was planned: whose record is another one by now, or is gone, is left out, and so is
who withdrew or was suppressed meanwhile. The next run plans them anew.
"""

from __future__ import annotations

import dataclasses
import shutil
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from cdp_core.contract.destination import Batch, Destination, NewAudience
from cdp_core.contract.digests import DIGEST_SIZE, DigestBlock
from cdp_core.contract.faults import NeverSent
from cdp_core.contract.source import RowsFound, Selection
from cdp_core.model.delivery import Audience, Operation, Receipt
from cdp_core.pipeline.digest_sets import as_bytes, from_bytes
from cdp_core.pipeline.plan import Plan, PlanPart
from cdp_core.pipeline.ports import Screen
from cdp_core.runner.profiles import Profiles
from cdp_core.workspace.files import make_private_folder

# Rows whose values are in memory at once, or a batch's where that is more.
WINDOW = 250_000


class PlannedRows:
    """The rows of a plan's additions. `late` tells whose identifiers were suppressed, and which
    records were withdrawn, since it was made."""

    def __init__(
        self, *, plan: Plan, profiles: Profiles, selection: Selection, late: Screen, scratch: Path
    ) -> None:
        self._plan = plan
        self._profiles = profiles
        self._selection = selection
        self._late = late
        self._scratch = scratch
        self._guard = threading.Lock()
        self._window = _Window(b"", ())
        self.changed = 0

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(chosen.column for chosen in self._selection.fields)

    def left_out(self, kind: str, records: DigestBlock) -> Iterable[int]:
        """The places (from 0) of those that are not to be sent any more."""
        with self._guard:
            rows = self._rows(kind, records)
        there = rows.places.is_valid()
        if not there.true_count:
            self.changed = max(self.changed, len(records))
            return range(len(records))
        out = set(pc.indices_nonzero(pc.invert(there)).to_pylist())
        self.changed = max(self.changed, len(out))
        out.update(pc.indices_nonzero(pc.invert(pc.fill_null(rows.agreed, fill_value=True))).to_pylist())
        out.update(self._late(kind, records))
        for match, digests in zip(self._selection.matching, rows.digests, strict=True):
            places = pc.indices_nonzero(digests.is_valid())
            found = DigestBlock(bytes(as_bytes(digests.drop_null())))
            out.update(places[place].as_py() for place in self._late(match.kind, found))
        return out

    def values(self, kind: str, records: DigestBlock) -> pa.Table:
        """The chosen fields of each, in the order of the records, which were all there when they were looked
        at. Raises `NeverSent` where one has changed since: another batch may have had the table read anew."""
        with self._guard:
            rows = self._rows(kind, records)
        if rows.places.null_count:
            raise NeverSent("a row has changed since its batch was made")
        return pa.table(dict(zip(self.columns, rows.values, strict=True)))

    def _rows(self, kind: str, records: DigestBlock) -> _Rows:
        if not self._window.has(records):
            self._window = self._read(self._ahead(kind, records))
        return self._window.of(records)

    def _ahead(self, kind: str, records: DigestBlock) -> bytes:
        """The records and those that come after them in the plan, as many as a window has."""
        digests = self._plan.digests(PlanPart.ADD, kind)
        place = digests.find(next(iter(records))) if digests and len(records) else None
        if digests is None or place is None:
            return records.bytes
        ahead = digests.slice(place, min(max(WINDOW, len(records)), digests.rows - place))
        return ahead if records.bytes == ahead[: len(records.bytes)] else records.bytes

    def _read(self, sought: bytes) -> _Window:
        # What was read before makes room first.
        self._window = _Window(b"", ())
        make_private_folder(self._scratch)
        try:
            with self._profiles.open(self._scratch) as engine:
                return _Window(sought, tuple(engine.rows(self._selection, sought)))
        finally:
            shutil.rmtree(self._scratch, ignore_errors=True)


@dataclasses.dataclass(frozen=True, slots=True)
class _Rows:
    """Of so many records, in their order, where their rows are among those that were read, and what was."""

    places: pa.Array
    agreed: pa.Array
    digests: tuple[pa.Array, ...]
    values: tuple[pa.Array, ...]


class _Window:
    def __init__(self, sought: bytes, found: tuple[RowsFound, ...]) -> None:
        self._sought = from_bytes(sought)
        self._records = _joined([block.records for block in found])
        self._agreed = _joined([block.agreed for block in found])
        self._digests = tuple(map(_joined, zip(*(block.digests for block in found), strict=True)))
        self._values = tuple(map(_joined, zip(*(block.values for block in found), strict=True)))

    def has(self, records: DigestBlock) -> bool:
        return bool(pc.all(pc.is_in(from_bytes(records.bytes), value_set=self._sought)).as_py())

    def of(self, records: DigestBlock) -> _Rows:
        if not len(self._records):
            nothing = pa.nulls(len(records), pa.int32())
            return _Rows(nothing, pa.nulls(len(records), pa.bool_()), (), ())
        places = pc.index_in(from_bytes(records.bytes), value_set=self._records)
        return _Rows(
            places,
            self._agreed.take(places),
            tuple(each.take(places) for each in self._digests),
            tuple(each.take(places) for each in self._values),
        )


def _joined(arrays: Iterable[pa.Array]) -> pa.Array:
    found = list(arrays)
    return pa.concat_arrays(found) if found else pa.array([], pa.binary(DIGEST_SIZE))


class WithRows(Destination):
    """A destination of whole rows, which is handed the values of what it adds."""

    def __init__(self, destination: Destination, rows: PlannedRows) -> None:
        self._destination = destination
        self._rows = rows

    def deliver(self, batch: Batch) -> Receipt:
        if batch.operation is Operation.ADD:
            rows = self._rows.values(batch.kind, batch.digests)
        else:
            count = len(batch.digests)
            rows = pa.table({column: pa.nulls(count, pa.string()) for column in self._rows.columns})
        return self._destination.deliver(dataclasses.replace(batch, rows=rows))

    def finish(self, *, whole: bool) -> None:
        """What lacks a row that has changed meanwhile is not the whole."""
        self._destination.finish(whole=whole and not self._rows.changed)

    def verify(self) -> Audience:
        return self._destination.verify()

    def audiences(self) -> Iterator[Audience]:
        return self._destination.audiences()

    def create_audience(self, request: NewAudience) -> Audience:
        return self._destination.create_audience(request)

    def remove_all(self) -> Receipt:
        return self._destination.remove_all()

    def audience_status(self) -> Audience:
        return self._destination.audience_status()
