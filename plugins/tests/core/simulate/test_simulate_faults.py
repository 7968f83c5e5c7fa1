from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest
import requests

from cdp_core.simulate import FAULT_KINDS, Answer, App, Fault, FaultCatalogue, Request, running
from cdp_core.simulate.faults import Faults


def put(http: requests.Session, url: str) -> requests.Response:
    return http.post(f"{url}/shelves/top", json={}, timeout=5)


def count(http: requests.Session, url: str) -> int:
    return int(http.get(f"{url}/shelves/top").json()["count"])


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("status:status=418,route=put", 418),
        ("throttled:route=put", 429),
        ("unavailable:route=put", 503),
        ("html:route=put", 502),
        ("body:body=nonsense,route=put", 200),
    ],
)
def test_an_answer_can_be_replaced_without_the_request_being_applied(
    app: App, url: str, http: requests.Session, fault: str, status: int
) -> None:
    app.faults.add(app.catalogue.parse(fault))
    assert put(http, url).status_code == status
    assert count(http, url) == 0
    assert put(http, url).status_code == 200


def test_an_answer_can_be_replaced_after_the_request_was_applied(
    app: App, url: str, http: requests.Session
) -> None:
    app.faults.add(app.catalogue.parse("status:status=500,applies=yes,route=put"))
    assert put(http, url).status_code == 500
    assert count(http, url) == 1


def test_retry_after_is_sent_only_when_asked_for(app: App, url: str, http: requests.Session) -> None:
    app.faults.add(app.catalogue.parse("throttled"))
    app.faults.add(app.catalogue.parse("throttled:retry_after=7"))
    assert "Retry-After" not in put(http, url).headers
    assert put(http, url).headers["Retry-After"] == "7"


@pytest.mark.parametrize(("cut", "applied"), [("request", 0), ("before", 0), ("after", 1), ("answer", 1)])
def test_a_connection_can_be_cut_at_four_places(
    app: App, url: str, http: requests.Session, cut: str, applied: int
) -> None:
    app.faults.add(app.catalogue.parse(f"cut-{cut}:route=put"))
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        put(http, url)
    assert count(http, url) == applied
    assert put(http, url).status_code == 200


def test_a_stalled_request_is_applied_though_the_client_gave_up(
    app: App, url: str, http: requests.Session
) -> None:
    app.faults.add(app.catalogue.parse("stall:seconds=0.3,route=put"))
    with pytest.raises(requests.ReadTimeout):
        http.post(f"{url}/shelves/top", json={}, timeout=0.1)
    deadline = time.monotonic() + 10
    while not count(http, url) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert count(http, url) == 1


def test_a_stall_does_not_hold_up_the_end(shelf: Any, http: requests.Session) -> None:
    app = shelf.app()
    app.faults.add(app.catalogue.parse("stall:seconds=60"))
    began = time.monotonic()
    with running(app) as server, pytest.raises(requests.ReadTimeout):
        http.get(f"{server.url}/shelves/top", timeout=0.1)
    assert time.monotonic() - began < 5


def test_a_fault_can_alter_an_answer(app: App, url: str, http: requests.Session) -> None:
    def louder(_request: Request, answer: Answer) -> Answer:
        return replace(answer, body=answer.body.upper())

    app.faults.add(Fault(name="louder", alter=louder, headers={"X-Loud": "yes"}))
    answer = put(http, url)
    assert (answer.json(), answer.headers["X-Loud"]) == ({"SHELF": "TOP", "COUNT": 1}, "yes")


def test_a_fault_meets_the_requests_of_its_route_after_those_it_skips_as_often_as_it_counts() -> None:
    faults = Faults()
    faults.add(Fault(name="gone", route="get-a|*-b", skip=1, count=2))
    met = [faults.take(route) is not None for route in ("put", "get-a", "get-b", "put", "get-a", "get-b")]
    assert met == [False, False, True, False, True, False]


def test_a_fault_without_a_count_stays() -> None:
    faults = Faults()
    faults.add(FaultCatalogue(FAULT_KINDS).parse("throttled:count=all"))
    assert all(faults.take("put") for _ in range(50))
    faults.clear()
    assert faults.take("put") is None


def test_the_first_fault_that_matches_is_met_first() -> None:
    faults = Faults()
    for name in ("first", "second"):
        faults.add(Fault(name=name))
    assert [fault.name for fault in map(faults.take, "ab") if fault] == ["first", "second"]


def chances(seed: int) -> list[bool]:
    faults = Faults(seed=seed)
    faults.add(Fault(name="sometimes", probability=0.5, count=None))
    return [faults.take("put") is not None for _ in range(64)]


def test_chances_repeat_with_their_seed() -> None:
    assert chances(7) == chances(7) != chances(8)
    assert 10 < sum(chances(7)) < 54


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("storm", "there is no fault"),
        ("throttled:status=500", "takes no 'status'"),
        ("throttled:count", "not key=value"),
        ("throttled:colour=red", "not key=value"),
        ("throttled:count=many", "not a value"),
        ("throttled:count=0", "at least 1"),
        ("throttled:probability=2", "probability"),
        ("throttled:skip=-1", "not negative"),
        ("status:status=99", "between 200 and 599"),
        ("unavailable:applies=perhaps", "not a value"),
    ],
)
def test_a_fault_that_cannot_be_is_named_with_the_reason(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        FaultCatalogue(FAULT_KINDS).parse(text)


def test_an_option_of_the_wrong_type_is_refused() -> None:
    with pytest.raises(ValueError, match="wrong type"):
        FaultCatalogue(FAULT_KINDS).make("throttled", {"count": "3"})
