"""The memory that queries may take follows the machine, its container, or `cdp.toml`."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cdp_core.contract.source import EngineContext
from cdp_core.engines.duckdb.engine import DuckDBEngine
from cdp_core.engines.duckdb.memory import LEAST, share_of_memory
from cdp_core.model.configuration import ProfileSource

MACHINE = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def test_it_is_a_sixteenth_of_the_machine(tmp_path: Path) -> None:
    assert share_of_memory((tmp_path / "none",)) == max(LEAST, MACHINE // 16)


@pytest.mark.parametrize(
    ("limit", "share"),
    [
        (str(MACHINE // 2), max(LEAST, MACHINE // 32)),
        (str(64 << 20), LEAST),
        ("max", max(LEAST, MACHINE // 16)),
        ("9223372036854771712", max(LEAST, MACHINE // 16)),
    ],
)
def test_a_container_is_held_to_less(tmp_path: Path, limit: str, share: int) -> None:
    file = tmp_path / "memory.max"
    file.write_text(limit + "\n")
    assert share_of_memory((file,)) == share


def test_the_engine_keeps_to_what_it_is_told(tmp_path: Path) -> None:
    path = tmp_path / "profiles.parquet"
    pq.write_table(pa.table({"id": ["1"]}), path)
    context = EngineContext(
        source=ProfileSource(url=str(path), key="id"), scratch=tmp_path / "scratch", memory_limit=300 << 20
    )
    engine = DuckDBEngine(context)
    limit = engine._connection.execute("SELECT current_setting('memory_limit')").fetchone()
    engine.close()
    assert limit == ("300.0 MiB",)
