from __future__ import annotations

import json

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from cdp_core.simulate import Refusal, Route, json_answer, strict_json
from cdp_core.simulate.routes import RouteTable


def test_a_declared_route_is_served_with_its_arguments_unquoted(url: str, http: requests.Session) -> None:
    answer = http.post(f"{url}/shelves/top%20one", json={"thing": 1})
    assert answer.status_code == 200
    assert answer.json() == {"shelf": "top one", "count": 1}


def test_an_unknown_path_is_404_as_json(url: str, http: requests.Session) -> None:
    answer = http.get(f"{url}/nowhere")
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/json")
    assert answer.json() == {"error": "there is nothing at /nowhere"}


def test_a_wrong_method_is_405_and_says_which_there_are(url: str, http: requests.Session) -> None:
    answer = http.delete(f"{url}/shelves/top")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, POST")


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", b"{}", 200),
        ("application/json; charset=utf-8", b"{}", 200),
        ("text/plain", b"{}", 415),
        ("application/json", b"", 400),
        ("application/json", b"{", 400),
        ("application/json", b'{"a":1,"a":2}', 400),
        ("application/json", b"[NaN]", 400),
        ("application/json", b'"\xff"', 400),
        ("application/json", b"\xef\xbb\xbf{}", 400),
        ("application/json", b"[" * 100_000, 400),
        ("application/json", b"9" * 5_000, 400),
    ],
)
def test_a_json_route_takes_nothing_but_json(
    url: str, http: requests.Session, content_type: str, body: bytes, status: int
) -> None:
    answer = http.post(f"{url}/shelves/top", data=body, headers={"Content-Type": content_type})
    assert answer.status_code == status


def test_an_encoded_body_is_refused(url: str, http: requests.Session) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    assert http.post(f"{url}/shelves/top", data=b"{}", headers=headers).status_code == 415


def test_a_body_where_none_is_taken_is_refused(url: str, http: requests.Session) -> None:
    assert http.request("GET", f"{url}/shelves/top", data=b"x").status_code == 400


def test_a_form_is_read_and_a_parameter_given_twice_is_refused(url: str, http: requests.Session) -> None:
    assert http.post(f"{url}/form", data={"a": "1", "b": "é"}).json() == {"a": "1", "b": "é"}
    assert http.post(f"{url}/form", data=[("a", "1"), ("a", "2")]).status_code == 400
    assert http.get(f"{url}/shelves/top?a=1&a=2").status_code == 400


def test_a_parameter_that_a_route_does_not_declare_is_refused(url: str, http: requests.Session) -> None:
    taken = http.get(f"{url}/shelves?after=c7&size=2")
    assert (taken.status_code, taken.json()["query"]) == (200, {"after": "c7", "size": "2"})
    refused = http.get(f"{url}/shelves?size=2&order=name")
    assert (refused.status_code, refused.json()) == (
        400,
        {"error": "GET /shelves takes no parameter 'order'"},
    )
    assert http.get(f"{url}/shelves?size=2&size=3").status_code == 400


def test_who_is_not_admitted_is_refused_before_the_body_is_looked_at(
    url: str, http: requests.Session
) -> None:
    answer = http.post(f"{url}/shelves/top", data=b"{", headers={"Authorization": "Bearer nobody"})
    assert (answer.status_code, answer.json()) == (401, {"error": "who are you?", "code": "WHO"})


def test_two_routes_of_one_name_are_refused() -> None:
    route = Route(name="same", method="GET", pattern="/", handler=lambda _: json_answer({}))
    with pytest.raises(ValueError, match="one name"):
        RouteTable([route, route])


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_strict_json_reads_whatever_json_writes(value: object) -> None:
    assert strict_json(json.dumps(value).encode()) == value


def test_a_refusal_of_json_does_not_quote_the_body() -> None:
    with pytest.raises(Refusal) as refused:
        strict_json(b'{"email": "person@example.com"')
    assert "person" not in refused.value.message
