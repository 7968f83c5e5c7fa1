"""An export's own rules as they are typed."""

from __future__ import annotations

import pytest

from cdp_core.cli.policy import typed_policy
from cdp_core.errors import UsageFault
from cdp_core.model.policy import Gates, MemberConsent, Mode, Policy


@pytest.mark.parametrize(
    ("typed", "share"), [("30%", 0.3), (" 33.5 % ", 0.335), ("0%", 0.0), ("100%", 1.0), ("29%", 0.29)]
)
def test_a_share_is_typed_in_hundredths(typed: str, share: float) -> None:
    assert typed_policy(Policy(), max_shrink=typed).gates.max_shrink == share


@pytest.mark.parametrize("typed", ["", "30", "0.3", "101%", "-1%", "30%%", "half", "%", "1/0%", "nan%"])
def test_a_share_needs_its_sign_and_lies_between_nothing_and_all(typed: str) -> None:
    with pytest.raises(UsageFault) as refused:
        typed_policy(Policy(), max_shrink=typed)
    assert "--max-shrink 30%" in refused.value.hint


def test_what_is_not_typed_stays() -> None:
    before = Policy(gates=Gates(max_shrink=0.1, on_audience_size="fail"))
    assert typed_policy(before, max_shrink=None, on_audience_size=None) == before
    after = typed_policy(before, on_audience_size="skip")
    assert after.gates == Gates(max_shrink=0.1, on_audience_size="skip")
    assert Policy.from_dict(after.as_dict()) == after


def test_consent_is_typed_as_a_field_and_its_yes_values() -> None:
    asking = typed_policy(Policy(), consent_field=" ads_consent = Granted, TRUE,,granted ")
    assert asking.consent == MemberConsent(field="ads_consent", granted=("granted", "true"))
    assert Policy.from_dict(asking.as_dict()) == asking
    assert typed_policy(asking, consent_field=None, no_consent_field=False) == asking
    assert typed_policy(asking, no_consent_field=True).consent is None


@pytest.mark.parametrize("typed", ["", "ads_consent", "ads_consent=", "=granted", "ads_consent= , "])
def test_consent_without_a_field_or_a_yes_is_refused(typed: str) -> None:
    with pytest.raises(UsageFault) as refused:
        typed_policy(Policy(), consent_field=typed)
    assert "--consent-field ads_consent=granted,true" in refused.value.hint


def test_consent_cannot_be_given_and_taken_off_at_once() -> None:
    with pytest.raises(UsageFault, match="exclude each other"):
        typed_policy(Policy(), consent_field="ads=yes", no_consent_field=True)


def test_a_mode_is_typed_by_its_name_and_stays_until_another_is() -> None:
    after = typed_policy(Policy(), mode="add-only", keep_alive_days=300)
    assert (after.mode, after.keep_alive_days) == (Mode.ADD_ONLY, 300)
    assert typed_policy(after, mode=None, keep_alive_days=None) == after
    assert Policy.from_dict(after.as_dict()) == after
    assert typed_policy(after, no_keep_alive=True).keep_alive_days is None
    with pytest.raises(UsageFault, match="exclude each other"):
        typed_policy(after, keep_alive_days=1, no_keep_alive=True)


def test_the_rules_of_an_export_from_before_there_were_modes_mirror() -> None:
    kept = Policy().as_dict()
    del kept["mode"], kept["keep_alive_days"]
    assert Policy.from_dict(kept) == Policy(mode=Mode.MIRROR, keep_alive_days=None)
