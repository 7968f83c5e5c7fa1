"""Files of digests: ranges, slices, blocks, privacy, and what a failed write leaves."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from cdp_core.errors import Code, InvalidFault
from cdp_core.pipeline.digest_file import DigestFile, DigestFileWriter, Written, ranges_for, split
from cdp_core.pipeline.digest_sets import from_bytes
from cdp_core.pipeline.intervals import Intervals

Digest = Callable[[object], bytes]
MakeFile = Callable[..., Written]


@pytest.mark.parametrize(("rows", "ranges"), [(0, 1), (65_536, 1), (65_537, 2), (888_000, 16), (10**9, 256)])
def test_the_number_of_ranges_follows_the_rows(rows: int, ranges: int) -> None:
    assert ranges_for(rows) == ranges


@pytest.mark.parametrize("have", [1, 4, 256])
@pytest.mark.parametrize("want", [1, 4, 16, 256])
def test_a_file_is_read_in_its_own_ranges_or_finer_ones(
    have: int, want: int, digest: Digest, digest_file: MakeFile
) -> None:
    if want < have:
        return
    values = {digest(n) for n in range(500)}
    ranges = list(DigestFile(digest_file(values, have).path).read(want))
    assert len(ranges) == want
    assert {each for found in ranges for each in found.to_pylist()} == values
    for number, found in enumerate(ranges):
        assert all(each[0] * want // 256 == number for each in found.to_pylist())


@pytest.mark.parametrize("ranges", [1, 16, 256])
def test_blocks_and_slices_are_the_files_order(ranges: int, digest: Digest, digest_file: MakeFile) -> None:
    file = DigestFile(digest_file([digest(n) for n in range(1_000)], ranges).path)
    everything = b"".join(file.blocks(1_000))
    assert len(everything) == 32_000
    assert [len(block) // 32 for block in file.blocks(300)] == [300, 300, 300, 100]
    assert b"".join(file.blocks(7)) == everything
    for start, count in ((0, 1_000), (0, 1), (999, 1), (123, 456), (5, 0)):
        assert file.slice(start, count) == everything[start * 32 : (start + count) * 32]


def test_some_rows_are_read_range_by_range(digest: Digest, digest_file: MakeFile) -> None:
    file = DigestFile(digest_file([digest(n) for n in range(1_000)], 4).path)
    rows = Intervals()
    rows.add(10, 300)
    rows.add(900, 50)
    found = b"".join(b"".join(part.to_pylist()) for part in file.read(16, rows))
    assert sorted(found[at : at + 32] for at in range(0, len(found), 32)) == sorted(
        (file.slice(10, 300) + file.slice(900, 50))[at : at + 32] for at in range(0, 350 * 32, 32)
    )


def test_a_file_is_private_parquet_with_its_own_digest(digest: Digest, digest_file: MakeFile) -> None:
    written = digest_file([digest(1), digest(2)], 16)
    assert written.path.stat().st_mode & 0o777 == 0o600
    assert written.sha256 == hashlib.sha256(written.path.read_bytes()).hexdigest()
    with duckdb.connect() as connection:
        rows = connection.execute("SELECT digest FROM read_parquet(?)", [str(written.path)]).fetchall()
    assert {row[0] for row in rows} == {digest(1), digest(2)}


def test_a_writer_that_is_left_early_takes_its_file_away(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), DigestFileWriter(tmp_path / "d.parquet") as file:  # noqa: PT012
        file.write(from_bytes(bytes(64)))
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_with_the_place_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Any, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "d.parquet"
    with pytest.raises(InvalidFault) as caught, DigestFileWriter(path) as file:  # noqa: PT012
        monkeypatch.setattr("cdp_core.pipeline.digest_file._Hashed.write", full)
        file.write(from_bytes(bytes(64)))
    assert (caught.value.code, caught.value.where) == (Code.DISK_FULL, str(path))
    assert list(tmp_path.iterdir()) == []


def test_splitting_keeps_the_order_within_a_range(digest: Digest) -> None:
    values = sorted(digest(n) for n in range(300))
    parts = list(split([from_bytes(b"".join(values))], 1, 8))
    assert pa.concat_arrays(parts).to_pylist() == values


def test_intervals_merge_and_are_taken_from_each_other() -> None:
    rows = Intervals()
    for start, count in ((10, 5), (0, 5), (15, 5), (3, 4), (30, 0)):
        rows.add(start, count)
    gone = Intervals()
    gone.add(2, 2)
    gone.add(18, 100)
    assert list(rows.within(0, 100)) == [(0, 7), (10, 20)]
    assert rows.count == 17
    assert list(rows.without(gone).within(0, 100)) == [(0, 2), (4, 7), (10, 18)]
    assert not Intervals()
    assert list(Intervals.everything().within(4, 6)) == [(4, 6)]


@pytest.mark.parametrize("ranges", [1, 16, 256])
def test_a_digest_is_found_at_its_place(ranges: int, digest: Digest, digest_file: MakeFile) -> None:
    file = DigestFile(digest_file([digest(n) for n in range(300)], ranges).path)
    for place in (0, 1, 150, 299):
        assert file.find(file.slice(place, 1)) == place
    assert [n for n in range(300, 900) if file.find(digest(n)) is not None] == []
