"""Answers in the shapes of the official pages' examples are read, with their words in either case."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from cdp_core.contract.destination import Batch, NewAudience
from cdp_core.contract.digests import DigestBlock
from cdp_core.contract.faults import AudienceGone, RightsRefused
from cdp_core.model.delivery import Operation
from cdp_snapchat.client import SnapchatClient
from cdp_snapchat.destination import SnapchatAudience
from cdp_snapchat.simulator import AUDIENCE_ID, SnapchatSimulator

ACCOUNT = "8adc3db7-8148-4fbf-999c-8d2266369d74"
ME = {
    "me": {
        "id": "a22b5575-0000-4000-8000-000000000000",
        "email": "somebody@example.com",
        "organization_id": "40d6719b-0000-4000-8000-000000000000",
        "display_name": "Some Body",
        "snapchat_username": "somebody",
        "member_status": "MEMBER",
    }
}
SEGMENT = {
    "updated_at": "2016-08-12T22:59:42.452Z",
    "created_at": "2016-08-12T22:59:42.405Z",
    "name": "A list",
    "id": "5677923948298240",
    "ad_account_id": ACCOUNT,
    "description": "of people",
    "status": "PENDING",
    "source_type": "FIRST_PARTY",
    "retention_in_days": 180,
    "approximate_number_users": 0,
}
WORDS = ("success", "pending", "first_party")
Shaped = dict[str, Any]


def envelope(kind: str, *entities: Shaped, paging: Shaped | None = None) -> Shaped:
    listed = [{"sub_request_status": "success", kind: entity} for entity in entities]
    answer: Shaped = {"request_status": "success", "request_id": "57ae54d8", f"{kind}s": listed}
    return answer if paging is None else {**answer, "paging": paging}


def lower(value: Any) -> Any:
    return _words(value, str.lower)


def upper(value: Any) -> Any:
    return _words(value, str.upper)


def _words(value: Any, change: Callable[[str], str]) -> Any:
    """The value with the service's words in another case."""
    if isinstance(value, dict):
        return {key: _words(inner, change) for key, inner in value.items()}
    if isinstance(value, list):
        return [_words(inner, change) for inner in value]
    return change(value) if isinstance(value, str) and value.lower() in WORDS else value


both_cases = pytest.mark.parametrize("case", [lower, upper])


def answering(simulator: SnapchatSimulator, route: str, body: Shaped, status: int = 200) -> None:
    name = "body" if status == 200 else "status"
    options: dict[str, Any] = {} if status == 200 else {"status": status}
    simulator.fault(name, route=route, body=json.dumps(body), **options)


def test_the_user(client: SnapchatClient, simulator: SnapchatSimulator) -> None:
    answering(simulator, "me", ME)
    assert client.me() == ME["me"]


@both_cases
def test_ad_accounts_on_a_last_page_of_either_kind(
    client: SnapchatClient, simulator: SnapchatSimulator, case: Callable[[Any], Any]
) -> None:
    account = {"id": ACCOUNT, "name": "Mine", "type": "PARTNER", "status": "ACTIVE", "currency": "USD"}
    pagings: tuple[Shaped | None, ...] = ({}, None)
    for paging in pagings:
        answering(simulator, "list-ad-accounts", case(envelope("adaccount", account, paging=paging)))
        assert [each["id"] for each in client.ad_accounts("40d6719b-da09-410b-9185-0cc9c0dfed1d")] == [
            ACCOUNT
        ]


@both_cases
def test_a_new_audience(
    audience: SnapchatAudience, simulator: SnapchatSimulator, case: Callable[[Any], Any]
) -> None:
    answering(simulator, "create-segment", case(envelope("segment", SEGMENT)))
    made = audience.create_audience(NewAudience(name="A list", retention_in_days=180))
    assert (made.id, made.name, made.description) == ("5677923948298240", "A list", "of people")
    assert made.created_at == datetime(2016, 8, 12, 22, 59, 42, 405_000, tzinfo=UTC)
    assert made.retention_in_days == 180


@both_cases
def test_an_audience(
    audience: SnapchatAudience, simulator: SnapchatSimulator, case: Callable[[Any], Any]
) -> None:
    whole = SEGMENT | {
        "organization_id": "40d6719b-da09-410b-9185-0cc9c0dfed1d",
        "targetable_status": "TOO_FEW_USERS",
        "upload_status": "COMPLETE",
        "visible_to": [f"AdAccountEntity_{ACCOUNT}"],
    }
    answering(simulator, "get-segment", case(envelope("segment", whole)))
    found = audience.verify()
    assert (found.upload_status, found.targetable_status, found.holds_nobody) == (
        "COMPLETE",
        "TOO_FEW_USERS",
        False,
    )
    assert "1,000" in found.warning


@both_cases
@pytest.mark.parametrize("operation", [Operation.ADD, Operation.REMOVE])
def test_members_added_and_removed(
    audience: SnapchatAudience, simulator: SnapchatSimulator, operation: Operation, case: Callable[[Any], Any]
) -> None:
    body = {
        "request_status": "SUCCESS",
        "request_id": "12345",
        "users": [{"sub_request_status": "SUCCESS", "user": {"number_uploaded_users": 2}}],
    }
    answering(simulator, "add-users|remove-users", case(body))
    batch = Batch(operation=operation, kind="EMAIL", digests=DigestBlock(bytes(64)))
    receipt = audience.deliver(batch)
    assert (receipt.accepted, receipt.request_id, receipt.message) == (True, "12345", "")


@both_cases
def test_everybody_removed(
    audience: SnapchatAudience, simulator: SnapchatSimulator, case: Callable[[Any], Any]
) -> None:
    answering(simulator, "remove-all-users", case(envelope("segment", SEGMENT)))
    assert audience.remove_all().accepted


def test_the_error_of_the_fixture(audience: SnapchatAudience, simulator: SnapchatSimulator) -> None:
    body = {
        "request_status": "ERROR",
        "request_id": "98e2a602-0000-4000-8000-000000000000",
        "debug_message": "Caller does not have permission",
        "display_message": "We're sorry, but the requested resource is not available at this time",
        "error_code": "E3002",
    }
    answering(simulator, "get-segment", body, status=403)
    with pytest.raises(RightsRefused, match="does not have permission"):
        audience.verify()


def test_the_failure_within_a_success(audience: SnapchatAudience, simulator: SnapchatSimulator) -> None:
    reason = "Error code: E3004, message: Entity does not exist or you do not have permission to access it"
    listed = [{"sub_request_status": "ERROR", "sub_request_error_reason": reason}]
    body = {"request_status": "ERROR", "request_id": "98e2a602", "segments": listed}
    answering(simulator, "get-segment", body)
    with pytest.raises((AudienceGone, RightsRefused), match="E3004"):
        audience.audience_status()
    assert simulator.members(AUDIENCE_ID) == set()
