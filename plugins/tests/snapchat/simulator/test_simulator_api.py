from __future__ import annotations

import re
from typing import Any

import pytest

from cdp_snapchat.simulator import AD_ACCOUNT_ID, AUDIENCE_ID, LOOKALIKE_ID, ORGANIZATION_ID

UNKNOWN_UUID = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer nonsense", "Basic ZGVtbzpkZW1v"])
def test_without_a_good_token_the_answer_is_the_bare_word(client: Any, header: str | None) -> None:
    headers = {"Authorization": header}
    answer = client.ask("GET", "/me", headers=headers)
    assert (answer.status_code, answer.text) == (401, "unauthorized")
    # Not even the body is looked at.
    assert client.ask("POST", f"/segments/{AUDIENCE_ID}/users", data=b"{", headers=headers).status_code == 401


def test_me_has_no_request_status(client: Any) -> None:
    answer = client.ask("GET", "/me").json()
    assert list(answer) == ["me"]
    assert set(answer["me"]) == {
        "id",
        "email",
        "organization_id",
        "display_name",
        "snapchat_username",
        "member_status",
    }


def test_organizations_and_ad_accounts_come_in_the_envelope_of_lists(client: Any) -> None:
    organizations = client.ask("GET", "/me/organizations").json()
    assert organizations["request_status"] == "success"
    assert organizations["paging"] == {}
    (only,) = organizations["organizations"]
    assert (only["sub_request_status"], only["organization"]["id"]) == ("success", ORGANIZATION_ID)
    accounts = client.ask("GET", f"/organizations/{ORGANIZATION_ID}/adaccounts").json()["adaccounts"]
    (account,) = (one["adaccount"] for one in accounts)
    keys = {"id", "name", "type", "status", "organization_id", "currency", "timezone", "advertiser"}
    assert (set(account), account["id"]) == (keys, AD_ACCOUNT_ID)
    alone = client.ask("GET", f"/adaccounts/{AD_ACCOUNT_ID}").json()["adaccounts"]
    assert alone == accounts


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        (f"/organizations/{UNKNOWN_UUID}/adaccounts", 404, "E3003"),
        ("/organizations/5677923948298240/adaccounts", 400, None),
        (f"/adaccounts/{UNKNOWN_UUID}", 404, "E3003"),
        (f"/adaccounts/{AUDIENCE_ID}/segments", 400, None),
        ("/segments/1", 404, "E3003"),
        (f"/segments/{AD_ACCOUNT_ID}", 400, None),
        ("/nothing", 404, "E3003"),
        (f"/segments/{AUDIENCE_ID}/all_users", 405, None),
        (f"/adaccounts/{AD_ACCOUNT_ID}/segments?limit=49", 400, None),
        (f"/adaccounts/{AD_ACCOUNT_ID}/segments?limit=1001", 400, None),
        (f"/adaccounts/{AD_ACCOUNT_ID}/segments?limit=many", 400, None),
        (f"/adaccounts/{AD_ACCOUNT_ID}/segments?cursor=abc", 400, None),
    ],
)
def test_what_is_not_there_or_not_well_asked_is_refused_in_the_envelope_of_errors(
    client: Any, path: str, status: int, code: str | None
) -> None:
    answer = client.ask("GET", path)
    assert answer.status_code == status
    error = answer.json()
    assert error["request_status"] == "ERROR"
    assert {"request_id", "debug_message", "display_message"} <= set(error)
    assert error.get("error_code") == code


def test_without_the_right_the_answer_is_403_with_e3002(client: Any) -> None:
    world = client.simulator.world
    foreign = world.add_organization("Foreign", member=False)
    hidden = world.add_ad_account("Hidden", access="none")
    read_only = world.add_ad_account("Read only", access="reader")
    audience = world.add_audience("Theirs", ad_account_id=read_only.id)
    refused = [
        client.ask("GET", f"/organizations/{foreign.id}/adaccounts"),
        client.ask("GET", f"/adaccounts/{hidden.id}"),
        client.ask("DELETE", f"/segments/{audience.id}"),
        client.users([b"\0" * 32], segment_id=audience.id),
        client.ask("POST", f"/adaccounts/{read_only.id}/segments", json={"segments": [{}]}),
    ]
    for answer in refused:
        assert (answer.status_code, answer.json()["error_code"]) == (403, "E3002")
        assert answer.json()["debug_message"] == "Caller does not have permission"
    assert client.ask("GET", f"/segments/{audience.id}").status_code == 200
    names = [
        one["adaccount"]["name"]
        for one in client.ask("GET", f"/organizations/{ORGANIZATION_ID}/adaccounts").json()["adaccounts"]
    ]
    assert names == ["Demo ad account", "Read only"]


def test_an_answer_that_is_not_wanted_as_json_is_406(client: Any) -> None:
    assert client.ask("GET", "/me", headers={"Accept": "text/html"}).status_code == 406
    assert client.ask("GET", "/me", headers={"Accept": "application/json"}).status_code == 200


def listed(client: Any, first: str) -> list[list[str]]:
    """The ids of each page, going where next_link leads."""
    pages, link = [], client.simulator.api_url + first
    while link:
        answer = client.http.get(link).json()
        pages.append([one["segment"]["id"] for one in answer["segments"]])
        link = answer["paging"].get("next_link")
    return pages


def test_audiences_are_paged_with_a_cursor(client: Any) -> None:
    expected = [AUDIENCE_ID, LOOKALIKE_ID]
    expected += [client.simulator.world.add_audience(f"Number {number}").id for number in range(118)]
    path = f"/adaccounts/{AD_ACCOUNT_ID}/segments"
    for query, sizes in (("?limit=50", [50, 50, 20]), ("", [50, 50, 20]), ("?limit=1000", [120])):
        pages = listed(client, path + query)
        assert [len(page) for page in pages] == sizes
        assert [one for page in pages for one in page] == expected


def test_a_page_stays_right_while_an_audience_before_it_goes(client: Any) -> None:
    ids = [client.simulator.world.add_audience(f"Number {number}").id for number in range(60)]
    first = client.ask("GET", f"/adaccounts/{AD_ACCOUNT_ID}/segments?limit=50").json()
    assert re.search(r"\?cursor=[^&]+&limit=50$", first["paging"]["next_link"])
    client.ask("DELETE", f"/segments/{ids[0]}")
    second = client.http.get(first["paging"]["next_link"]).json()
    assert [one["segment"]["id"] for one in second["segments"]] == ids[48:]


def test_a_cursor_of_another_list_is_refused(client: Any) -> None:
    other = client.simulator.world.add_ad_account("Other")
    for number in range(51):
        client.simulator.world.add_audience(f"Number {number}")
    link = client.ask("GET", f"/adaccounts/{AD_ACCOUNT_ID}/segments").json()["paging"]["next_link"]
    assert client.http.get(link.replace(AD_ACCOUNT_ID, other.id)).status_code == 400


def test_more_than_ten_requests_a_second_for_a_token_are_429(connect: Any) -> None:
    with connect(rate_limit=True) as client:
        client.simulator.clock.hold()
        statuses = [client.ask("GET", "/me").status_code for _ in range(13)]
        assert statuses == [200] * 10 + [429] * 3
        refused = client.ask("GET", "/me")
        assert (refused.json()["request_status"], "Retry-After" in refused.headers) == ("ERROR", False)
        client.simulator.clock.move(1)
        assert client.ask("GET", "/me").status_code == 200


def test_more_than_twenty_requests_a_second_for_the_app_are_429(connect: Any) -> None:
    with connect(rate_limit=True) as client:
        client.simulator.clock.hold()
        statuses = []
        for _ in range(3):
            client.sign_in()
            statuses += [client.ask("GET", "/me").status_code for _ in range(9)]
        assert statuses == [200] * 20 + [429] * 7


def test_with_a_seed_ids_and_tokens_repeat(connect: Any) -> None:
    def seen() -> tuple[str, str]:
        with connect(seed=5) as client:
            return client.simulator.issue_token().access_token, client.ask("GET", "/me/organizations").text

    assert seen() == seen()
