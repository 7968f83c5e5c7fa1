from __future__ import annotations

from typing import Any

import pytest
import requests

from cdp_snapchat.simulator import AUDIENCE_ID, LOOKALIKE_ID


def control(client: Any, method: str, path: str, **options: Any) -> requests.Response:
    return requests.request(method, f"{client.simulator.url}/__simulator/{path}", timeout=10, **options)


def test_the_state_tells_of_every_audience_with_its_counts(client: Any, digests: list[bytes]) -> None:
    client.users(digests)
    state = control(client, "GET", "state").json()
    assert [one["name"] for one in state["organizations"]] == ["Demo organization"]
    assert [one["name"] for one in state["ad_accounts"]] == ["Demo ad account"]
    first, second = state["segments"]
    assert (first["id"], second["id"], second["source_type"]) == (AUDIENCE_ID, LOOKALIKE_ID, "LOOKALIKE")
    assert first["members"] == {"EMAIL_SHA256": 3, "PHONE_SHA256": 0, "MOBILE_AD_ID_SHA256": 0}


def test_members_are_told_as_lines_and_as_a_checksum(client: Any, digests: list[bytes]) -> None:
    client.users(digests)
    lines = control(client, "GET", f"segments/{AUDIENCE_ID}/members/EMAIL_SHA256").text.splitlines()
    assert sorted(lines) == sorted(one.hex() for one in digests)
    told = control(client, "GET", f"segments/{AUDIENCE_ID}/members").json()
    checksum = f"{sum(int.from_bytes(one, 'big') for one in digests) % 2**256:064x}"
    assert told["EMAIL_SHA256"] == {"count": 3, "checksum": checksum}
    assert told["PHONE_SHA256"] == {"count": 0, "checksum": "0" * 64}


@pytest.mark.parametrize(
    "path", ["segments/1/members", f"segments/{AUDIENCE_ID}/members/NAME_SHA256", "nothing"]
)
def test_what_is_not_there_is_404(client: Any, path: str) -> None:
    assert control(client, "GET", path).status_code == 404


def test_audiences_ad_accounts_and_organizations_can_be_seeded(client: Any, digests: list[bytes]) -> None:
    organization = control(client, "POST", "organizations", json={"name": "Second"}).json()
    account = {"name": "Second", "organization_id": organization["id"], "access": "reader"}
    ad_account = control(client, "POST", "adaccounts", json=account).json()
    members = {"PHONE_SHA256": [one.hex() for one in digests]}
    seed = {"name": "Seeded", "id": "77", "ad_account_id": ad_account["id"], "members": members}
    assert control(client, "POST", "segments", json=seed).status_code == 201
    assert client.segment("77")["organization_id"] == organization["id"]
    assert client.simulator.members("77", "PHONE_SHA256") == set(digests)
    assert client.users(digests, segment_id="77").status_code == 403


@pytest.mark.parametrize(
    ("path", "seed"),
    [
        ("segments", {}),
        ("segments", {"name": "x", "colour": "red"}),
        ("segments", {"name": "x", "ad_account_id": "unknown"}),
        ("segments", {"name": "x", "members": {"NAME_SHA256": []}}),
        ("segments", {"name": "x", "members": {"EMAIL_SHA256": ["abc"]}}),
        ("segments", {"name": "x", "members": {"EMAIL_SHA256": ["ab"]}}),
        ("adaccounts", {"name": "x", "access": "owner"}),
        ("organizations", {"name": 5}),
    ],
)
def test_a_seed_that_cannot_be_is_refused(client: Any, path: str, seed: dict[str, Any]) -> None:
    answer = control(client, "POST", path, json=seed)
    assert (answer.status_code, bool(answer.json()["error"])) == (400, True)


def test_an_audience_can_be_wiped_or_deleted_behind_the_clients_back(
    client: Any, digests: list[bytes]
) -> None:
    client.users(digests)
    assert control(client, "DELETE", f"segments/{AUDIENCE_ID}/members").status_code == 200
    assert client.simulator.members(AUDIENCE_ID) == set()
    assert control(client, "DELETE", f"segments/{AUDIENCE_ID}").status_code == 200
    assert client.ask("GET", f"/segments/{AUDIENCE_ID}").status_code == 404


def test_tokens_are_issued_expired_and_revoked(client: Any) -> None:
    issued = control(client, "POST", "tokens").json()
    client.http.headers["Authorization"] = f"Bearer {issued['access_token']}"
    for end in ("expire", "revoke"):
        assert client.ask("GET", "/me").status_code == 200
        assert control(client, "POST", f"tokens/{end}").status_code == 200
        assert client.ask("GET", "/me").status_code == 401
        client.sign_in()


def test_bad_digests_are_set_and_never_told(client: Any, digests: list[bytes]) -> None:
    answer = control(client, "PUT", "bad-digests", json={"digests": [digests[0].hex()]})
    assert answer.json() == {"count": 1}
    assert client.users(digests).status_code == 400
    assert control(client, "PUT", "bad-digests", json={"digests": 5}).status_code == 400
    control(client, "PUT", "bad-digests", json={"digests": []})
    assert control(client, "GET", "bad-digests").json() == {"count": 0}
    assert client.users(digests).status_code == 200


def test_the_page_shows_faults_and_facts(client: Any) -> None:
    page = control(client, "GET", "").text
    for words in ("cut-after", "foreign-next-link", "at most 100,000 identifiers in a request", "[O2]"):
        assert words in page
