from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp_core.simulate import Refusal
from cdp_snapchat.simulator.users_body import SCHEMAS, UsersBody, read_quickly, read_strictly, read_users

digests = st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=6)
separators = st.sampled_from([(",", ":"), (", ", ": "), (", ", ":"), (",", ": ")])


def written(schema: str, listed: list[bytes], separators: tuple[str, str] = (",", ":")) -> bytes:
    value = {"users": [{"schema": [schema], "data": [[one.hex()] for one in listed]}]}
    return json.dumps(value, separators=separators).encode()


def strictly(body: bytes) -> UsersBody | None:
    try:
        return read_strictly(body)
    except Refusal:
        return None


@given(st.sampled_from(SCHEMAS), digests, separators)
def test_the_usual_ways_to_write_a_body_are_read_quickly_and_alike(
    schema: str, listed: list[bytes], separators: tuple[str, str]
) -> None:
    body = written(schema, listed, separators)
    expected = UsersBody(schema=schema, digests=b"".join(listed))
    assert read_quickly(body) == read_strictly(body) == read_users(body) == expected


@given(st.sampled_from(SCHEMAS), digests, st.integers(0, 3))
def test_indented_bodies_are_read_by_the_strict_way(schema: str, listed: list[bytes], indent: int) -> None:
    value = {"users": [{"data": [[one.hex()] for one in listed], "schema": [schema]}]}
    body = json.dumps(value, indent=indent).encode()
    assert read_quickly(body) is None
    assert read_users(body).digests == b"".join(listed)


# What a character of a good body is replaced with, or what is put before it: signs of structure, spaces
# that JSON knows and does not know, digits of either case, an escape, bytes that are no UTF-8.
SIGNS = [bytes([sign]) for sign in b'[]{}",: \t\n\r\x0b\x0c\xa0\x000aAgf\\-']
PIECES = [*SIGNS, b'"],["', b"\\u0061", b"\xff", b"", b'","']
edits = st.lists(
    st.tuples(st.integers(0, 10_000), st.sampled_from(PIECES), st.booleans()), min_size=1, max_size=3
)


def edited(body: bytes, at: int, piece: bytes, *, inserts: bool) -> bytes:
    place = at % len(body)
    return body[:place] + piece + body[place + (0 if inserts else 1) :]


@given(st.sampled_from([*SCHEMAS, "X"]), digests, separators, edits)
def test_where_the_quick_way_reads_a_body_the_strict_way_reads_the_same(
    schema: str, listed: list[bytes], separators: tuple[str, str], edits: list[tuple[int, bytes, bool]]
) -> None:
    body = written(schema, listed, separators)
    for at, piece, inserts in edits:
        body = edited(body, at, piece, inserts=inserts)
    quick, strict = read_quickly(body), strictly(body)
    assert quick is None or quick == strict


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
@pytest.mark.parametrize("inserts", [True, False])
def test_they_agree_wherever_one_piece_is_wrong(separators: tuple[str, str], inserts: bool) -> None:
    good = written("EMAIL_SHA256", [b"\x1a" * 32, b"\xf0" * 32, b"\x00" * 32], separators)
    for at in range(len(good)):
        for piece in PIECES:
            body = edited(good, at, piece, inserts=inserts)
            quick = read_quickly(body)
            assert quick is None or quick == strictly(body), body


def test_they_agree_where_signs_within_a_digest_make_up_for_digits_elsewhere() -> None:
    good = written("EMAIL_SHA256", [b"\x1a" * 32, b"\xf0" * 32])
    body = good.replace(b"1a1a", b'"[,]', 1)
    assert read_quickly(body) is None


@given(digests, st.data())
def test_every_change_of_a_single_character_is_read_alike(listed: list[bytes], data: st.DataObject) -> None:
    body = bytearray(written("EMAIL_SHA256", listed))
    body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    quick, strict = read_quickly(bytes(body)), strictly(bytes(body))
    assert quick is None or quick == strict


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    assert read_quickly(body) is None
    assert strictly(body) is None


def test_white_space_around_the_structure_is_read_quickly() -> None:
    body = written("PHONE_SHA256", [b"\x01" * 32]).replace(b'{"schema"', b'\n\t{ "schema" ') + b"\r\n"
    assert read_quickly(body) == read_strictly(body)
