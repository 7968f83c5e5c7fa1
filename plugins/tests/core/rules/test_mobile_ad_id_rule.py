"""The rule for mobile advertising ids against Python's own idea of a UUID, and examples by hand."""

from __future__ import annotations

import hashlib
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp_core.model.accounting import Reason
from cdp_core.model.identifiers import Identified
from cdp_core.rules.identifiers import BUILT_IN_KINDS
from cdp_core.rules.identifiers.mobile_ad_id import (
    PLACEHOLDER_DIGESTS,
    PLACEHOLDER_IDS,
    PLACEHOLDER_WORDS,
    mobile_ad_id,
)

ID = "F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6"


def test_the_service_s_example_has_the_service_s_digest() -> None:
    found = mobile_ad_id(ID)
    assert found.normalised == ID.lower()
    assert found.digest is not None
    assert found.digest.hex() == "30a5154b77ab8b2ddbe19f5e7af72f33cc2a4a41f22940d965102650a1c72863"


@given(st.uuids(), st.sampled_from([str, lambda each: f" {each}\n", lambda each: str(each).upper()]))
def test_a_uuid_is_trimmed_lowered_and_hashed_with_its_hyphens(each: uuid.UUID, write: object) -> None:
    assert callable(write)
    text = str(each)
    expected = Identified(None, hashlib.sha256(text.encode()).digest(), text)
    if text in PLACEHOLDER_IDS:
        expected = Identified(Reason.PLACEHOLDER)
    assert mobile_ad_id(write(each)) == expected


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (None, Reason.MISSING),
        (" \t\u3000", Reason.MISSING),
        ("NULL", Reason.PLACEHOLDER),
        ("00000000-0000-0000-0000-000000000000", Reason.PLACEHOLDER),
        (hashlib.sha256(b"00000000-0000-0000-0000-000000000000").hexdigest(), Reason.PLACEHOLDER),
        (hashlib.sha256(b"").hexdigest().upper(), Reason.PLACEHOLDER),
        ("0" * 32, Reason.PLACEHOLDER),
        (ID.replace("-", ""), Reason.UNSUPPORTED),
        ("a" * 40, Reason.UNSUPPORTED),
        (f"{{{ID}}}", Reason.MALFORMED),
        (ID[:-1], Reason.MALFORMED),
        (ID.replace("-", "_"), Reason.MALFORMED),
        (ID.replace("F", "\uff26"), Reason.MALFORMED),
    ],
)
def test_what_has_no_digest_has_the_first_reason_that_holds(raw: str | None, reason: Reason) -> None:
    assert mobile_ad_id(raw) == Identified(reason)


def test_every_placeholder_of_the_lists_is_one() -> None:
    for text in PLACEHOLDER_WORDS | PLACEHOLDER_IDS:
        assert mobile_ad_id(text.upper()).reason is Reason.PLACEHOLDER
    assert BUILT_IN_KINDS["MOBILE_AD_ID"].placeholders == PLACEHOLDER_DIGESTS
