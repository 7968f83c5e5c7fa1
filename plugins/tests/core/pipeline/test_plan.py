"""The plan on disk: whole or not there, in one order, and only what was written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from cdp_core.errors import Code, GateFault, InvalidFault
from cdp_core.model.accounting import KindCounts
from cdp_core.model.delivery import BatchRange, Operation
from cdp_core.pipeline.compare import compare
from cdp_core.pipeline.plan import MANIFEST, Plan

Digest = Callable[[object], bytes]
Make = Callable[..., Any]


@pytest.fixture
def plan(tmp_path: Path, digest: Digest, prepared: Make) -> Plan:
    wanted = prepared(16, EMAIL=[digest(n) for n in range(250)], PHONE=[digest(n) for n in range(3)])
    return compare(wanted, ledger_folder=tmp_path, files=(), export_id="e", folder=tmp_path / "plans" / "p1")


def test_a_first_plan_adds_everything(plan: Plan) -> None:
    assert plan.kinds == ("EMAIL", "PHONE")
    assert plan.totals == {(Operation.ADD, "EMAIL"): 250, (Operation.ADD, "PHONE"): 3}
    assert plan.counts["EMAIL"] == KindCounts(read=250, added=250)
    assert plan.counts["EMAIL"].balances


def test_blocks_come_in_the_order_in_which_batches_are_read_again(plan: Plan, digest: Digest) -> None:
    blocks = list(plan.blocks(Operation.ADD, "EMAIL", 100))
    assert [batch for batch, _ in blocks] == [
        BatchRange(operation=Operation.ADD, kind="EMAIL", start=start, count=count)
        for start, count in ((0, 100), (100, 100), (200, 50))
    ]
    assert {each for _, block in blocks for each in block} == {digest(n) for n in range(250)}
    for batch, block in blocks:
        assert plan.read(batch) == block
    half = BatchRange(operation=Operation.ADD, kind="EMAIL", start=150, count=30)
    assert plan.read(half) == blocks[1][1].slice(50, 30)
    assert list(plan.blocks(Operation.REMOVE, "EMAIL", 100)) == []


def test_a_plan_is_opened_as_it_was_written(plan: Plan) -> None:
    opened = Plan.open(plan.folder, plan.sha256)
    assert opened.counts == plan.counts
    assert opened.totals == plan.totals
    assert list(opened.blocks(Operation.ADD, "EMAIL", 1_000)) == list(
        plan.blocks(Operation.ADD, "EMAIL", 1_000)
    )


def test_a_plan_can_be_looked_at_with_any_reader_of_parquet(plan: Plan) -> None:
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"SELECT operation, kind, count(*) FROM '{plan.folder}/**/*.parquet' GROUP BY ALL ORDER BY kind"
        ).fetchall()
    assert rows == [("add", "EMAIL", 250), ("add", "PHONE", 3)]


def test_the_same_digests_make_the_same_plan(
    plan: Plan, tmp_path: Path, digest: Digest, prepared: Make
) -> None:
    again = prepared(16, EMAIL=[digest(n) for n in range(250)][::-1], PHONE=[digest(n) for n in range(3)])
    other = compare(again, ledger_folder=tmp_path, files=(), export_id="e", folder=tmp_path / "plans" / "p2")
    assert other.sha256 == plan.sha256


@pytest.mark.parametrize(
    "harm", ["missing folder", "missing file", "changed file", "changed sums", "other digest"]
)
def test_a_plan_that_differs_from_what_was_written_is_a_gate(plan: Plan, harm: str) -> None:
    file = next(plan.folder.rglob("kind=EMAIL/digests.parquet"))
    digest = plan.sha256
    if harm == "missing folder":
        plan.folder.rename(plan.folder.with_name("elsewhere"))
    elif harm == "missing file":
        file.unlink()
    elif harm == "changed file":
        content = bytearray(file.read_bytes())
        content[100] ^= 1
        file.write_bytes(content)
    elif harm == "changed sums":
        manifest = plan.folder / MANIFEST
        manifest.write_text(manifest.read_text().replace("250", "251"))
    else:
        digest = "0" * 64
    with pytest.raises(GateFault) as caught:
        Plan.open(plan.folder, digest)
    assert caught.value.code is Code.PLAN_DIFFERS
    assert str(plan.folder) in caught.value.where


def test_a_full_disk_leaves_no_half_plan(
    tmp_path: Path, digest: Digest, prepared: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = prepared(EMAIL=[digest(1)])

    def full(path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cdp_core.pipeline.plan.sync", full)
    folder = tmp_path / "plans" / "p1"
    with pytest.raises(InvalidFault) as caught:
        compare(wanted, ledger_folder=tmp_path, files=(), export_id="e", folder=folder)
    assert caught.value.code is Code.DISK_FULL
    assert list((tmp_path / "plans").iterdir()) == []


def test_everything_in_a_plan_is_private(plan: Plan) -> None:
    assert all(path.stat().st_mode & 0o077 == 0 for path in [plan.folder, *plan.folder.rglob("*")])
