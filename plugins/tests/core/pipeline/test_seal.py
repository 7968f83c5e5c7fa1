"""Encrypted digest files: read with their key, by nobody else, and beside plain ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from cdp_core.errors import Code, GateFault
from cdp_core.model.delivery import BatchOutcome, BatchStatus
from cdp_core.model.ledger import LedgerFile
from cdp_core.pipeline import ledger
from cdp_core.pipeline.claims import LedgerReader
from cdp_core.pipeline.compare import compare
from cdp_core.pipeline.digest_file import DigestFile, DigestFileWriter, split
from cdp_core.pipeline.digest_sets import distinct, from_bytes
from cdp_core.pipeline.plan import Plan
from cdp_core.pipeline.prepare import Prepared
from cdp_core.pipeline.seal import PLAIN, Seal, is_encrypted

Digest = Callable[[object], bytes]
KEY, OTHER = b"k" * 32, b"o" * 32
SEAL = Seal(lambda: KEY, encrypts=True)


def write(path: Path, digests: list[bytes], seal: Seal, ranges: int = 4) -> Path:
    with DigestFileWriter(path, seal) as file:
        for part in split([distinct(from_bytes(b"".join(digests)))], 1, ranges):
            file.write(part)
        return file.close(durable=False).path


@pytest.fixture
def digests(digest: Digest) -> list[bytes]:
    return [digest(n) for n in range(1_000)]


@pytest.fixture
def sealed(tmp_path: Path, digests: list[bytes]) -> Path:
    return write(tmp_path / "sealed.parquet", digests, SEAL)


def test_what_was_encrypted_is_read_with_its_key_as_if_it_were_plain(
    tmp_path: Path, digests: list[bytes], sealed: Path
) -> None:
    plain = write(tmp_path / "plain.parquet", digests, PLAIN)
    one, other = DigestFile(sealed, SEAL), DigestFile(plain, SEAL)
    assert (is_encrypted(sealed), is_encrypted(plain)) == (True, False)
    assert one.rows_per_range == other.rows_per_range
    assert list(one.blocks(100)) == list(other.blocks(100))
    assert [each.to_pylist() for each in one.read(16)] == [each.to_pylist() for each in other.read(16)]
    assert one.slice(300, 7) == other.slice(300, 7)
    assert one.find(digests[5]) == other.find(digests[5]) is not None


def test_nothing_of_a_digest_stands_in_an_encrypted_file(digests: list[bytes], sealed: Path) -> None:
    content = sealed.read_bytes()
    assert not any(digest[:8] in content for digest in digests)
    with pytest.raises(OSError, match="encrypt"):
        pq.read_table(sealed)


def test_two_files_of_the_same_digests_have_keys_of_their_own(
    tmp_path: Path, digests: list[bytes], sealed: Path
) -> None:
    again = write(tmp_path / "again.parquet", digests, SEAL)
    assert again.read_bytes() != sealed.read_bytes()


@pytest.mark.parametrize("master", [None, OTHER])
def test_without_the_key_it_is_said_what_is_wrong_and_what_to_do(sealed: Path, master: bytes | None) -> None:
    file = DigestFile(sealed, Seal(lambda: master, encrypts=False))
    with pytest.raises(GateFault) as refused:
        list(file.blocks(10))
    assert refused.value.code is Code.LEDGER_SEALED
    assert str(sealed) in refused.value.where
    assert "vault" in refused.value.hint
    assert KEY.decode() not in f"{refused.value}{refused.value.hint}{file!r}{SEAL!r}"


def test_a_file_that_was_tampered_with_does_not_open(sealed: Path) -> None:
    content = bytearray(sealed.read_bytes())
    content[len(content) // 2] ^= 1
    sealed.write_bytes(content)
    with pytest.raises((GateFault, OSError)):
        list(DigestFile(sealed, SEAL).blocks(10))


def test_nothing_is_written_encrypted_without_a_key(tmp_path: Path) -> None:
    with pytest.raises(GateFault) as refused:
        DigestFileWriter(tmp_path / "f.parquet", Seal(lambda: None, encrypts=True))
    assert "cdp ledger encrypt" in refused.value.hint
    assert list(tmp_path.iterdir()) == []


def test_a_plan_and_its_ledger_are_encrypted_and_say_the_same_as_plain_ones(
    tmp_path: Path, digest: Digest, prepared: Callable[..., Prepared]
) -> None:
    held = {}
    for name, seal in (("plain", PLAIN), ("sealed", SEAL)):
        folder = tmp_path / name / "ledger"
        files: tuple[LedgerFile, ...] = ()
        for day, people in enumerate((range(100), range(50, 150), range(10))):
            plan = compare(
                prepared(EMAIL=map(digest, people)),
                ledger_folder=folder,
                files=files,
                export_id="e",
                folder=tmp_path / name / f"plan{day}",
                seal=seal,
            )
            told = [
                BatchOutcome(range=batch, status=BatchStatus.ACCEPTED)
                for operation, kind in plan.totals
                for batch, _ in plan.blocks(operation, kind, 40)
            ]
            opened = Plan.open(plan.folder, plan.sha256, seal)
            files = ledger.apply(folder, files, opened, told, export_id="e")
        reader = LedgerReader(folder, files, seal)
        held[name] = {each for fold in reader.read(1) for each in fold().all.to_pylist()}
        encrypted = ledger.encrypted(folder, files)
        assert encrypted == (len(files) - 1 if seal is SEAL else 0) or encrypted == len(files)
    assert held["plain"] == held["sealed"] == set(map(digest, range(10)))


def test_files_are_written_anew_in_the_other_form_and_those_that_are_so_stay(
    tmp_path: Path, digest: Digest, prepared: Callable[..., Prepared]
) -> None:
    folder = tmp_path / "ledger"
    plan = compare(
        prepared(EMAIL=map(digest, range(30))),
        ledger_folder=folder,
        files=(),
        export_id="e",
        folder=tmp_path / "p",
    )
    told = [
        BatchOutcome(range=batch, status=BatchStatus.ACCEPTED)
        for operation, kind in plan.totals
        for batch, _ in plan.blocks(operation, kind, 30)
    ]
    plain = ledger.apply(folder, (), plan, told, export_id="e")
    sealed = ledger.written_anew(folder, plain, SEAL)
    assert (ledger.encrypted(folder, plain), ledger.encrypted(folder, sealed)) == (0, 1)
    assert ledger.written_anew(folder, sealed, SEAL) == sealed
    ledger.verify(folder, sealed)
    anew = plan.written_anew(tmp_path / "q", SEAL)
    assert anew.counts == plan.counts
    assert [each.to_pylist() for each in _all(anew)] == [each.to_pylist() for each in _all(plan)]
    with pytest.raises(GateFault):
        _all(Plan.open(anew.folder, anew.sha256))


def _all(plan: Plan) -> list[Any]:
    return [rows for (part, kind) in plan._files for rows in plan.digests(part, kind).read(1)]  # type: ignore[union-attr]
