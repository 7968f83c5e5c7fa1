"""What is withheld or suppressed is not sent, whatever row yields it, and is counted for the first reason."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cdp_core.contract.source import DigestSink, Engine, Selected, Selection
from cdp_core.model.accounting import Reason
from cdp_core.model.configuration import Column, Match, Segment
from cdp_core.model.identifiers import Identified, IdentifierKind
from cdp_core.pipeline import grouping
from cdp_core.pipeline.digest_file import DigestFile
from cdp_core.pipeline.prepare import prepare
from cdp_core.pipeline.suppressed import Suppressed

PLACEHOLDER = hashlib.sha256(b"test@test.com").digest()
PEOPLE = [*(hashlib.sha256(bytes([n])).digest() for n in range(30)), PLACEHOLDER]
KIND = IdentifierKind(
    key="EMAIL",
    label="E-mail",
    rule=lambda raw: Identified(Reason.MISSING),
    placeholders=frozenset({PLACEHOLDER}),
)


class Rows(Engine):
    """Hands over rows of (digest, member, agrees), one by one."""

    def __init__(self, rows: list[tuple[bytes, bool, bool]]) -> None:
        self._rows = rows

    def columns(self) -> tuple[Column, ...]:
        return ()

    def check_segment(self, segment: Segment) -> int:
        return 0

    def identify(self, selection: Selection, sink: DigestSink, progress: Callable[[int], None]) -> Selected:
        for digest, member, agrees in self._rows:
            if member:
                sink.digests("EMAIL", digest)
            if not agrees:
                sink.withheld("EMAIL", digest)
        members = sum(member for _, member, _ in self._rows)
        return Selected(profiles=len(self._rows), members=members, duplicate_keys=0)

    def close(self) -> None:
        return


people = st.sampled_from(PEOPLE)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(people, st.booleans(), st.integers(0, 3).map(bool)), max_size=60),
    suppressed=st.sets(people, max_size=6),
)
@pytest.mark.parametrize("in_memory", [3, 1_000])
def test_wanted_is_who_agrees_in_every_row_and_is_not_suppressed(
    in_memory: int, rows: list[tuple[bytes, bool, bool]], suppressed: set[bytes], tmp_path: Path
) -> None:
    selection = Selection(segments=(), matching=(Match(kind="EMAIL", field="email"),), kinds={"EMAIL": KIND})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grouping, "_IN_MEMORY", in_memory)
        patch.setattr("cdp_core.pipeline.digest_file.FEW", 4)
        share = prepare(
            Rows(rows),
            selection,
            tmp_path,
            lambda members: None,
            Suppressed({"EMAIL": b"".join(suppressed), "PHONE": PLACEHOLDER}),
        ).kinds["EMAIL"]

    refusing = {digest for digest, _, agrees in rows if not agrees}
    found: Counter[Reason | bytes] = Counter()
    for digest, member, _ in rows:
        if member:
            found[
                Reason.PLACEHOLDER
                if digest == PLACEHOLDER
                else Reason.WITHOUT_CONSENT
                if digest in refusing
                else Reason.SUPPRESSED
                if digest in suppressed
                else digest
            ] += 1
    wanted = {each for each in found if isinstance(each, bytes)}
    assert contents(share.wanted[0].path) == wanted
    assert (contents(share.withheld.path) if share.withheld else set()) == refusing
    assert share.read == found.total()
    for reason in (Reason.PLACEHOLDER, Reason.WITHOUT_CONSENT, Reason.SUPPRESSED):
        assert share.reasons.get(reason, 0) == found[reason]
    assert share.reasons[Reason.DUPLICATE] == sum(found[digest] for digest in wanted) - len(wanted)


def contents(path: Path) -> set[bytes]:
    joined = b"".join(DigestFile(path).blocks(1_000))
    digests = [joined[at : at + 32] for at in range(0, len(joined), 32)]
    assert len(set(digests)) == len(digests)
    return set(digests)


@given(digests=st.sets(st.binary(min_size=32, max_size=32), max_size=40), ranges=st.sampled_from([1, 4, 256]))
def test_suppressed_digests_come_in_the_ranges_of_their_first_byte(digests: set[bytes], ranges: int) -> None:
    read = list(Suppressed({"EMAIL": b"".join(digests)}).read("EMAIL", ranges))
    assert len(read) == ranges
    for number, found in enumerate(read):
        first_bytes = range(256 // ranges * number, 256 // ranges * (number + 1))
        assert set(found.to_pylist()) == {each for each in digests if each[0] in first_bytes}
    assert all(len(found) == 0 for found in Suppressed({}).read("EMAIL", ranges))
