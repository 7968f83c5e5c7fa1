"""The ledger's files: what a whole first plan costs, what is verified, and what is swept."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cdp_core.errors import Code, GateFault, InvalidFault
from cdp_core.model.delivery import BatchOutcome, BatchStatus, Operation
from cdp_core.model.explanation import Held
from cdp_core.model.ledger import LedgerFile, LedgerPart
from cdp_core.pipeline import ledger
from cdp_core.pipeline.compare import compare
from cdp_core.pipeline.plan import Plan, PlanPart

Digest = Callable[[object], bytes]
Make = Callable[..., Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ledger").mkdir(mode=0o700)
    return tmp_path / "ledger"


@pytest.fixture
def plan(folder: Path, digest: Digest, prepared: Make) -> Plan:
    wanted = prepared(4, EMAIL=[digest(n) for n in range(100)])
    return compare(wanted, ledger_folder=folder, files=(), export_id="e", folder=folder.parent / "plan")


def outcomes(plan: Plan, status: BatchStatus) -> list[BatchOutcome]:
    return [BatchOutcome(range=batch, status=status) for batch, _ in plan.blocks(Operation.ADD, "EMAIL", 30)]


def applied(folder: Path, plan: Plan, status: BatchStatus = BatchStatus.ACCEPTED) -> tuple[LedgerFile, ...]:
    return ledger.apply(folder, (), plan, outcomes(plan, status), export_id="e")


def test_a_first_plan_that_was_accepted_whole_becomes_the_ledger_without_being_written_again(
    folder: Path, plan: Plan
) -> None:
    (file,) = applied(folder, plan)
    planned = plan.file(PlanPart.ADD, "EMAIL")
    assert planned is not None
    assert (folder / file.path).samefile(plan.folder / planned.path)
    assert (file.rows, file.sha256, file.export_id, file.kind) == (100, planned.sha256, "e", "EMAIL")
    ledger.verify(folder, [file])


def test_where_files_cannot_be_linked_they_are_copied(
    folder: Path, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*paths: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    (file,) = applied(folder, plan)
    assert (folder / file.path).stat().st_nlink == 1
    assert (folder / file.path).stat().st_mode & 0o777 == 0o600
    ledger.verify(folder, [file])


def test_a_run_of_which_nothing_is_known_to_have_arrived_leaves_only_perhapses(
    folder: Path, plan: Plan
) -> None:
    (file,) = applied(folder, plan, BatchStatus.JOURNALED)
    assert (file.part, file.rows) == ("unconfirmed", 100)
    assert applied(folder, plan, BatchStatus.REFUSED) == ()
    assert applied(folder, plan, BatchStatus.NOT_SENT) == ()


def test_acceptance_counts_first_where_a_digest_was_in_two_batches(folder: Path, plan: Plan) -> None:
    told = [*outcomes(plan, BatchStatus.ACCEPTED), *outcomes(plan, BatchStatus.UNKNOWN)]
    (file,) = ledger.apply(folder, (), plan, told, export_id="e")
    assert (file.part, file.rows) == ("base", 100)


def test_an_unchanged_run_writes_nothing(folder: Path, plan: Plan, digest: Digest, prepared: Make) -> None:
    files = applied(folder, plan)
    before = sorted(folder.rglob("*"))
    again = prepared(1, EMAIL=[digest(n) for n in range(100)])
    unchanged = compare(
        again, ledger_folder=folder, files=files, export_id="e", folder=folder.parent / "plan2"
    )
    assert unchanged.counts["EMAIL"].unchanged == 100
    assert dict(unchanged.totals) == {}
    assert ledger.apply(folder, files, unchanged, [], export_id="e") == files
    assert sorted(folder.rglob("*")) == before


def test_a_kind_that_is_not_matched_any_more_is_taken_out(
    folder: Path, plan: Plan, digest: Digest, prepared: Make
) -> None:
    files = applied(folder, plan)
    phones = compare(
        prepared(PHONE=[digest("p")]),
        ledger_folder=folder,
        files=files,
        export_id="e",
        folder=folder.parent / "plan2",
    )
    assert phones.totals == {(Operation.ADD, "PHONE"): 1, (Operation.REMOVE, "EMAIL"): 100}
    assert phones.counts["EMAIL"].balances


@pytest.mark.parametrize("harm", ["missing", "changed"])
def test_a_ledger_file_that_differs_is_a_gate_that_names_it(harm: str, folder: Path, plan: Plan) -> None:
    (file,) = applied(folder, plan)
    path = folder / file.path
    content = path.read_bytes()
    path.unlink()
    if harm == "changed":
        path.write_bytes(content[:-1] + b"!")
    with pytest.raises(GateFault) as caught:
        ledger.verify(folder, [file])
    assert (caught.value.code, caught.value.where) == (Code.LEDGER_DIFFERS, str(path))


def test_sweeping_takes_old_files_that_no_list_names(folder: Path, plan: Plan) -> None:
    (kept,) = applied(folder, plan)
    (orphan,) = applied(folder, plan)
    assert ledger.sweep(folder, [kept.path]) == 0
    assert ledger.sweep(folder, [kept.path], older_than=-1) == 1
    assert (folder / kept.path).exists()
    assert not (folder / orphan.path).exists()


def test_a_full_disk_leaves_no_half_ledger_file(
    folder: Path, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cdp_core.pipeline.digest_file.sync", full)
    with pytest.raises(InvalidFault) as caught:
        ledger.apply(folder, (), plan, outcomes(plan, BatchStatus.ACCEPTED)[:2], export_id="e")
    assert caught.value.code is Code.DISK_FULL
    assert list(folder.rglob("*.parquet")) == []


def test_whether_a_digest_is_held_follows_the_files_in_their_order(
    folder: Path, digest: Digest, digest_file: Make
) -> None:
    def file(part: LedgerPart, *numbers: int) -> LedgerFile:
        written = digest_file([digest(n) for n in numbers])
        path = folder / written.path.name
        written.path.rename(path)
        return LedgerFile(
            export_id="e", kind="EMAIL", part=part, path=path.name, sha256=written.sha256, rows=written.rows
        )

    files = [
        file(LedgerPart.BASE, 1, 2, 3),
        file(LedgerPart.ENDED, 2, 3),
        file(LedgerPart.ADDED, 3, 4),
        file(LedgerPart.ENDED, 4),
        file(LedgerPart.UNCONFIRMED, 5),
    ]
    held = {n: ledger.holds(folder, files, digest(n)) for n in range(1, 7)}
    assert held == {1: Held.YES, 2: Held.NO, 3: Held.YES, 4: Held.NO, 5: Held.PERHAPS, 6: Held.NO}
