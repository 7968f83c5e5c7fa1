"""Whether the consent on record covers what is asked for today."""

from dataclasses import replace
from datetime import UTC, datetime

from cdp_core.model.configuration import Consent, ConsentPrompt
from cdp_core.rules.consent import Hold, consent_gap, standings

ENGLISH = ConsentPrompt(key="core.data-leaves", version="1", title="Data leaves", text="It leaves.")
DUTCH = replace(ENGLISH, language="nl", title="Data vertrekt", text="Ze vertrekt.")
OTHER = ConsentPrompt(key="acme.terms", version="1", title="Terms", text="Thirty days.")


def agreed(prompt: ConsentPrompt) -> Consent:
    return Consent(
        id="1",
        connection_id="c",
        prompt=prompt,
        agreed_by="ann",
        agreed_at=datetime(2026, 11, 23, tzinfo=UTC),
    )


def test_what_nobody_agreed_to_is_missing() -> None:
    gap = consent_gap([[ENGLISH], [OTHER]], [agreed(OTHER)])
    assert gap.missing == (ENGLISH,)
    assert gap.open == (ENGLISH,)


def test_a_text_that_changed_by_one_letter_asks_again() -> None:
    gap = consent_gap([[replace(ENGLISH, text="It leaves!")]], [agreed(ENGLISH)])
    assert gap.missing == ()
    assert [prompt.text for prompt in gap.changed] == ["It leaves!"]


def test_a_new_version_of_the_same_text_asks_again() -> None:
    assert consent_gap([[replace(ENGLISH, version="2")]], [agreed(ENGLISH)]).changed


def test_who_agreed_in_one_language_is_not_asked_in_another() -> None:
    assert consent_gap([[ENGLISH, DUTCH]], [agreed(DUTCH)]).open == ()


def test_the_digest_covers_everything_that_is_agreed_to() -> None:
    changed = [
        replace(ENGLISH, key="k"),
        replace(ENGLISH, version="2"),
        replace(ENGLISH, title="t"),
        replace(ENGLISH, text="x"),
        replace(ENGLISH, language="da"),
    ]
    assert len({prompt.digest for prompt in (ENGLISH, *changed)}) == 6


def withdrawn(prompt: ConsentPrompt) -> Consent:
    return replace(agreed(prompt), withdrawn_by="bob", withdrawn_at=datetime(2026, 11, 24, tzinfo=UTC))


def test_what_was_withdrawn_is_asked_again_and_said_to_be_that() -> None:
    gap = consent_gap([[ENGLISH], [OTHER]], [withdrawn(ENGLISH), agreed(OTHER)])
    assert (gap.missing, gap.changed, gap.withdrawn) == ((), (), (ENGLISH,))
    assert gap.open == (ENGLISH,)


def test_who_agrees_after_a_withdrawal_has_agreed() -> None:
    (standing,) = standings([[ENGLISH]], [agreed(ENGLISH), withdrawn(ENGLISH)])
    assert standing.hold is Hold.HOLDS
    assert standing.record == agreed(ENGLISH)


def test_an_older_consent_that_fits_holds_whatever_the_newest_says() -> None:
    """Somebody agreed in Dutch, then the Dutch text was changed and changed back."""
    changed = replace(DUTCH, text="Ze vertrekt!")
    (standing,) = standings([[ENGLISH, DUTCH]], [agreed(changed), agreed(DUTCH)])
    assert (standing.hold, standing.record) == (Hold.HOLDS, agreed(DUTCH))
    (standing,) = standings([[ENGLISH]], [agreed(changed), withdrawn(ENGLISH)])
    assert (standing.hold, standing.record) == (Hold.CHANGED, agreed(changed))


def test_what_nobody_asks_for_any_more_is_told_and_stops_nothing() -> None:
    asked, left = standings([[ENGLISH]], [agreed(ENGLISH), agreed(OTHER)])
    assert asked.hold is Hold.HOLDS
    assert (left.hold, left.prompt, left.text) == (Hold.NOT_ASKED, None, OTHER)
    assert consent_gap([[ENGLISH]], [agreed(ENGLISH), agreed(OTHER)]).open == ()
