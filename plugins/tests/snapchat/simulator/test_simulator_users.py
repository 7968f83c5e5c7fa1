from __future__ import annotations

import json
from typing import Any

import pytest

from cdp_snapchat.simulator import AD_ACCOUNT_ID, AUDIENCE_ID, LOOKALIKE_ID

USERS = f"/segments/{AUDIENCE_ID}/users"
GOOD = "ab" * 32


def body(**changed: Any) -> bytes:
    entry = {"schema": ["EMAIL_SHA256"], "data": [[GOOD]]} | changed
    return json.dumps({"users": [entry]}).encode()


def send(client: Any, data: bytes, *, method: str = "POST", content_type: str = "application/json") -> Any:
    return client.ask(method, USERS, data=data, headers={"Content-Type": content_type})


def test_users_are_added_and_the_answer_counts_what_was_uploaded(client: Any, digests: list[bytes]) -> None:
    answer = client.users([*digests, digests[0]]).json()
    assert answer["request_status"] == "SUCCESS"
    assert answer["users"] == [{"sub_request_status": "SUCCESS", "user": {"number_uploaded_users": 4}}]
    assert client.simulator.members(AUDIENCE_ID) == set(digests)


def test_users_are_removed_by_delete_with_a_body(client: Any, digests: list[bytes]) -> None:
    client.users(digests)
    answer = client.users(digests[:2], method="DELETE").json()
    assert answer["users"] == [{"sub_request_status": "SUCCESS", "user": {"number_uploaded_users": 2}}]
    assert client.simulator.members(AUDIENCE_ID) == {digests[2]}


def test_members_are_a_set(client: Any, digests: list[bytes]) -> None:
    assert client.users(digests, method="DELETE").status_code == 200
    for _ in range(2):
        assert client.users(digests).status_code == 200
    assert client.simulator.members(AUDIENCE_ID) == set(digests)


def test_each_schema_has_members_of_its_own(client: Any, digests: list[bytes]) -> None:
    schemas = ("EMAIL_SHA256", "PHONE_SHA256", "MOBILE_AD_ID_SHA256")
    for schema, digest in zip(schemas, digests, strict=True):
        assert client.users([digest], schema=schema).status_code == 200
    client.users(digests, method="DELETE", schema="PHONE_SHA256")
    held = [client.simulator.members(AUDIENCE_ID, schema) for schema in schemas]
    assert held == [{digests[0]}, set(), {digests[2]}]


BAD = {
    "no JSON": b"{",
    "no object": b"[]",
    "no users": b"{}",
    "more than users": b'{"users":[],"more":1}',
    "no entry": b'{"users":[]}',
    "two entries": json.dumps({"users": [{"schema": ["EMAIL_SHA256"], "data": [[GOOD]]}] * 2}).encode(),
    "an unknown key": body(id=AUDIENCE_ID),
    "a key twice": body().replace(b'"data"', b'"schema": ["EMAIL_SHA256"], "data"'),
    "two schemas": body(schema=["EMAIL_SHA256", "PHONE_SHA256"], data=[[GOOD, GOOD]]),
    "no schema": body(schema=[]),
    "a schema that is text": body(schema="EMAIL_SHA256"),
    "an unknown schema": body(schema=["NAME_SHA256"]),
    "a schema in lower case": body(schema=["email_sha256"]),
    "a schema that is a number": body(schema=[5]),
    "no rows": body(data=[]),
    "rows that are an object": body(data={}),
    "a row that is text": body(data=[GOOD]),
    "a row without a value": body(data=[[]]),
    "a row with two values": body(data=[[GOOD, GOOD]]),
    "a value that is a number": body(data=[[5]]),
    "upper case": body(data=[[GOOD.upper()]]),
    "63 digits": body(data=[[GOOD[1:]]]),
    "65 digits": body(data=[["a" + GOOD]]),
    "no digit of hexadecimal": body(data=[["g" + GOOD[1:]]]),
    "a raw e-mail": body(data=[["person@example.com"]]),
    "white space within": body(data=[[f" {GOOD}"]]),
    "one bad among good": body(data=[[GOOD], [GOOD], [GOOD.upper()], [GOOD]]),
    "what follows": body() + b"{}",
}


@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize("data", BAD.values(), ids=BAD.keys())
def test_a_body_that_is_not_exactly_right_is_refused_whole(client: Any, data: bytes, method: str) -> None:
    answer = send(client, data, method=method)
    assert (answer.status_code, answer.json()["request_status"]) == (400, "ERROR")
    assert client.simulator.members(AUDIENCE_ID) == set()
    # A reason that quoted the data would carry it into logs.
    assert GOOD not in answer.text
    assert "person" not in answer.text


def test_another_content_type_or_no_body_is_refused(client: Any) -> None:
    assert send(client, body(), content_type="text/plain").status_code == 400
    assert send(client, b"").status_code == 400


def test_a_hundred_thousand_are_taken_and_one_more_is_not(client: Any) -> None:
    many = [number.to_bytes(32, "big") for number in range(100_001)]
    assert client.users(many).status_code == 400
    assert client.users(many[:100_000]).json()["users"][0]["user"]["number_uploaded_users"] == 100_000
    assert len(client.simulator.members(AUDIENCE_ID)) == 100_000
    (refused, taken) = client.simulator.requests("add-users")
    assert (refused.status, refused.items, taken.status, taken.items) == (400, 0, 200, 100_000)


def test_only_a_customer_list_takes_users(client: Any, digests: list[bytes]) -> None:
    for method in ("POST", "DELETE"):
        assert client.users(digests, method=method, segment_id=LOOKALIKE_ID).status_code == 400
    assert client.users(digests, segment_id=AD_ACCOUNT_ID).status_code == 400


def test_one_bad_digest_refuses_the_whole_request_and_is_not_named(client: Any, digests: list[bytes]) -> None:
    client.simulator.refuse_digests(digests[1])
    answer = client.users(digests)
    assert (answer.status_code, digests[1].hex() in answer.text) == (400, False)
    assert client.users([digests[0], digests[2]]).status_code == 200
    client.simulator.refuse_digests()
    assert client.users(digests).status_code == 200


@pytest.mark.parametrize("status", [404, 400, 200])
def test_a_new_audience_may_refuse_users_for_some_seconds(
    connect: Any, digests: list[bytes], status: int
) -> None:
    with connect(new_audience_seconds=5, new_audience_status=status) as client:
        client.simulator.clock.hold()
        new = {
            "name": "New",
            "source_type": "FIRST_PARTY",
            "retention_in_days": 5,
            "ad_account_id": AD_ACCOUNT_ID,
        }
        created = client.ask("POST", f"/adaccounts/{AD_ACCOUNT_ID}/segments", json={"segments": [new]}).json()
        segment_id = created["segments"][0]["segment"]["id"]
        refused = client.users(digests, segment_id=segment_id)
        assert (refused.status_code, refused.json()["request_status"]) == (status, "ERROR")
        assert client.users(digests).status_code == 200
        client.simulator.clock.move(5)
        assert client.users(digests, segment_id=segment_id).json()["request_status"] == "SUCCESS"
        assert client.simulator.members(segment_id) == set(digests)
