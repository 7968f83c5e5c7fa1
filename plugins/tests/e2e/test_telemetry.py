"""Telemetry leaves by OTLP for a real HTTP collector, and one that is not there stops no run."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from main_job import Job, wanted

NAME = "Loyal to Snapchat"


@pytest.fixture
def collector() -> Iterator[tuple[int, dict[str, bytes]]]:
    """A port, and what was posted there by its path."""
    posted: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            posted[self.path] = posted.get(self.path, b"") + body
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port, posted
    server.shutdown()
    server.server_close()
    thread.join()


def switch_on(job: Job, port: int) -> None:
    settings = job.cdp.folder / ".cdp" / "cdp.toml"
    settings.write_text(settings.read_text() + "\n[telemetry]\nopentelemetry = true\n")
    job.cdp.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = f"http://127.0.0.1:{port}"


def test_traces_and_metrics_arrive_without_personal_data(
    job: Job, collector: tuple[int, dict[str, bytes]]
) -> None:
    port, posted = collector
    switch_on(job, port)
    job.cdp("export", "run", NAME)
    assert set(posted) == {"/v1/traces", "/v1/metrics"}
    for name in (b"cdp.run", b"cdp.deliver", b"cdp.batch", NAME.encode()):
        assert name in posted["/v1/traces"]
    for name in (b"cdp.digests.accepted", b"cdp.run.duration", b"cdp.token.age"):
        assert name in posted["/v1/metrics"]
    everything = b"".join(posted.values())
    assert b"example.org" not in everything
    assert all(
        digest not in everything and digest.hex().encode() not in everything for digest in job.members()
    )


def test_a_collector_that_is_not_there_stops_no_run(job: Job) -> None:
    switch_on(job, 9)
    done = job.cdp("export", "run", NAME)
    assert job.members() == wanted(range(1000))
    assert "Traceback" not in done.stderr


def test_looking_sends_nothing(job: Job, collector: tuple[int, dict[str, bytes]]) -> None:
    port, posted = collector
    switch_on(job, port)
    job.cdp("export", "list")
    job.cdp("status")
    assert posted == {}
