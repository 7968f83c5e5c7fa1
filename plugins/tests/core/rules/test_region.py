"""The region that a profile's values are read in: the field's, else the default, else none."""

from __future__ import annotations

import pytest

from cdp_core.model.policy import Region


@pytest.mark.parametrize(
    ("text", "region"),
    [
        (None, "NL"),
        ("", "NL"),
        (" \t", "NL"),
        ("DE", "DE"),
        (" de\n", "DE"),
        ("Germany", None),
        ("DEU", None),
        ("D", None),
        ("\u00a0", None),
        ("\ufb01", None),
    ],
)
def test_a_field_that_says_something_else_is_not_taken_for_the_default(
    text: str | None, region: str | None
) -> None:
    assert Region(field="country", default="NL").of(text) == region
