"""The stand-in is as strict as the service's manual, and can be started by hand."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import CliRunner

from cdp_mailer.command import mailer
from cdp_mailer.stand_in import DEMO_KEY, LARGEST_BATCH, LIST, mailer_stand_in
from tests.conftest import Service, digests

GOOD = {"action": "subscribe", "emails": ["0" * 64]}


def posted(service: Service, body: Any, *, list_id: str = LIST, query: str = "") -> requests.Response:
    url = f"{service.connection.settings['api_url']}/v1/lists/{list_id}/subscribers{query}"
    return service.connection.http.post(url, json=body, timeout=10)


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {**GOOD, "action": "add"},
        {**GOOD, "emails": []},
        {**GOOD, "emails": "0" * 64},
        {**GOOD, "emails": ["0" * 63]},
        {**GOOD, "emails": ["E" * 64]},
        {**GOOD, "emails": ["anna@mail.example"]},
        {**GOOD, "emails": ["0" * 64] * (LARGEST_BATCH + 1)},
        {**GOOD, "phones": []},
    ],
)
def test_what_the_manual_does_not_allow_is_refused(service: Service, body: Any) -> None:
    answer = posted(service, body)
    assert (answer.status_code, set(answer.json())) == (400, {"error", "request_id"})
    assert service.stand_in.members() == set()
    assert posted(service, GOOD).json()["answers"] == [{"status": "accepted"}]


def test_a_parameter_a_list_or_a_key_that_there_is_not_is_refused(service: Service) -> None:
    assert posted(service, GOOD, query="?dry=1").status_code == 400
    assert posted(service, GOOD, list_id="nowhere").status_code == 404
    service.connection.http.headers["X-Mailer-Key"] = "another"
    assert posted(service, GOOD).status_code == 401


def test_one_in_so_many_is_refused_and_always_the_same_ones() -> None:
    with mailer_stand_in(refuse_every=3) as (stand_in, url):
        body = {"action": "subscribe", "emails": [each.hex() for each in digests(*range(7))]}
        for _ in range(2):
            answer = requests.post(
                f"{url}/v1/lists/{LIST}/subscribers",
                json=body,
                headers={"X-Mailer-Key": DEMO_KEY},
                timeout=10,
            )
            told = [each["status"] for each in answer.json()["answers"]]
            assert [place for place, status in enumerate(told) if status == "refused"] == [0, 3, 6]
        assert stand_in.members() == set(digests(1, 2, 4, 5))


def test_started_by_hand_it_says_how_to_use_it_shows_whom_it_holds_and_ends_tidily() -> None:
    cdp = str(Path(sys.executable).with_name("cdp"))
    words = ["simulate", "mailer", "--fault", "throttled:route=subscribers,retry_after=3", "--seed", "1"]
    with subprocess.Popen([cdp, *words], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(8)]
        url = re.findall(r"http://127\.0\.0\.1:\d+", said[0])[0]
        assert said[-1] == f"    --set api_url={url} --secret api_key=env:MAILER_KEY\n"
        head = {"X-Mailer-Key": DEMO_KEY}
        sent = [
            requests.post(f"{url}/v1/lists/{LIST}/subscribers", json=GOOD, headers=head, timeout=10)
            for _ in range(2)
        ]
        assert [each.status_code for each in sent] == [429, 200]
        state = requests.get(f"{url}/__simulator/state", timeout=10).json()
        assert state[LIST]["subscribers"] == GOOD["emails"]
        process.send_signal(signal.SIGTERM)
    assert process.returncode == 0


def test_a_fault_that_cannot_be_is_a_usage_error() -> None:
    result = CliRunner().invoke(mailer, ["--fault", "storm"])
    assert result.exit_code == 2
    assert "there is no fault 'storm'" in result.output


def test_a_port_in_use_is_told_in_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = CliRunner().invoke(mailer, ["--port", str(taken.getsockname()[1])])
    assert result.exit_code == 2
    assert "Invalid value for --port: cannot serve on" in result.output
