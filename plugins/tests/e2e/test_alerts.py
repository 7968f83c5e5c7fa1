"""Alerts of scheduled runs, through Apprise and a signed webhook, at a real HTTP server."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from by_hand import alter
from main_job import Job, customers
from scheduled import NAME, make_due, until

KEY = "the-key-of-the-webhook"


@dataclass
class Receiver:
    """Keeps what is posted to it, and answers as it is told."""

    posted: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    status: int = 200
    slow: float = 0
    port: int = 0

    def of(self, path: str) -> list[Any]:
        return [json.loads(body) for at, _, body in self.posted if at == path]

    def kinds(self) -> list[str]:
        """But for the moments that were missed: a minute may begin while one looks."""
        return [each["kind"] for each in self.of("/hook") if each["kind"] != "missed"]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.posted.append((self.path, dict(self.headers), body))
            time.sleep(kept.slow)
            self.send_response(kept.status)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield kept
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def told(job: Job, receiver: Receiver) -> Job:
    """The main job, with alerts by both ways."""
    settings = job.cdp.folder / ".cdp" / "cdp.toml"
    settings.write_text(
        settings.read_text()
        + f"""
[alerts]
urls = ["env:ALERT_URL"]
webhook = "http://127.0.0.1:{receiver.port}/hook"
webhook_secret = "env:ALERT_KEY"
"""
    )
    job.cdp.environ["ALERT_URL"] = f"json://user:a-token-nobody-may-see@127.0.0.1:{receiver.port}/chat"
    job.cdp.environ["ALERT_KEY"] = KEY
    return job


def once(job: Job, status: int) -> str:
    """One refresh, which is due now; what it logged."""
    make_due(job, NAME)
    alter(job.cdp, "DELETE FROM due_runs")
    return job.cdp("scheduler", "start", "--once", status=status).stderr


def test_a_test_arrives_by_every_way_and_is_signed(told: Job, receiver: Receiver) -> None:
    shown = told.cdp("alerts", "test").stdout
    assert shown.count("sent") == 2
    (chat,) = receiver.of("/chat")
    assert chat["title"] == "cdp: test"
    ((_, headers, body),) = [each for each in receiver.posted if each[0] == "/hook"]
    moment, _, digest = headers["Cdp-Signature"].partition(",")
    seconds = moment.removeprefix("t=")
    expected = hmac.new(KEY.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    assert digest == f"v1={expected}"


def test_one_message_for_each_change_and_none_for_a_retry(told: Job, receiver: Receiver) -> None:
    once(told, 0)
    assert receiver.kinds() == []
    told.simulator.fault("status:route=add-users,status=503,count=1000")
    told.write(customers(range(1100)))
    once(told, 9)
    assert receiver.kinds() == [], "it will be tried again"
    told.simulator.clear_faults()
    told.write([])
    once(told, 7)
    once(told, 7)
    assert receiver.kinds() == ["gate"]
    told.write(customers(range(1000)))
    once(told, 0)
    assert receiver.kinds() == ["gate", "recovered"]
    assert [each["title"] for each in receiver.of("/chat") if "in its time" not in each["title"]] == [
        f"cdp: {NAME} was stopped by a gate",
        f"cdp: {NAME} recovered",
    ]
    listed = told.cdp.json("alerts", "list")
    assert [each["kind"] for each in listed if each["kind"] != "missed"] == ["recovered", "gate"]
    assert all(each["waiting"] == [] for each in listed)


def test_an_unusual_size_is_told_with_the_exports_own_numbers(told: Job, receiver: Receiver) -> None:
    told.cdp("export", "duplicate", NAME, "A second")
    told.cdp("export", "run", "A second")
    for _ in range(3):
        once(told, 0)
    told.write(customers(range(1400)))
    once(told, 0)
    assert receiver.kinds() == ["unusual"]
    (message,) = [each["message"] for each in receiver.of("/hook") if each["kind"] == "unusual"]
    assert message == "it has 1,400 digests in the ledger; usually it has 1,000"


def test_a_revoked_grant_asks_for_signing_in_again(told: Job, receiver: Receiver) -> None:
    told.simulator.revoke_tokens()
    once(told, 6)
    assert receiver.kinds() == ["reconnect"]
    (asked,) = [each for each in receiver.of("/hook") if each["kind"] == "reconnect"]
    assert "CDP-60" in asked["message"]


def test_a_trouble_that_a_run_by_hand_has_ended_is_told_when_it_comes_back(
    told: Job, receiver: Receiver
) -> None:
    begun = datetime.now(UTC) - timedelta(hours=12)
    wrong = {"SNAP_SECRET": "not-the-secret-of-the-app"}

    def due(hour: int, status: int, environ: dict[str, str]) -> None:
        moment = (begun + timedelta(hours=hour)).isoformat()
        told.simulator.expire_tokens()
        told.cdp("scheduler", "run-due", NAME, "--due-at", moment, status=status, environ=environ)

    due(1, 6, wrong)
    due(2, 6, wrong)
    assert receiver.kinds() == ["failed"], "it stays as it is"
    (first,) = (each for each in receiver.of("/hook") if each["kind"] == "failed")
    assert "env:SNAP_SECRET" in first["hint"]
    assert first["hint"].endswith(f', then: cdp export run "{NAME}"')
    (paused,) = told.cdp.json("status")["attention"]
    assert paused["command"] == first["hint"]
    told.cdp("export", "run", NAME)
    assert receiver.kinds() == ["failed"], "a run by hand alerts nobody"
    due(3, 6, wrong)
    assert receiver.kinds() == ["failed", "failed"]
    due(4, 6, wrong)
    assert receiver.kinds() == ["failed", "failed"], "no run by hand came between"
    told.cdp("export", "run", NAME)
    due(5, 0, {})
    assert receiver.kinds() == ["failed", "failed", "recovered"]


def test_what_could_not_be_sent_is_sent_with_the_next_and_nothing_twice(
    told: Job, receiver: Receiver
) -> None:
    told.write([])
    receiver.status = 500
    logged = once(told, 7)
    assert "the alert could not be sent" in logged
    assert told.cdp("alerts", "test", status=9).stdout.count("not sent") == 2
    receiver.posted.clear()
    receiver.status = 200
    once(told, 7)
    once(told, 7)
    assert receiver.kinds() == ["gate"]
    assert sum("gate" in each["title"] for each in receiver.of("/chat")) == 1


def test_under_json_each_way_has_what_stood_in_its_way(told: Job, receiver: Receiver) -> None:
    sent = told.cdp.json("alerts", "test")
    assert [(each["sent"], each["error"]) for each in sent] == [(True, None), (True, None)]
    receiver.status = 500
    done = told.cdp("alerts", "test", "--json", status=9)
    ways = json.loads(done.stdout)
    assert [(each["way"], each["sent"]) for each in ways] == [(each["way"], False) for each in sent]
    for each in ways:
        error = each["error"]
        assert error["exit_status"] == 9
        assert f"error {error['code']}: {error['message']}" in done.stderr
        assert error["hint"]
        assert error["hint"] in done.stderr


def test_a_redirect_is_not_followed_with_the_signature(told: Job, receiver: Receiver) -> None:
    receiver.status = 307
    told.cdp("alerts", "test", status=9)
    assert [path for path, headers, _ in receiver.posted if "Cdp-Signature" in headers] == ["/hook"]


def test_no_secret_is_shown_logged_or_kept(told: Job, receiver: Receiver) -> None:
    receiver.status = 500
    said = told.cdp("--debug", "alerts", "test", status=9)
    told.write([])
    logged = once(told, 7)
    kept = b"".join(path.read_bytes() for path in (told.cdp.folder / ".cdp").rglob("*") if path.is_file())
    for text in (said.stdout, said.stderr, logged, kept.decode(errors="replace")):
        assert "a-token-nobody-may-see" not in text
        assert KEY not in text


def test_where_no_way_is_set_it_says_how(job: Job) -> None:
    told = job.cdp("alerts", "test", status=3).stderr
    assert "[alerts] in cdp.toml" in told


def test_a_url_that_stands_in_the_settings_is_refused(job: Job) -> None:
    settings = job.cdp.folder / ".cdp" / "cdp.toml"
    settings.write_text(settings.read_text() + '\n[alerts]\nurls = ["slack://a/b/c"]\n')
    assert "Give a reference" in job.cdp("alerts", "list", status=3).stderr


def test_a_segment_that_fails_is_told_once_and_so_is_a_plan_that_waits(told: Job, receiver: Receiver) -> None:
    told.cdp("export", "run", NAME)
    table = pq.read_table(told.profiles)
    pq.write_table(table.drop_columns(["lifetime_value"]), told.profiles)
    for _ in range(2):
        make_due(told, NAME)
        told.cdp("scheduler", "start", "--once", status=3)
    assert receiver.kinds() == ["failed"]
    told.write(customers(range(900)))
    told.cdp("export", "edit", NAME, "--require-approval", "1")
    make_due(told, NAME)
    told.cdp("scheduler", "start", "--once", status=7)
    assert receiver.kinds() == ["failed", "gate"]
    assert "waits for the approval of 1 other person" in receiver.of("/hook")[-1]["message"]


def settings_of(job: Job) -> Path:
    return job.cdp.folder / ".cdp" / "cdp.toml"


def test_what_waits_is_sent_by_a_running_scheduler_and_once_by_two(told: Job, receiver: Receiver) -> None:
    told.write([])
    receiver.status = 500
    once(told, 7)
    told.cdp("export", "schedule", NAME, "off")
    receiver.posted.clear()
    receiver.status = 200
    receiver.slow = 0.5
    both = [told.cdp.start("scheduler", "start") for _ in range(2)]
    try:
        until(lambda: all(each["waiting"] == [] for each in told.cdp.json("alerts", "list")))
    finally:
        for each in both:
            each.terminate()
            each.communicate(timeout=60)
    assert receiver.kinds() == ["gate"]
    assert sum("gate" in each["title"] for each in receiver.of("/chat")) == 1


def test_what_waits_for_a_setting_is_not_taken_for_sent(told: Job, receiver: Receiver) -> None:
    told.write([])
    url = told.cdp.environ.pop("ALERT_URL")
    once(told, 7)
    waiting = {each["kind"]: each["waiting"] for each in told.cdp.json("alerts", "list")}
    assert waiting["gate"] == ["env:ALERT_URL"]
    told.cdp.environ["ALERT_URL"] = url
    once(told, 7)
    assert receiver.kinds() == ["gate"]
    assert sum("gate" in each["title"] for each in receiver.of("/chat")) == 1


def test_the_webhooks_url_may_be_a_secret_and_netrc_says_nothing(told: Job, receiver: Receiver) -> None:
    settings = settings_of(told)
    url = f"http://127.0.0.1:{receiver.port}/hook"
    settings.write_text(settings.read_text().replace(f'webhook = "{url}"', 'webhook = "env:HOOK"'))
    told.cdp.environ["HOOK"] = f"{url}/a-path-nobody-may-see?key=nor-this"
    netrc = told.cdp.folder / "netrc"
    netrc.write_text("machine 127.0.0.1 login ann password of-another\n")
    netrc.chmod(0o600)
    told.cdp.environ["NETRC"] = str(netrc)
    said = told.cdp("--debug", "alerts", "test")
    ((path, headers, _),) = [each for each in receiver.posted if each[0].startswith("/hook")]
    assert path == "/hook/a-path-nobody-may-see?key=nor-this"
    assert "Authorization" not in headers
    receiver.status = 500
    failed = told.cdp("--debug", "alerts", "test", status=9)
    told.write([])
    logged = once(told, 7)
    kept = b"".join(path.read_bytes() for path in (told.cdp.folder / ".cdp").rglob("*") if path.is_file())
    for text in (said.stdout, said.stderr, failed.stderr, logged, kept.decode(errors="replace")):
        assert "nobody-may-see" not in text
        assert "nor-this" not in text
