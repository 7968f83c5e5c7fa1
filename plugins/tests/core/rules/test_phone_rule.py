"""The phone rule against the library that knows every country's plan, and against examples by hand."""

from __future__ import annotations

import hashlib

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp_core.model.accounting import Reason
from cdp_core.model.identifiers import Identified
from cdp_core.rules.identifiers import BUILT_IN_KINDS
from cdp_core.rules.identifiers.phone import (
    PLACEHOLDER_DIGESTS,
    PLACEHOLDER_NUMBERS,
    PLACEHOLDER_WORDS,
    SAME_DIGIT,
    phone,
)
from cdp_core.testing.phones import REGIONS, examples, ways_to_write


def digest(digits: str) -> bytes:
    return hashlib.sha256(digits.encode()).digest()


@pytest.mark.parametrize("region", REGIONS)
def test_each_region_s_examples_have_one_digest_however_they_are_written(region: str) -> None:
    written = [each for number in examples(region) for each in ways_to_write(number, region)]
    assert written
    for each in written:
        found = phone(each.text, each.region)
        assert found == Identified(None, digest(each.e164), each.e164), each


@pytest.mark.parametrize("region", REGIONS)
def test_what_the_library_calls_impossible_is_malformed(region: str) -> None:
    tried = 0
    for number in examples(region):
        e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        for text in (e164[:-5], e164[:-3], e164 + "7", e164 + "777", e164 + "7" * 9, e164[:5]):
            try:
                parsed = phonenumbers.parse(text, None)
            except phonenumbers.NumberParseException:
                impossible = True
            else:
                impossible = not phonenumbers.is_possible_number(parsed)
            if impossible:
                tried += 1
                assert phone(text, region) == Identified(Reason.MALFORMED), text
    assert tried


# The table of the facts: what a service's own pages give.
@pytest.mark.parametrize("raw", ["+1(706)-767-5127", "001(706)-767-5127"])
def test_the_service_s_example_has_the_service_s_digest(raw: str) -> None:
    found = phone(raw)
    assert found.normalised == "17067675127"
    assert found.digest is not None
    assert found.digest.hex() == "2fd199db6d3fa9fe754886ff1822f2867fcb104a6639495eca25c2978efe4ed4"


@pytest.mark.parametrize(
    ("raw", "region", "normalised"),
    [
        ("+44 (0)7700 900123", None, "447700900123"),
        ("+44.7700.900123", None, "447700900123"),
        ("0031 6 12345678", None, "31612345678"),
        ("0031 6 12345678", "US", "31612345678"),
        ("0011 31 6 12345678", "AU", "31612345678"),
        ("06-12345678", "NL", "31612345678"),
        ("+39 06 698 12345", None, "390669812345"),
        ("+39 (0)6 698 12345", None, "390669812345"),
        ("+39 (0)312 345 6789", None, "393123456789"),
        ("+36 (0)1 234 5678", None, "3612345678"),
        ("(706) 767-5127", "US", "17067675127"),
        ("1 706 767 5127", "US", "17067675127"),
        ("0 706 767 5127", "US", "17067675127"),
        ("01 23 45 67 89", "FR", "33123456789"),
        ("tel:020-7946-0018;phone-context=+44", None, "442079460018"),
        ("\uff0b44 20 7946 0018", None, "442079460018"),
        ("+44 20 7946 0018 x 99", None, "442079460018"),
    ],
)
def test_a_number_is_read_as_people_mean_it(raw: str, region: str | None, normalised: str) -> None:
    assert phone(raw, region) == Identified(None, digest(normalised), normalised)


MD5 = hashlib.md5(b"31612345678", usedforsecurity=False).hexdigest()
SHA1 = hashlib.sha1(b"31612345678", usedforsecurity=False).hexdigest()


@pytest.mark.parametrize(
    ("raw", "region", "reason"),
    [
        (None, "NL", Reason.MISSING),
        (" \t\u3000", "NL", Reason.MISSING),
        (" N/A ", "NL", Reason.PLACEHOLDER),
        ("0", None, Reason.PLACEHOLDER),
        ("000", "NL", Reason.PLACEHOLDER),
        ("0000000000", "NL", Reason.PLACEHOLDER),
        ("+00000000000", None, Reason.PLACEHOLDER),
        ("+31 000 000 000", None, Reason.PLACEHOLDER),
        ("999-999-9999", "US", Reason.PLACEHOLDER),
        ("123456789", "NL", Reason.PLACEHOLDER),
        ("123456789", None, Reason.PLACEHOLDER),
        (digest("").hex(), None, Reason.PLACEHOLDER),
        (digest("0000000000").hex().upper(), None, Reason.PLACEHOLDER),
        ("06 12345678", None, Reason.MALFORMED),
        ("06 12345678", "XX", Reason.MALFORMED),
        ("7946 0018", "GB", Reason.MALFORMED),
        ("+999 123 456 789", None, Reason.MALFORMED),
        ("+44", None, Reason.MALFORMED),
        ("call me", "NL", Reason.MALFORMED),
        ("+31612345678 " * 40, "NL", Reason.MALFORMED),
        ("\ud800", "NL", Reason.MALFORMED),
        (MD5, None, Reason.UNSUPPORTED),
        (SHA1, None, Reason.UNSUPPORTED),
    ],
)
def test_what_has_no_digest_has_the_first_reason_that_holds(
    raw: str | None, region: str | None, reason: Reason
) -> None:
    assert phone(raw, region) == Identified(reason)


def test_a_digest_is_taken_as_it_is_in_either_case() -> None:
    known = digest("31612345678")
    for raw in (known.hex(), known.hex().upper(), f" {known.hex()}\n"):
        assert phone(raw) == Identified(None, known)


@given(st.text(), st.sampled_from([None, *REGIONS]))
def test_every_text_has_a_digest_or_a_reason(raw: str, region: str | None) -> None:
    found = phone(raw, region)
    assert (found.reason is None) == (found.digest is not None)
    if found.normalised is not None:
        again = phone("+" + found.normalised)
        assert again.digest == found.digest


def test_every_placeholder_of_the_lists_is_one() -> None:
    for text in PLACEHOLDER_WORDS | PLACEHOLDER_NUMBERS | SAME_DIGIT:
        assert phone(text).reason is Reason.PLACEHOLDER, text
        assert digest(text) in PLACEHOLDER_DIGESTS
    kind = BUILT_IN_KINDS["PHONE"]
    assert kind.placeholders == PLACEHOLDER_DIGESTS
    assert kind.identify("06 12345678", "NL").normalised == "31612345678"
