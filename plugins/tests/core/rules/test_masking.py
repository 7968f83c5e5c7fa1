"""What is shown of a raw value: the slip in it, and not the person."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp_core.rules.identifiers.masking import masked


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("john@gmail.com", "j***@g***.com"),
        (" John.Smith@mail.example.co.uk ", "J***@m***.uk"),
        ("a@b.nl", "*@*.nl"),
        ("ann@@example.org", "a***@@e***.org"),
        ("ann@smith", "a***@s***"),
        ("+3161234678", "+31*****678"),
        ("06-12345678", "06*****678"),
        ("12345", "*****"),
        ("f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "f81d****"),
        ("F81D4FAE" * 8, "F81D****"),
        ("ann example", "a*** e***"),
        ("n/a", "*/*"),
        (" \t", "(blank)"),
        ("", "(blank)"),
    ],
)
def test_a_value_keeps_its_form_alone(raw: str, shown: str) -> None:
    assert masked(raw) == shown


@given(st.from_regex(r"[a-z0-9.]{5,20}@[a-z]{5,12}\.[a-z]{2,4}", fullmatch=True))
def test_of_an_address_no_more_is_seen_than_two_letters_and_the_ending(raw: str) -> None:
    name, _, domain = raw.partition("@")
    host, _, ending = domain.partition(".")
    assert masked(raw) == f"{name[0]}***@{host[0]}***.{ending}"


@given(st.text(min_size=4))
def test_no_run_of_three_letters_is_left_but_an_ending(raw: str) -> None:
    shown = masked(raw).rpartition(".")[0] if "@" in raw else masked(raw)
    runs = "".join(letter if letter.isalpha() else " " for letter in shown).split()
    assert shown in ("(blank)",) or all(len(run) < 3 for run in runs) or shown.endswith("****")
