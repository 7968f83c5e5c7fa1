"""What the suite cannot know: the answers that are this service's own, and its lists."""

from __future__ import annotations

import pytest
from cdp_core import NewAudience, Operation, Sentence, ServiceFailed, Throttled

from cdp_mailer.destination import who_am_i
from cdp_mailer.stand_in import LIST, MailList
from tests.conftest import Service, batch, digests


def test_a_digest_that_is_refused_is_named_with_its_reason_and_the_others_are_taken(service: Service) -> None:
    service.stand_in.refused[digests(7)[0].hex()] = "hard bounce"
    receipt = service.list().deliver(batch(Operation.ADD, 6, 7, 8))
    assert (receipt.accepted, dict(receipt.refused)) == (True, {1: "hard bounce"})
    assert receipt.request_id == "m-1"
    assert service.stand_in.members() == set(digests(6, 8))


def test_who_is_refused_can_still_be_taken_out(service: Service) -> None:
    service.list().deliver(batch(Operation.ADD, 7))
    service.stand_in.refused[digests(7)[0].hex()] = "hard bounce"
    assert not service.list().deliver(batch(Operation.REMOVE, 7)).refused
    assert service.stand_in.members() == set()


def test_an_answer_that_does_not_speak_of_each_is_not_believed(service: Service) -> None:
    service.stand_in.app.faults.add(service.stand_in.app.catalogue.parse("no-answers:applies=yes"))
    with pytest.raises(ServiceFailed, match="each of 3 digests"):
        service.list().deliver(batch(Operation.ADD, 1, 2, 3))
    assert service.stand_in.members() == set(digests(1, 2, 3))


def test_a_request_too_many_is_told_how_long_to_wait(service: Service) -> None:
    service.stand_in.app.clock.hold()
    for _ in range(10):
        service.list().audience_status()
    with pytest.raises(Throttled) as met:
        service.list().audience_status()
    assert met.value.retry_after == 1
    service.stand_in.app.clock.move(1)
    assert service.list().audience_status().id == LIST


def test_every_list_is_found_page_by_page(service: Service) -> None:
    for name in ("a", "b", "z"):
        service.stand_in.lists[name] = MailList(id=name, name=f"List {name}")
    assert [each.id for each in service.list().audiences()] == ["a", "b", LIST, "z"]
    asked = [each for each in service.stand_in.app.log.requests() if each.route == "lists"]
    assert len(asked) == 2


def test_pages_that_go_round_are_not_asked_for_without_end(service: Service) -> None:
    same = '{"lists": [], "after": "m"}'
    app = service.stand_in.app
    app.faults.add(app.catalogue.make("body", {"route": "lists", "body": same, "count": None}))
    with pytest.raises(ServiceFailed, match="do not end"):
        list(service.list().audiences())


def test_a_list_is_made_and_found_again_by_its_description(service: Service) -> None:
    made = service.list().create_audience(NewAudience(name="Loyal", description="made by cdp 4711"))
    assert (made.name, made.holds_nobody) == ("Loyal", True)
    assert made.origin == service.connection.settings["api_url"]
    marked = [each.id for each in service.list().audiences() if each.description == "made by cdp 4711"]
    assert marked == [made.id]


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (NewAudience(name="Loyal", retention_in_days=30), "leave out how many days"),
        (NewAudience(name="x" * 101), "1 to 100 characters"),
    ],
)
def test_a_list_that_the_service_does_not_make_is_refused_in_words(
    service: Service, wish: NewAudience, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        service.list().create_audience(wish)
    assert set(service.stand_in.lists) == {LIST}


def test_a_list_that_is_closed_is_told_before_anything_is_sent(service: Service) -> None:
    service.stand_in.lists[LIST].open = False
    with pytest.raises(ValueError, match="takes nobody by the API") as told:
        service.list().verify()
    sentence = told.value.args[0]
    assert isinstance(sentence, Sentence)
    assert set(sentence.in_language) == {"nl", "da"}


def test_the_account_is_told_by_its_name(service: Service) -> None:
    identity = who_am_i(service.connection)
    assert (identity.name, dict(identity.details)) == ("Flower shop", {"plan": "Business"})
