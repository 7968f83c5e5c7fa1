"""Which values mean yes, and that an export asks for no less than the workspace."""

from __future__ import annotations

import pytest

from cdp_core.errors import Code, InvalidFault
from cdp_core.rules.member_consent import in_force, member_consent, says_yes

DEFAULT = member_consent("ads", ["granted", "true", "yes"])


@pytest.mark.parametrize("value", ["granted", "GRANTED", " True\n", "\u00a0yes\u3000"])
def test_spelling_and_space_at_the_ends_do_not_matter(value: str) -> None:
    assert says_yes(value, DEFAULT)


@pytest.mark.parametrize("value", [None, "", " ", "no", "1", "granted!", "gran ted", "unknown"])
def test_whatever_is_not_listed_means_no(value: str | None) -> None:
    assert not says_yes(value, DEFAULT)


def test_yes_values_are_kept_as_they_are_compared_each_once() -> None:
    assert member_consent(" ads ", ["Granted ", "granted", "", "TRUE"]).granted == ("granted", "true")
    assert member_consent(" ads ", ["x"]).field == "ads"


@pytest.mark.parametrize(("field", "granted"), [("", ["yes"]), ("ads", []), ("ads", [" ", ""])])
def test_a_field_without_a_yes_is_refused(field: str, granted: list[str]) -> None:
    with pytest.raises(InvalidFault) as caught:
        member_consent(field, granted)
    assert caught.value.code is Code.SETTING_INVALID


def test_an_export_asks_for_its_own_else_for_what_the_workspace_asks() -> None:
    own = member_consent("ads", ["granted"])
    assert in_force(None, None) is None
    assert in_force(own, None) is own
    assert in_force(None, DEFAULT) is DEFAULT
    assert in_force(own, DEFAULT) is own
    assert in_force(DEFAULT, DEFAULT) == DEFAULT


@pytest.mark.parametrize(
    ("field", "granted", "why"),
    [("news", ["granted"], "'news' is another field"), ("ads", ["granted", "maybe"], "'maybe'")],
)
def test_an_export_that_asks_for_less_is_refused_with_the_reason(
    field: str, granted: list[str], why: str
) -> None:
    with pytest.raises(InvalidFault, match=why) as caught:
        in_force(member_consent(field, granted), DEFAULT, where="export 'x'")
    assert caught.value.where == "export 'x'"
    assert "--consent-field ads=granted,true,yes" in caught.value.hint
