"""The destination against the simulator: found, listed, created, filled, emptied, read back."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from cdp_core.contract.destination import Batch, ConnectionContext, NewAudience
from cdp_core.contract.digests import DigestBlock
from cdp_core.contract.faults import AudienceGone, DestinationFault, RightsRefused, ServiceFailed
from cdp_core.model.delivery import Operation
from cdp_core.simulate import Answer, Fault, Request
from cdp_snapchat.client import SnapchatClient, users_body
from cdp_snapchat.destination import SnapchatAudience
from cdp_snapchat.identity import who_am_i
from cdp_snapchat.simulator import AD_ACCOUNT_ID, AUDIENCE_ID, LOOKALIKE_ID, SnapchatSimulator

Digests = Callable[..., DigestBlock]
AudienceOf = Callable[[str], SnapchatAudience]


def test_the_body_is_what_json_would_make_of_it() -> None:
    for count in (1, 2, 1023, 1024, 1025, 3000):
        listed = [hashlib.sha256(str(number).encode()).digest() for number in range(count)]
        body = users_body("EMAIL_SHA256", DigestBlock(b"".join(listed)))
        rows = [[digest.hex()] for digest in listed]
        assert (
            body
            == json.dumps(
                {"users": [{"schema": ["EMAIL_SHA256"], "data": rows}]}, separators=(",", ":")
            ).encode()
        )


def test_a_full_body_has_the_size_that_the_facts_name() -> None:
    assert len(users_body("EMAIL_SHA256", DigestBlock(bytes(3_200_000)))) == 6_900_048


def test_an_empty_batch_is_never_sent() -> None:
    with pytest.raises(ValueError, match="at least one"):
        users_body("EMAIL_SHA256", DigestBlock(b""))


def test_members_come_and_go(
    audience: SnapchatAudience, simulator: SnapchatSimulator, digests: Digests
) -> None:
    added = audience.deliver(Batch(operation=Operation.ADD, kind="EMAIL", digests=digests(1, 2, 3)))
    assert added.accepted
    assert added.http_status == 200
    assert added.request_id
    removed = audience.deliver(Batch(operation=Operation.REMOVE, kind="EMAIL", digests=digests(2, 9)))
    assert removed.accepted
    assert simulator.members(AUDIENCE_ID) == {*digests(1, 3)}


def test_an_audience_is_emptied_of_every_kind_with_one_request(
    audience: SnapchatAudience, simulator: SnapchatSimulator, digests: Digests
) -> None:
    for kind in ("EMAIL", "PHONE"):
        audience.deliver(Batch(operation=Operation.ADD, kind=kind, digests=digests(1, 2)))
    emptied = audience.remove_all()
    assert (emptied.accepted, emptied.http_status) == (True, 200)
    assert emptied.request_id
    assert simulator.members(AUDIENCE_ID) | simulator.members(AUDIENCE_ID, "PHONE_SHA256") == set()


def test_a_refusal_to_be_emptied_is_a_receipt_and_a_missing_right_is_a_fault(
    audience: SnapchatAudience, simulator: SnapchatSimulator
) -> None:
    simulator.fault("data-error-in-200:route=remove-all-users,count=1")
    refused = audience.remove_all()
    assert not refused.accepted
    assert "Invalid user data" in refused.message
    simulator.fault("error-in-200:route=remove-all-users,count=1")
    with pytest.raises((AudienceGone, RightsRefused)):
        audience.remove_all()


def test_a_full_batch_goes_through(audience: SnapchatAudience, simulator: SnapchatSimulator) -> None:
    block = DigestBlock(b"".join(number.to_bytes(32, "big") for number in range(100_000)))
    assert audience.deliver(Batch(operation=Operation.ADD, kind="EMAIL", digests=block)).accepted
    assert len(simulator.members(AUDIENCE_ID)) == 100_000


def test_verify_finds_a_customer_list(audience: SnapchatAudience, simulator: SnapchatSimulator) -> None:
    found = audience.verify()
    assert (found.id, found.name) == (AUDIENCE_ID, "Demo customers")
    assert found.origin == simulator.url
    assert found.upload_status == "NO_UPLOAD"
    assert found.approximate_number_users == 0
    assert found.retention_in_days == 180


def test_verify_refuses_an_audience_of_another_kind(audience_of: AudienceOf) -> None:
    with pytest.raises(ValueError, match="is of the kind LOOKALIKE"):
        audience_of(LOOKALIKE_ID).verify()


def test_verify_says_that_an_audience_is_gone(audience_of: AudienceOf) -> None:
    with pytest.raises(AudienceGone):
        audience_of("1234567890").verify()


def test_verify_turns_a_refusal_into_words(audience: SnapchatAudience, simulator: SnapchatSimulator) -> None:
    simulator.fault("status", route="get-segment", status=400)
    with pytest.raises(ValueError, match="Snapchat answered 400"):
        audience.verify()


def test_verify_says_that_rights_are_missing(audience_of: AudienceOf, simulator: SnapchatSimulator) -> None:
    other = simulator.world.add_ad_account("Not ours", access="none")
    hidden = simulator.world.add_audience("Hidden", ad_account_id=other.id)
    with pytest.raises(RightsRefused):
        audience_of(hidden.id).verify()


def test_an_audience_without_a_stated_kind_is_taken(
    audience: SnapchatAudience, simulator: SnapchatSimulator
) -> None:
    body = {
        "request_status": "success",
        "segments": [{"segment": {"id": 5677923948298240, "status": "ACTIVE"}}],
    }
    simulator.fault("body", route="get-segment", body=json.dumps(body))
    found = audience.verify()
    assert found.id == "5677923948298240"
    assert found.approximate_number_users is None


@pytest.mark.parametrize("fault", ["numeric-ids", "unknown-values", "other-case"])
def test_answers_may_be_written_otherwise(
    audience: SnapchatAudience, simulator: SnapchatSimulator, fault: str
) -> None:
    simulator.fault(fault, route="get-segment")
    assert audience.verify().id == AUDIENCE_ID


def test_words_that_nobody_knows_yet_are_kept(
    audience: SnapchatAudience, simulator: SnapchatSimulator
) -> None:
    simulator.fault("unknown-values", route="get-segment")
    found = audience.audience_status()
    assert (found.upload_status, found.targetable_status) == ("SOMETHING_NEW", "SOMETHING_NEW")
    assert found.name == "Demo customers"


@pytest.mark.parametrize(
    "segments",
    [[], ["x"], [{"segment": None}], None, {"segment": {}}],
    ids=["empty", "x", "null", "-", "object"],
)
def test_an_answer_without_the_audience_is_no_audience(
    audience: SnapchatAudience, simulator: SnapchatSimulator, segments: Any
) -> None:
    body = json.dumps({"request_status": "success", "segments": segments})
    simulator.fault("body", route="get-segment", body=body)
    with pytest.raises((AudienceGone, ServiceFailed)):
        audience.audience_status()


def test_the_status_is_the_services_own(
    audience: SnapchatAudience, simulator: SnapchatSimulator, digests: Digests
) -> None:
    audience.deliver(Batch(operation=Operation.ADD, kind="EMAIL", digests=digests(*range(1500))))
    assert audience.audience_status().upload_status == "PROCESSING"
    simulator.clock.move(2 * 86_400)
    settled = audience.audience_status()
    assert (settled.upload_status, settled.targetable_status) == ("COMPLETE", "READY")
    assert settled.approximate_number_users == 1500


def test_all_customer_lists_are_listed_page_by_page(
    audience: SnapchatAudience, simulator: SnapchatSimulator
) -> None:
    second = simulator.world.add_ad_account("Second")
    names = {f"List {number}" for number in range(1005)}
    for name in names:
        simulator.world.add_audience(name, ad_account_id=second.id)
    listed = list(audience.audiences())
    assert {found.name for found in listed} == {"Demo customers", *names}
    assert len(simulator.requests("list-segments")) == 3


def paging(link: str) -> Fault:
    def alter(request: Request, answer: Answer) -> Answer:
        body = {
            **answer.json(),
            "paging": {"next_link": link.replace("SELF", f"{request.base_url}{request.path}")},
        }
        return Answer(body=json.dumps(body).encode())

    return Fault(name="paging", route="list-segments", count=None, alter=alter)


@pytest.mark.parametrize(
    "link",
    [
        "https://elsewhere.example/v1/x",
        "//elsewhere.example/v1/x",
        "https://127.0.0.1/v1/x",
        "http://127.0.0.1:99999/",
        "file:///etc/passwd",
    ],
)
def test_a_next_page_on_another_host_is_refused(
    client: SnapchatClient, simulator: SnapchatSimulator, link: str
) -> None:
    simulator.fault(paging(link))
    with pytest.raises(ServiceFailed, match="another host"):
        list(client.segments(AD_ACCOUNT_ID))
    assert len(simulator.requests("list-segments")) == 1


def test_the_simulators_own_foreign_link_is_refused(
    audience: SnapchatAudience, simulator: SnapchatSimulator
) -> None:
    for number in range(1005):
        simulator.world.add_audience(f"List {number}")
    simulator.fault("foreign-next-link", route="list-segments")
    with pytest.raises(ServiceFailed, match="another host"):
        list(audience.audiences())


def test_pages_that_go_in_a_circle_end(client: SnapchatClient, simulator: SnapchatSimulator) -> None:
    simulator.fault(paging("SELF?limit=1000"))
    with pytest.raises(ServiceFailed, match="circle"):
        list(client.segments(AD_ACCOUNT_ID))


def test_an_audience_is_created_for_life(audience: SnapchatAudience, simulator: SnapchatSimulator) -> None:
    made = audience.create_audience(NewAudience(name="Loyal customers", description="bought twice"))
    assert re.fullmatch(r"\d+", made.id)
    stored = simulator.world.audiences[made.id]
    assert (stored.name, stored.retention_in_days, stored.source_type) == (
        "Loyal customers",
        9999,
        "FIRST_PARTY",
    )
    assert audience.create_audience(NewAudience(name="Short", retention_in_days=30)).retention_in_days == 30


def test_an_audience_is_not_created_where_it_is_not_clear_in_which_account(
    audience: SnapchatAudience, simulator: SnapchatSimulator
) -> None:
    simulator.world.add_ad_account("Second")
    with pytest.raises(ValueError, match=r"Demo ad account \(.*; Second \("):
        audience.create_audience(NewAudience(name="Loyal customers"))


@pytest.mark.parametrize("name", ["", "x" * 376])
def test_a_name_that_the_service_would_refuse_is_refused_here(audience: SnapchatAudience, name: str) -> None:
    with pytest.raises(ValueError, match="375"):
        audience.create_audience(NewAudience(name=name))


def test_a_refused_creation_is_told_in_words(audience: SnapchatAudience) -> None:
    with pytest.raises(ValueError, match="Snapchat answered 400"):
        audience.create_audience(NewAudience(name=" "))


@pytest.mark.parametrize("days", [0, 10_000])
def test_a_retention_that_the_service_would_refuse_is_refused_here(
    audience: SnapchatAudience, days: int
) -> None:
    with pytest.raises(ValueError, match="9999 days"):
        audience.create_audience(NewAudience(name="x", retention_in_days=days))


def test_who_am_i_names_the_user_without_the_address(connection: ConnectionContext) -> None:
    identity = who_am_i(connection)
    assert identity.name == "Demo User"
    assert identity.details["user name"] == "demo-user"
    assert "@" not in str(identity)


@pytest.mark.parametrize("body", ['{"me": null}', "{}", "[]", '{"request_status": "ERROR"}'])
def test_an_answer_that_names_nobody_is_a_fault(
    connection: ConnectionContext, simulator: SnapchatSimulator, body: str
) -> None:
    simulator.fault("body", route="me", body=body)
    with pytest.raises(DestinationFault):
        who_am_i(connection)


def test_ids_cannot_lead_to_another_address(client: SnapchatClient, simulator: SnapchatSimulator) -> None:
    with pytest.raises(DestinationFault):
        client.segment("../me?x=1#")
    assert simulator.requests("me") == []
