"""Grouping and screening what an engine finds: each value counted once, each digest kept once."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cdp_core.contract.source import DigestSink, Engine, Selected, Selection
from cdp_core.errors import Code, InternalFault, InvalidFault
from cdp_core.model.accounting import Reason
from cdp_core.model.configuration import Column, Match, Segment
from cdp_core.model.identifiers import Identified, IdentifierKind
from cdp_core.pipeline import grouping
from cdp_core.pipeline.digest_file import DigestFile
from cdp_core.pipeline.prepare import Prepared, prepare

PLACEHOLDER = hashlib.sha256(b"test@test.com").digest()
KIND = IdentifierKind(
    key="EMAIL",
    label="E-mail",
    rule=lambda raw: Identified(Reason.MISSING),
    placeholders=frozenset({PLACEHOLDER}),
)


class Pieces(Engine):
    """Hands over what it is told to, in pieces."""

    def __init__(self, pieces: list[list[bytes]], missing: int = 0, members: int | None = None) -> None:
        self._pieces = pieces
        self._missing = missing
        self._members = members if members is not None else sum(map(len, pieces)) + missing

    def columns(self) -> tuple[Column, ...]:
        return ()

    def check_segment(self, segment: Segment) -> int:
        return 0

    def identify(self, selection: Selection, sink: DigestSink, progress: Callable[[int], None]) -> Selected:
        for piece in self._pieces:
            sink.digests("EMAIL", memoryview(b"".join(piece)))
        sink.reason("EMAIL", Reason.MISSING, self._missing)
        return Selected(profiles=self._members, members=self._members, duplicate_keys=0)

    def close(self) -> None:
        return


def prepared_from(engine: Engine, into: Path) -> Prepared:
    selection = Selection(segments=(), matching=(Match(kind="EMAIL", field="email"),), kinds={"EMAIL": KIND})
    return prepare(engine, selection, into, lambda members: None)


def contents(prepared: Prepared) -> list[bytes]:
    joined = b"".join(
        block
        for written in prepared.kinds["EMAIL"].wanted
        for block in DigestFile(written.path).blocks(1_000)
    )
    return [joined[at : at + 32] for at in range(0, len(joined), 32)]


values = st.one_of(
    st.integers(0, 30).map(lambda n: hashlib.sha256(bytes([n])).digest()), st.just(PLACEHOLDER)
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(st.lists(values, min_size=1, max_size=20), max_size=8), missing=st.integers(0, 3))
@pytest.mark.parametrize("in_memory", [5, 1_000])
def test_every_value_is_counted_once_and_every_digest_kept_once(
    in_memory: int, pieces: list[list[bytes]], missing: int, tmp_path: Path
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grouping, "_IN_MEMORY", in_memory)
        patch.setattr("cdp_core.pipeline.digest_file.FEW", 4)
        prepared = prepared_from(Pieces(pieces, missing), tmp_path)
    share = prepared.kinds["EMAIL"]
    counts = Counter(value for piece in pieces for value in piece)
    placeholders = counts.pop(PLACEHOLDER, 0)
    assert sorted(contents(prepared)) == sorted(counts)
    assert share.distinct == len(counts)
    assert share.read == counts.total() + placeholders + missing
    assert {reason: share.reasons.get(reason, 0) for reason in Reason} == {
        **dict.fromkeys(Reason, 0),
        Reason.MISSING: missing,
        Reason.PLACEHOLDER: placeholders,
        Reason.DUPLICATE: counts.total() - len(counts),
    }


def test_the_same_digests_in_another_order_make_the_same_file(tmp_path: Path) -> None:
    found = [hashlib.sha256(str(n).encode()).digest() for n in range(300_000)]
    one = prepared_from(Pieces([found[:200_000], found[200_000:]]), tmp_path)
    other = prepared_from(Pieces([found[100_000:][::-1], found[:100_000], found[:9]]), tmp_path)
    (first,), (second,) = one.kinds["EMAIL"].wanted, other.kinds["EMAIL"].wanted
    assert first.rows == 300_000
    assert first.sha256 == second.sha256
    assert [path.suffix for path in tmp_path.iterdir()] == [".parquet", ".parquet"]


def test_an_engine_that_loses_values_is_found_out(tmp_path: Path) -> None:
    with pytest.raises(InternalFault) as caught:
        prepared_from(Pieces([[PLACEHOLDER]], members=2), tmp_path)
    assert caught.value.code is Code.UNBALANCED


def test_a_scratch_folder_without_room_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int, data: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(grouping, "_IN_MEMORY", 1)
    monkeypatch.setattr("os.write", full)
    with pytest.raises(InvalidFault) as caught:
        prepared_from(Pieces([[bytes(32)] * 5, [bytes(32)]]), tmp_path)
    assert (caught.value.code, caught.value.where) == (Code.DISK_FULL, str(tmp_path))
