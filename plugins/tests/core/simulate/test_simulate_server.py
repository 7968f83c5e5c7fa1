from __future__ import annotations

import datetime
import http.client
import ipaddress
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from cdp_core.simulate import Answer, App, Limit, Request, Route, json_answer, running


def test_it_listens_on_loopback_only(shelf: Any) -> None:
    with running(shelf.app()) as server:
        assert server.server_address[0] == "127.0.0.1"
        assert server.url == f"http://127.0.0.1:{server.port}"


def test_many_requests_go_over_one_connection(url: str) -> None:
    connection = http.client.HTTPConnection(url.removeprefix("http://"))
    ports = set()
    for _ in range(5):
        connection.request("GET", "/shelves/top")
        ports.add(connection.sock.getsockname()[1])
        assert connection.getresponse().read()
    connection.close()
    assert len(ports) == 1


def test_connections_are_served_side_by_side(shelf: Any) -> None:
    with running(shelf.app(latency=0.5)) as server:
        began = time.monotonic()
        threads = [
            threading.Thread(target=lambda: requests.get(f"{server.url}/shelves/top", timeout=5))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert 0.5 <= time.monotonic() - began < 3


def test_a_body_in_chunks_is_read(url: str, http: requests.Session) -> None:
    pieces = iter([b'{"a":', b"1}"])
    answer = http.post(f"{url}/shelves/top", data=pieces, headers={"Content-Type": "application/json"})
    assert answer.json()["count"] == 1


def test_a_stream_is_sent_in_chunks(url: str, http: requests.Session) -> None:
    answer = http.get(f"{url}/stream")
    assert (answer.text, answer.headers["Transfer-Encoding"]) == ("0\n1\n2\n", "chunked")


def test_a_client_that_waits_to_be_told_to_go_on_is_told(url: str) -> None:
    host, port = url.removeprefix("http://").split(":")
    head = (
        b"POST /shelves/top HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n"
        b"Content-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=5) as raw:
        raw.sendall(head)
        assert raw.recv(100).startswith(b"HTTP/1.1 100")
        raw.sendall(b"{}")
        assert raw.recv(100).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (b"Content-Length: -1", b"400"),
        (b"Content-Length: 99999999999", b"413"),
        (b"Transfer-Encoding: gzip", b"501"),
        (b"Transfer-Encoding: chunked\r\n\r\nzz", b"400"),
    ],
)
def test_a_body_that_cannot_be_read_ends_the_connection(url: str, headers: bytes, status: bytes) -> None:
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as raw:
        raw.sendall(b"POST /shelves/top HTTP/1.1\r\nHost: here\r\n" + headers + b"\r\n\r\n")
        answer = b"".join(iter(lambda: raw.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 " + status)


def test_a_large_body_arrives_whole(http: requests.Session) -> None:
    def size(request: Request) -> Answer:
        return json_answer(len(request.body))

    route = Route(name="size", method="PUT", pattern="/", handler=size, takes="anything")
    with running(App([route], name="Size")) as server:
        assert http.put(server.url, data=bytes(20_000_000)).json() == 20_000_000


def test_requests_beyond_a_limit_are_429_until_time_has_passed(shelf: Any, http: requests.Session) -> None:
    app = shelf.app(
        limits=(
            Limit(name="token", per_second=2, key=lambda request: request.bearer),
            Limit(name="app", per_second=3, key=lambda request: "app" if request.bearer else None),
        )
    )

    def statuses(token: str | None, requests_sent: int) -> list[int]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return [
            http.get(f"{server.url}/shelves/top", headers=headers).status_code for _ in range(requests_sent)
        ]

    app.clock.hold()
    with running(app) as server:
        assert statuses("one", 3) == [200, 200, 429]
        assert statuses("two", 2) == [200, 429]
        assert statuses(None, 9) == [200] * 9
        app.clock.move(1)
        assert statuses("one", 3) == [200, 200, 429]


def test_a_limit_says_when_there_is_room_again_where_it_is_to(shelf: Any, http: requests.Session) -> None:
    told = Limit(name="key", per_second=0.25, burst=1, key=lambda _: "all", retry_after=True)
    app = shelf.app(limits=(told,))
    app.clock.hold()
    with running(app) as server:

        def asked() -> tuple[int, str | None]:
            answer = http.get(f"{server.url}/shelves/top")
            return answer.status_code, answer.headers.get("Retry-After")

        assert [asked(), asked()] == [(200, None), (429, "4")]
        app.clock.move(2.5)
        assert asked() == (429, "2")
        app.clock.move(2)
        assert asked() == (200, None)


def test_the_clock_only_moves_forward(app: App) -> None:
    with pytest.raises(ValueError, match="forward"):
        app.clock.move(-1)


def test_what_a_handler_raised_is_raised_at_the_end(
    shelf: Any, http: requests.Session, capfd: pytest.CaptureFixture[str]
) -> None:
    def ask() -> None:
        with running(shelf.app()) as server, pytest.raises(requests.ConnectionError):
            http.get(f"{server.url}/broken")

    with pytest.raises(ZeroDivisionError):
        ask()
    assert "a fault of the stand-in" in capfd.readouterr().err


def test_no_thread_outlives_the_server(shelf: Any, http: requests.Session) -> None:
    before = threading.active_count()
    with running(shelf.app()) as server:
        http.get(f"{server.url}/shelves/top")
        assert threading.active_count() > before
    assert threading.active_count() == before


def test_nothing_of_a_request_that_may_be_secret_is_in_its_repr() -> None:
    request = Request(
        method="GET",
        path="/",
        query_string="code=hush",
        headers={"authorization": "Bearer hush"},
        body=b"hush",
    )
    assert "hush" not in repr(request)


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[ssl.SSLContext, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .sign(key, hashes.SHA256())
    )
    authority = tmp_path / "certificate.pem"
    authority.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    keys = tmp_path / "key.pem"
    keys.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority, keys)
    return context, authority


def test_it_speaks_tls(shelf: Any, http: requests.Session, certificate: tuple[ssl.SSLContext, Path]) -> None:
    context, authority = certificate
    app = shelf.app()
    with running(app, tls=context) as server:
        assert server.url.startswith("https://")
        url = f"{server.url}/shelves/top"
        assert http.get(url, verify=str(authority)).status_code == 200
        with pytest.raises(requests.exceptions.SSLError):
            http.get(url, verify=True)
        for cut in ("request", "after", "answer"):
            app.faults.add(app.catalogue.parse(f"cut-{cut}"))
            with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
                http.post(url, json={}, verify=str(authority))
        assert http.get(url, verify=str(authority)).json()["count"] == 2


PROCESS = """
from cdp_core.simulate import App, Route, json_answer, serve_forever
route = Route(name="hello", method="GET", pattern="/", handler=lambda _: json_answer("hello"))
serve_forever(App([route], name="Hello"), listening=lambda server: print(server.url, flush=True))
print("ended tidily")
"""


def test_as_a_process_it_ends_tidily_on_sigterm(http: requests.Session) -> None:
    with subprocess.Popen([sys.executable, "-c", PROCESS], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert http.get(process.stdout.readline().strip()).json() == "hello"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read() == "ended tidily\n"
    assert process.returncode == 0
