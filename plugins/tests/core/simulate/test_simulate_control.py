from __future__ import annotations

import pytest
import requests

from cdp_core.simulate import App, running


def test_the_log_tells_of_requests_and_nothing_of_their_content(
    app: App, url: str, http: requests.Session
) -> None:
    app.faults.add(app.catalogue.parse("cut-before:route=form"))
    http.post(
        f"{url}/shelves/top?code=hush", json={"secret": "hush"}, headers={"Authorization": "Bearer hush"}
    )
    http.get(f"{url}/nowhere")
    with pytest.raises(requests.ConnectionError):
        http.post(f"{url}/form", data={"a": "b"})
    logged = http.get(f"{url}/__simulator/requests").json()["requests"]
    told = [(entry["method"], entry["path"], entry["route"], entry["status"]) for entry in logged]
    assert told == [
        ("POST", "/shelves/top", "put", 200),
        ("GET", "/nowhere", "", 404),
        ("POST", "/form", "form", None),
    ]
    assert [(entry["items"], entry["fault"]) for entry in logged] == [(1, ""), (0, ""), (0, "cut-before")]
    assert "hush" not in str(logged)
    http.delete(f"{url}/__simulator/requests")
    assert app.log.requests() == []


def test_faults_are_queued_listed_and_dropped(url: str, http: requests.Session) -> None:
    faults = f"{url}/__simulator/faults"
    added = http.post(faults, json={"name": "throttled", "route": "put", "count": 2})
    assert added.status_code == 201
    assert http.post(f"{url}/shelves/top", json={}).status_code == 429
    (queued,) = http.get(faults).json()["queued"]
    assert queued == {"name": "throttled", "route": "put", "count": 1, "skip": 0, "probability": 1.0}
    http.delete(faults)
    assert http.post(f"{url}/shelves/top", json={}).status_code == 200


def test_a_fault_that_cannot_be_is_refused_with_the_reason(url: str, http: requests.Session) -> None:
    answer = http.post(f"{url}/__simulator/faults", json={"name": "storm"})
    assert (answer.status_code, "there is no fault" in answer.json()["error"]) == (400, True)
    assert http.post(f"{url}/__simulator/faults", json=[]).status_code == 400


def test_the_clock_is_asked_and_moved(app: App, url: str, http: requests.Session) -> None:
    clock = f"{url}/__simulator/clock"
    before = http.get(clock).json()["now"]
    moved = http.post(clock, json={"forward_seconds": 3600}).json()
    assert moved["moved_seconds"] == app.clock.moved == 3600
    assert 3600 <= moved["now"] - before < 3660
    for wrong in ({"forward_seconds": -1}, {"forward_seconds": "soon"}, {}, {"back": 1}):
        assert http.post(clock, json=wrong).status_code == 400


def test_what_the_stand_in_holds_is_shown_where_it_says_so(url: str, http: requests.Session) -> None:
    http.post(f"{url}/shelves/top", json={"thing": 1})
    assert http.get(f"{url}/__simulator/state").json() == {"things": [{"thing": 1}]}
    with running(App([], name="Nothing")) as server:
        assert http.get(f"{server.url}/__simulator/state").status_code == 404


def test_faults_and_latency_do_not_touch_the_control_plane(
    app: App, url: str, http: requests.Session
) -> None:
    app.faults.add(app.catalogue.parse("unavailable:count=all"))
    assert http.get(f"{url}/shelves/top").status_code == 503
    assert http.get(f"{url}/__simulator/clock").status_code == 200
    assert http.get(f"{url}/__simulator/nothing").status_code == 404


def test_the_page_shows_every_kind_of_fault_and_what_waits(
    app: App, url: str, http: requests.Session
) -> None:
    app.faults.add(app.catalogue.parse("cut-after:route=put"))
    page = http.get(f"{url}/__simulator/")
    assert page.headers["Content-Type"].startswith("text/html")
    for kind in app.catalogue.kinds:
        assert f"<code>{kind}</code>" in page.text
    assert "<li><code>cut-after</code> for <code>put</code>" in page.text
