"""Whole rows are read a window at a time; what changed between two readings is never sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from cdp_core.contract.digests import DIGEST_SIZE, DigestBlock
from cdp_core.contract.faults import NeverSent
from cdp_core.contract.source import RowsFound
from cdp_core.runner.rows import PlannedRows

FIRST, SECOND = DigestBlock(b"a" * DIGEST_SIZE), DigestBlock(b"b" * DIGEST_SIZE)


def planned(table: dict[bytes, str], scratch: Path) -> PlannedRows:
    """Over a table of records with one value, which a test changes."""

    def rows(_selection: object, sought: bytes) -> Iterator[RowsFound]:
        found = [record for record in table if record in sought]
        yield RowsFound(
            records=pa.array(found, pa.binary(DIGEST_SIZE)),
            members=pa.array([True] * len(found), pa.bool_()),
            agreed=pa.array([True] * len(found), pa.bool_()),
            reasons=(),
            digests=(),
            values=(pa.array([table[record] for record in found], pa.string()),),
        )

    @contextmanager
    def opened(_scratch: Path) -> Iterator[Any]:
        yield SimpleNamespace(rows=rows)

    plan: Any = SimpleNamespace(digests=lambda *_: None)
    profiles: Any = SimpleNamespace(open=opened)
    selection: Any = SimpleNamespace(fields=(SimpleNamespace(column="city"),), matching=())
    return PlannedRows(
        plan=plan, profiles=profiles, selection=selection, late=lambda *_: (), scratch=scratch / "rows"
    )


@pytest.mark.parametrize("left", [{FIRST.bytes: "x"}, {}])
def test_a_row_that_changed_after_it_was_looked_at_is_not_sent_as_nothing(
    left: dict[bytes, str], tmp_path: Path
) -> None:
    table = {FIRST.bytes: "Utrecht", SECOND.bytes: "Delft"}
    rows = planned(table, tmp_path)
    assert list(rows.left_out("RECORD", SECOND)) == []
    assert rows.values("RECORD", SECOND).to_pydict() == {"city": ["Delft"]}
    # Another batch's thread has its own window read, and the table is another one by then.
    rows.left_out("RECORD", FIRST)
    table.clear()
    table.update(left)
    with pytest.raises(NeverSent):
        rows.values("RECORD", SECOND)
    assert list(rows.left_out("RECORD", SECOND)) == [0]
    assert rows.changed
