"""Set operations on arrays of digests, against Python's own sets."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from cdp_core.pipeline.digest_sets import DIGEST, EMPTY, as_bytes, distinct, from_bytes, minus, part, union

# Few prefixes, so that different digests share their first eight bytes: what the quick way cannot tell apart.
digests = st.builds(
    lambda head, tail: head * 8 + bytes(22) + tail,
    st.sampled_from([b"\x00", b"\x01", b"\xff"]),
    st.binary(min_size=2, max_size=2).filter(lambda tail: tail[0] < 4 and tail[1] < 4),
)
lists = st.lists(digests, max_size=40)
sets = st.sets(digests, max_size=40)


def array(values: list[bytes] | set[bytes]) -> pa.Array:
    return from_bytes(b"".join(values))


def listed(values: pa.Array) -> list[bytes]:
    return list(values.to_pylist())


@given(lists)
def test_distinct_has_each_once_and_equal_sets_are_equal_bytes(values: list[bytes]) -> None:
    found = distinct(array(values))
    assert sorted(listed(found)) == sorted(set(values))
    assert as_bytes(found) == as_bytes(distinct(array(values[::-1])))


@given(sets, sets)
def test_parting_two_sets_gives_what_each_has_alone_and_both_together(
    left: set[bytes], right: set[bytes]
) -> None:
    parted = part(array(left), array(right))
    assert sorted(listed(parted.only_left)) == sorted(left - right)
    assert sorted(listed(parted.both)) == sorted(left & right)
    assert sorted(listed(parted.only_right)) == sorted(right - left)


@given(sets, sets, sets)
def test_union_and_minus_are_those_of_sets(one: set[bytes], two: set[bytes], three: set[bytes]) -> None:
    assert sorted(listed(union([array(one), array(two), array(three)]))) == sorted(one | two | three)
    assert sorted(listed(minus(array(one), array(two)))) == sorted(one - two)


def test_few_are_taken_from_many_without_changing_their_order() -> None:
    many = [bytes([n]) * 32 for n in range(200)]
    left = minus(array(many), array(many[3:5]))
    assert listed(left) == many[:3] + many[5:]


def test_slices_are_read_from_where_they_begin() -> None:
    values = array([bytes([n]) * 32 for n in range(9)])
    assert bytes(as_bytes(values[4:6])) == b"\x04" * 32 + b"\x05" * 32
    assert listed(distinct(pa.concat_arrays([values[4:6], values[5:8]]))) == listed(values[4:8])
    assert EMPTY.type == DIGEST
    assert bytes(as_bytes(EMPTY)) == b""
