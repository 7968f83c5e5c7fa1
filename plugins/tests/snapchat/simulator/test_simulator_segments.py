from __future__ import annotations

from typing import Any

import pytest
import requests

from cdp_snapchat.simulator import AD_ACCOUNT_ID, AUDIENCE_ID, LOOKALIKE_ID

DAY = 86_400
SEGMENTS = f"/adaccounts/{AD_ACCOUNT_ID}/segments"
NEW: dict[str, Any] = {
    "name": "Loyal",
    "description": "who buy often",
    "source_type": "FIRST_PARTY",
    "retention_in_days": 180,
    "ad_account_id": AD_ACCOUNT_ID,
}


def create(client: Any, **changed: Any) -> requests.Response:
    entry = {name: value for name, value in (NEW | changed).items() if value is not None}
    answer = client.ask("POST", SEGMENTS, json={"segments": [entry]})
    assert isinstance(answer, requests.Response)
    return answer


def update(client: Any, **entry: Any) -> requests.Response:
    answer = client.ask("PUT", SEGMENTS, json={"segments": [entry]})
    assert isinstance(answer, requests.Response)
    return answer


def test_a_created_audience_is_told_as_the_official_example_has_it(client: Any) -> None:
    answer = create(client).json()
    assert answer["request_status"] == "success"
    (entry,) = answer["segments"]
    assert entry["sub_request_status"] == "success"
    segment = entry["segment"]
    assert set(segment) == {
        *("updated_at", "created_at", "name", "id", "ad_account_id", "description", "status", "source_type"),
        *("retention_in_days", "approximate_number_users"),
    }
    assert segment["id"].isdigit()
    assert segment["created_at"].endswith("Z")
    assert (segment["status"], segment["approximate_number_users"]) == ("PENDING", 0)
    assert {name: segment[name] for name in NEW} == NEW


def test_a_read_audience_tells_more(client: Any) -> None:
    segment = client.segment(create(client).json()["segments"][0]["segment"]["id"])
    assert {"organization_id", "targetable_status", "upload_status", "visible_to"} <= set(segment)
    assert (segment["upload_status"], segment["targetable_status"]) == ("NO_UPLOAD", "NOT_READY")


@pytest.mark.parametrize(
    "changed",
    [
        {"name": None},
        {"name": "   "},
        {"name": 5},
        {"name": "n" * 376},
        {"retention_in_days": None},
        {"retention_in_days": 0},
        {"retention_in_days": 10_000},
        {"retention_in_days": "180"},
        {"retention_in_days": True},
        {"source_type": "LOOKALIKE"},
        {"source_type": None},
        {"ad_account_id": None},
        {"ad_account_id": "another"},
        {"description": 5},
        {"id": "5"},
        {"status": "ACTIVE"},
    ],
)
def test_an_audience_that_cannot_be_is_refused(client: Any, changed: dict[str, Any]) -> None:
    assert create(client, **changed).status_code == 400
    assert len(client.ask("GET", SEGMENTS).json()["segments"]) == 2


def test_the_longest_name_the_longest_retention_and_no_description_are_taken(client: Any) -> None:
    answer = create(client, name="n" * 375, retention_in_days=9999, description=None)
    assert answer.status_code == 200
    assert answer.json()["segments"][0]["segment"]["description"] == ""


@pytest.mark.parametrize(
    "body", [[], {}, {"segments": []}, {"segments": [5]}, {"segments": {}}, {"segments": [NEW], "x": 1}]
)
def test_another_body_than_segments_is_refused(client: Any, body: Any) -> None:
    assert client.ask("POST", SEGMENTS, json=body).status_code == 400


def test_an_ad_account_has_at_most_a_thousand(client: Any) -> None:
    for number in range(997):
        client.simulator.world.add_audience(f"Number {number}")
    assert create(client).status_code == 200
    assert create(client).status_code == 400


def test_an_audience_is_changed_by_its_id_in_the_body(client: Any) -> None:
    before = client.segment()
    answer = update(client, id=AUDIENCE_ID, name="Renamed", retention_in_days=30)
    assert answer.status_code == 200
    after = client.segment()
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"name", "retention_in_days", "updated_at"}
    assert update(client, **after).status_code == 200


@pytest.mark.parametrize(
    ("entry", "status", "code"),
    [
        ({"id": AUDIENCE_ID, "source_type": "LOOKALIKE"}, 400, "E2023"),
        ({"id": AUDIENCE_ID, "approximate_number_users": 5}, 400, "E2023"),
        ({"id": AUDIENCE_ID, "nonsense": 5}, 400, None),
        ({"id": AUDIENCE_ID, "name": ""}, 400, None),
        ({"id": "1", "name": "x"}, 404, "E3003"),
        ({"name": "x"}, 404, "E3003"),
    ],
)
def test_a_change_that_cannot_be_is_refused(
    client: Any, entry: dict[str, Any], status: int, code: str | None
) -> None:
    answer = update(client, **entry)
    assert (answer.status_code, answer.json().get("error_code")) == (status, code)


def test_retention_may_be_immutable(connect: Any) -> None:
    with connect(retention_immutable=True) as client:
        answer = update(client, id=AUDIENCE_ID, retention_in_days=30)
        assert (answer.status_code, answer.json()["error_code"]) == (400, "E2023")
        assert update(client, id=AUDIENCE_ID, retention_in_days=180, name="x").status_code == 200


def test_a_deleted_audience_is_gone(client: Any, digests: list[bytes]) -> None:
    answer = client.ask("DELETE", f"/segments/{AUDIENCE_ID}").json()
    assert (answer["request_status"], answer["segments"]) == ("SUCCESS", [])
    assert client.ask("GET", f"/segments/{AUDIENCE_ID}").status_code == 404
    assert client.users(digests).status_code == 404


def test_an_upload_is_processed_by_the_clock(client: Any, digests: list[bytes]) -> None:
    client.users(digests)
    assert client.segment()["upload_status"] == "PROCESSING"
    client.simulator.clock.move(DAY + 1)
    client.sign_in()
    segment = client.segment()
    assert (segment["status"], segment["upload_status"]) == ("ACTIVE", "COMPLETE")
    assert (segment["targetable_status"], segment["approximate_number_users"]) == ("TOO_FEW_USERS", 0)


def test_below_a_thousand_matched_users_nothing_is_told_and_above_it_is_rounded(connect: Any) -> None:
    with connect(processing_seconds=0) as client:
        told = []
        for size in (999, 1000, 12_399):
            client.users([number.to_bytes(32, "big") for number in range(size)])
            segment = client.segment()
            told.append((segment["targetable_status"], segment["approximate_number_users"]))
    assert told == [("TOO_FEW_USERS", 0), ("READY", 1000), ("READY", 12_000)]


def test_only_a_share_of_the_identifiers_may_match(connect: Any) -> None:
    with connect(processing_seconds=0, match_rate=0.5) as client:
        client.users([number.to_bytes(32, "big") for number in range(3000)])
        assert client.segment()["approximate_number_users"] == 1500


def test_while_a_later_upload_is_processed_the_earlier_number_stands(client: Any) -> None:
    many = [number.to_bytes(32, "big") for number in range(2000)]
    client.users(many)
    client.simulator.clock.move(DAY)
    client.sign_in()
    client.users(many[:1500], method="DELETE")
    segment = client.segment()
    assert (segment["upload_status"], segment["approximate_number_users"]) == ("PROCESSING", 2000)
    client.simulator.clock.move(DAY)
    client.sign_in()
    assert client.segment()["targetable_status"] == "TOO_FEW_USERS"


def test_removing_all_users_empties_the_audience_and_takes_no_body(client: Any, digests: list[bytes]) -> None:
    client.users(digests)
    path = f"/segments/{AUDIENCE_ID}/all_users"
    assert client.ask("DELETE", path, json={}).status_code == 400
    (entry,) = client.ask("DELETE", path).json()["segments"]
    assert entry["segment"]["approximate_number_users"] == 0
    assert client.simulator.members(AUDIENCE_ID) == set()
    assert client.ask("DELETE", f"/segments/{LOOKALIKE_ID}/all_users").status_code == 400
