from __future__ import annotations

from typing import Any

import pytest
import requests

from cdp_core.simulate import Fault
from cdp_snapchat.simulator import AD_ACCOUNT_ID, AUDIENCE_ID
from cdp_snapchat.simulator.faults import FOREIGN_HOST, SNAPCHAT_FAULTS

GOOD = {"users": [{"schema": ["EMAIL_SHA256"], "data": [["ab" * 32]]}]}


@pytest.mark.parametrize(
    ("fault", "status", "held"),
    [
        ("unauthorized", 401, 0),
        ("forbidden", 403, 0),
        ("not-found", 404, 0),
        ("gone", 410, 0),
        ("throttled", 429, 0),
        ("unavailable", 503, 0),
        ("unavailable:applies=yes", 503, 1),
        ("status:status=400", 400, 0),
        ("html", 502, 0),
        ("html:status=200", 200, 0),
        ("error-in-200", 200, 0),
        ("sub-error-in-200", 200, 0),
        ("data-error-in-200", 200, 0),
    ],
)
def test_an_answer_goes_wrong_once(
    client: Any, digests: list[bytes], fault: str, status: int, held: int
) -> None:
    client.simulator.fault(fault)
    assert client.users(digests[:1]).status_code == status
    assert len(client.simulator.members(AUDIENCE_ID)) == held
    assert client.users(digests[:1]).json()["request_status"] == "SUCCESS"


def test_faults_speak_as_the_service_does(client: Any, digests: list[bytes]) -> None:
    for fault in ("unauthorized", "forbidden", "error-in-200", "sub-error-in-200"):
        client.simulator.fault(fault)
    assert client.users(digests).text == "unauthorized"
    forbidden = client.users(digests).json()
    assert forbidden["debug_message"] == "Caller does not have permission"
    assert forbidden["error_code"] == "E3002"
    for whole in ("ERROR", "SUCCESS"):
        answer = client.users(digests).json()
        assert answer["request_status"] == whole
        assert answer["users"][0]["sub_request_status"] == "ERROR"
        assert answer["users"][0]["sub_request_error_reason"].startswith("Error code: E3004, message: ")


@pytest.mark.parametrize(
    ("fault", "held"), [("cut-request", 0), ("cut-before", 0), ("cut-after", 3), ("cut-answer", 3)]
)
def test_a_connection_is_cut(client: Any, digests: list[bytes], fault: str, held: int) -> None:
    client.simulator.fault(fault, route="add-users")
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        client.users(digests)
    assert len(client.simulator.members(AUDIENCE_ID)) == held
    (logged,) = client.simulator.requests("add-users")
    assert (logged.fault, logged.items) == (fault, held)


def test_a_request_stalls(client: Any, digests: list[bytes]) -> None:
    client.simulator.fault("stall", seconds=30.0)
    with pytest.raises(requests.ReadTimeout):
        client.http.post(f"{client.simulator.api_url}/segments/{AUDIENCE_ID}/users", json=GOOD, timeout=0.2)


def test_a_next_link_may_lead_to_another_host(client: Any) -> None:
    for number in range(60):
        client.simulator.world.add_audience(f"Number {number}")
    client.simulator.fault("foreign-next-link")
    link = client.ask("GET", f"/adaccounts/{AD_ACCOUNT_ID}/segments").json()["paging"]["next_link"]
    assert link.startswith(f"{FOREIGN_HOST}/v1/adaccounts/{AD_ACCOUNT_ID}/segments?cursor=")


def test_ids_may_come_as_numbers_and_words_that_nobody_knows(client: Any) -> None:
    for fault in ("numeric-ids", "unknown-values", "other-case"):
        client.simulator.fault(fault)
    assert client.segment()["id"] == int(AUDIENCE_ID)
    unknown = client.segment()
    assert unknown["upload_status"] == unknown["targetable_status"] == "SOMETHING_NEW"
    assert "something_new" in unknown
    other = client.ask("GET", f"/segments/{AUDIENCE_ID}").json()
    assert other["request_status"] == "SUCCESS"
    assert other["segments"][0]["segment"]["upload_status"] == "no_upload"


def test_a_fault_of_the_tests_own_can_be_queued_and_faults_dropped(client: Any) -> None:
    client.simulator.fault(Fault(name="slow down", route="me", status=429, headers={"Retry-After": "3"}))
    assert client.ask("GET", "/me").headers["Retry-After"] == "3"
    client.simulator.fault("unavailable", count=None)
    client.simulator.clear_faults()
    assert client.ask("GET", "/me").status_code == 200


def test_a_fault_of_the_api_leaves_the_sign_in_alone() -> None:
    api = {kind.name for kind in SNAPCHAT_FAULTS} - {"access-denied", "wrong-state", "invalid-grant"}
    assert not [kind.name for kind in SNAPCHAT_FAULTS if kind.name in api and kind.fault.route == "*"]
