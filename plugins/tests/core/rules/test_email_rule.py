"""The e-mail rule against a reference that shares no line with it, and against examples by hand."""

from __future__ import annotations

import hashlib
import itertools
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cdp_core.model.accounting import Reason
from cdp_core.model.identifiers import Identified
from cdp_core.rules.identifiers import BUILT_IN_KINDS
from cdp_core.rules.identifiers.email import (
    PLACEHOLDER_ADDRESSES,
    PLACEHOLDER_DIGESTS,
    PLACEHOLDER_WORDS,
    email,
)

# What `str.isspace` is true for, from Unicode's own definition and not from Python's method.
SPACES = {
    chr(point)
    for point in range(0x110000)
    if unicodedata.category(chr(point)) == "Zs" or unicodedata.bidirectional(chr(point)) in ("WS", "B", "S")
}

awkward = st.text(
    st.one_of(
        st.sampled_from(
            [
                *"aZ09@@..@.- \t\n\x00\x1c\x1f\x85\xa0",
                "İ",
                "Σ",
                "ß",
                "\u017f",
                "\u212a",
                "\u2028",
                "\u3000",
                "\u200b",
            ]
        ),
        st.characters(),
    ),
    max_size=14,
)
addresses = st.builds("{}@{}.{}".format, awkward, awkward, awkward)
hashes = (
    st.sampled_from([16, 20, 32]).flatmap(lambda size: st.binary(min_size=size, max_size=size)).map(bytes.hex)
)
values = st.one_of(
    st.none(), awkward, addresses, hashes, hashes.map(str.upper), st.sampled_from(sorted(PLACEHOLDER_WORDS))
)


def by_the_book(raw: str | None) -> tuple[Reason | None, bytes | None]:
    letters = list(raw or "")
    while letters and letters[0] in SPACES:
        del letters[0]
    while letters and letters[-1] in SPACES:
        del letters[-1]
    text = "".join(letters).lower()
    hexadecimal = set(text) <= set("0123456789abcdef")
    if text == "":
        return Reason.MISSING, None
    if text in PLACEHOLDER_WORDS | PLACEHOLDER_ADDRESSES:
        return Reason.PLACEHOLDER, None
    if hexadecimal and len(text) == 64:
        digest = bytes(int(text[at : at + 2], 16) for at in range(0, 64, 2))
        return (Reason.PLACEHOLDER, None) if digest in PLACEHOLDER_DIGESTS else (None, digest)
    if hexadecimal and len(text) in (32, 40):
        return Reason.UNSUPPORTED, None
    at = text.find("@")
    dots = [place for place, letter in enumerate(text) if letter == "." and place > at]
    well_formed = (
        text.count("@") == 1
        and at > 0
        and len(dots) > 0
        and text[at + 1] != "."
        and text[-1] != "."
        and all(second - first > 1 for first, second in itertools.pairwise(dots))
        and not any(letter in SPACES for letter in text)
        and not any("\ud800" <= letter <= "\udfff" for letter in text)
    )
    return (None, hashlib.sha256(text.encode()).digest()) if well_formed else (Reason.MALFORMED, None)


@given(values)
@example("\x1f Anna@Example.ORG\u3000")
@example("a@b.c\ud800")
@example("ΑΣ@ΣΑΣ.gr")
@example("İ@x.de")
@example("a@b..c")
@example("a\u200b@b.cd")
def test_the_rule_agrees_with_the_book_on_every_text(raw: str | None) -> None:
    found = email(raw)
    assert (found.reason, found.digest) == by_the_book(raw)


@pytest.mark.parametrize(
    ("raw", "normalised"),
    [
        ("anna@example.org", "anna@example.org"),
        ("  Anna@Example.ORG \n", "anna@example.org"),
        ("\u00a0anna@example.org\u2003", "anna@example.org"),
        ("Müller@Bücher.example", "müller@bücher.example"),
        ("a+b'c/d@x.co.uk", "a+b'c/d@x.co.uk"),
        ("a@b.de", "a@b.de"),
    ],
)
def test_a_well_formed_address_is_trimmed_lowered_and_hashed(raw: str, normalised: str) -> None:
    assert email(raw) == Identified(None, hashlib.sha256(normalised.encode()).digest(), normalised)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (None, Reason.MISSING),
        ("", Reason.MISSING),
        (" \t\u3000", Reason.MISSING),
        (" N/A ", Reason.PLACEHOLDER),
        ("Test@Test.com", Reason.PLACEHOLDER),
        (hashlib.sha256(b"test@test.com").hexdigest(), Reason.PLACEHOLDER),
        (hashlib.sha256(b"").hexdigest().upper(), Reason.PLACEHOLDER),
        ("anna", Reason.MALFORMED),
        ("anna@example", Reason.MALFORMED),
        ("@example.org", Reason.MALFORMED),
        ("anna@@example.org", Reason.MALFORMED),
        ("anna@example.org.", Reason.MALFORMED),
        ("anna@.example.org", Reason.MALFORMED),
        ("an na@example.org", Reason.MALFORMED),
        ("an\u00a0na@example.org", Reason.MALFORMED),
        ("a" * 63, Reason.MALFORMED),
        (hashlib.md5(b"anna@example.org", usedforsecurity=False).hexdigest(), Reason.UNSUPPORTED),
        (hashlib.sha1(b"anna@example.org", usedforsecurity=False).hexdigest(), Reason.UNSUPPORTED),
    ],
)
def test_what_has_no_digest_has_the_first_reason_that_holds(raw: str | None, reason: Reason) -> None:
    assert email(raw) == Identified(reason)


def test_a_digest_is_taken_as_it_is_in_either_case() -> None:
    digest = hashlib.sha256(b"anna@example.org").digest()
    for raw in (digest.hex(), digest.hex().upper(), f" {digest.hex()}\n"):
        assert email(raw) == Identified(None, digest)


@pytest.mark.parametrize(
    "text", ["", "\n", " ", "NULL", "Null", "null\n", "N/A", "Test@Test.com", "TEST@TEST.COM\n"]
)
def test_a_digest_of_a_placeholder_that_nobody_normalised_is_told(text: str) -> None:
    assert email(hashlib.sha256(text.encode()).hexdigest()) == Identified(Reason.PLACEHOLDER)


def test_placeholders_are_written_as_the_rule_compares_them() -> None:
    assert all(text == text.strip().lower() for text in PLACEHOLDER_WORDS | PLACEHOLDER_ADDRESSES)
    assert all(email(text).reason is Reason.PLACEHOLDER for text in PLACEHOLDER_WORDS | PLACEHOLDER_ADDRESSES)
    assert all("@" in text for text in PLACEHOLDER_ADDRESSES)


def test_the_kind_stands_in_the_registry_with_its_placeholders() -> None:
    kind = BUILT_IN_KINDS["EMAIL"]
    assert kind.identify("a@b.de").digest == hashlib.sha256(b"a@b.de").digest()
    assert hashlib.sha256(b"test@test.com").digest() in kind.placeholders
