from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from cdp_snapchat.simulator import membership
from cdp_snapchat.simulator.membership import Membership

few = st.lists(st.integers(0, 20).map(lambda number: bytes([number * 12]) * 32), max_size=8)


class MembershipIsASet(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.members = Membership()
        self.expected: set[bytes] = set()

    @rule(digests=few)
    def add(self, digests: list[bytes]) -> None:
        self.members.add(b"".join(digests))
        self.expected |= set(digests)

    @rule(digests=few)
    def remove(self, digests: list[bytes]) -> None:
        self.members.remove(b"".join(digests))
        self.expected -= set(digests)

    @rule()
    def clear(self) -> None:
        self.members.clear()
        self.expected.clear()

    @rule()
    def look(self) -> None:
        assert set(self.members) == self.expected

    @invariant()
    def counted(self) -> None:
        # Only now and then, so that several changes are also settled at once.
        if len(self.expected) % 3 == 0:
            assert len(self.members) == len(self.expected)


MembershipIsASet.TestCase.settings = settings(max_examples=40, stateful_step_count=20)
test_it_behaves_as_a_set: Any = MembershipIsASet.TestCase


@given(few, st.randoms())
def test_the_checksum_does_not_depend_on_the_order(digests: list[bytes], chance: Any) -> None:
    one, other = Membership(), Membership()
    one.add(b"".join(digests))
    shuffled = list(digests)
    chance.shuffle(shuffled)
    for digest in shuffled:
        other.add(digest)
    assert one.checksum() == other.checksum()
    total = sum(int.from_bytes(digest, "big") for digest in set(digests)) % 2**256
    assert one.checksum() == f"{total:064x}"


def test_what_waits_is_settled_before_it_fills_the_memory(monkeypatch: Any) -> None:
    monkeypatch.setattr(membership, "_MOST_PENDING", 1000)
    members = Membership()
    for _ in range(100):
        members.add(bytes(range(64)))
        assert members._pending_size <= 1000
    assert len(members) == 2
