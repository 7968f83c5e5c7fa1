"""The session that plugins are handed carries the token to one origin, and nothing anywhere else."""

from __future__ import annotations

import gzip
import io
import json
import logging
import re
import socket
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NoReturn

import pytest
import requests

from cdp_core.contract.credentials import ApiKey, BasicAuth, BearerToken
from cdp_core.contract.faults import CredentialsRejected
from cdp_core.contract.transport import Transport
from cdp_core.errors import Code, InvalidFault, ReconnectFault
from cdp_core.model.secret import Secret
from cdp_core.oauth import session as session_module
from cdp_core.oauth.session import ConnectionSession, with_renewal


class Recorder(ThreadingHTTPServer):
    """Answers 200 with nothing; `/redirect` leads elsewhere, `/cookie` hands one out, `/echo` says back what
    it was sent."""

    def __init__(self) -> None:
        self.seen: list[dict[str, str]] = []
        self.bodies: list[bytes] = []
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Recorder
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.seen.append({"path": self.path, **dict(self.headers.items())})
        self.server.bodies.append(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        self.send_response(302 if self.path == "/redirect" else 200)
        if self.path == "/redirect":
            self.send_header("Location", "/elsewhere")
        if self.path.startswith("/bomb"):
            packed = gzip.compress(bytes(int(self.path.partition("=")[2])), mtime=0)
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(packed)))
            self.end_headers()
            self.wfile.write(packed)
            return
        if self.path == "/cookie":
            self.send_header("Set-Cookie", "sid=1; Path=/")
        if self.path.startswith("/echo"):
            self.send_header("X-Echo", f"{self.path} {self.headers.get('Authorization')}")
        said = json.dumps([self.path, *self.headers.values()]) if self.path.startswith("/echo") else ""
        # As other writers of JSON and of URLs put it.
        said += said.replace("/", "\\/") + re.sub("%..", lambda found: found[0].lower(), said).replace(
            "=", ""
        )
        self.send_header("Content-Length", str(len(said)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(said.encode())

    do_POST = do_DELETE = do_GET  # noqa: N815 (the names are http.server's)

    def log_message(self, *args: Any) -> None: ...


class Tokens:
    def __init__(self) -> None:
        self.access = Secret("access-0")
        self.rejections: list[str] = []
        self.given_up: list[str] = []

    def current(self) -> Secret:
        return self.access

    def rejected(self, access: Secret) -> Secret:
        self.rejections.append(access.reveal())
        self.access = Secret(f"access-{len(self.rejections)}")
        return self.access

    def give_up(self, reason: str) -> NoReturn:
        self.given_up.append(reason)
        raise ReconnectFault(Code.RECONNECT, reason)


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    server = Recorder()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def tokens() -> Tokens:
    return Tokens()


@pytest.fixture
def session(recorder: Recorder, tokens: Tokens) -> Iterator[ConnectionSession]:
    with ConnectionSession(origin=f"{recorder.url}/v1", tokens=tokens) as opened:
        yield opened


def test_the_api_gets_the_token_and_our_name(session: ConnectionSession, recorder: Recorder) -> None:
    session.get(f"{recorder.url}/v1/me")
    assert recorder.seen[0]["Authorization"] == "Bearer access-0"
    assert recorder.seen[0]["User-Agent"].startswith("cdp-core")


def test_another_origin_gets_no_token(recorder: Recorder, tokens: Tokens) -> None:
    port = recorder.server_port
    for origin in (f"https://127.0.0.1:{port}", f"http://localhost:{port}", "http://127.0.0.1:1"):
        with ConnectionSession(origin=origin, tokens=tokens) as session:
            session.get(recorder.url)
    assert all("Authorization" not in seen for seen in recorder.seen)


@pytest.mark.parametrize(
    "credentials",
    [
        BasicAuth(username="ann", password=Secret("s3cret")),
        BearerToken(token=Secret("s3cret")),
        ApiKey(name="X-Key", key=Secret("s3cret")),
        ApiKey(name="key", key=Secret("s3cret"), place="query"),
    ],
    ids=["basic", "bearer", "header", "query"],
)
def test_credentials_of_the_settings_go_to_their_origin_alone(
    recorder: Recorder, credentials: BasicAuth | BearerToken | ApiKey
) -> None:
    for origin in (recorder.url, f"http://localhost:{recorder.server_port}"):
        with ConnectionSession(origin=origin, tokens=None, credentials=credentials) as session:
            session.get(f"{recorder.url}/v1/me?a=1")
    own, other = ({name for name in seen if name in ("Authorization", "X-Key")} for seen in recorder.seen)
    assert (bool(own), bool(other)) == (not recorder.seen[0]["path"].endswith("key=s3cret"), False)
    assert recorder.seen[1]["path"] == "/v1/me?a=1"
    assert "s3cret" not in repr(credentials)


def test_a_redirect_is_not_followed(session: ConnectionSession, recorder: Recorder) -> None:
    answer = session.get(f"{recorder.url}/redirect", allow_redirects=True)
    assert answer.status_code == 302
    assert [seen["path"] for seen in recorder.seen] == ["/redirect"]


def test_an_answer_that_would_fill_the_memory_is_given_up(
    session: ConnectionSession, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "LARGEST_ANSWER", 3_000_000)
    assert len(session.get(f"{recorder.url}/bomb?size=3000000").content) == 3_000_000
    with pytest.raises(requests.exceptions.ContentDecodingError):
        session.get(f"{recorder.url}/bomb?size=300000000")


def test_cookies_and_netrc_are_left_alone(
    session: ConnectionSession, recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login u password p\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    session.get(f"{recorder.url}/cookie")
    session.get(f"{recorder.url}/again")
    assert "Cookie" not in recorder.seen[1]
    assert recorder.seen[1]["Authorization"] == "Bearer access-0"
    with ConnectionSession(origin=recorder.url, tokens=None) as bare:
        bare.get(recorder.url)
    assert "Authorization" not in recorder.seen[2]


def test_loopback_goes_past_every_proxy(
    session: ConnectionSession, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert session.get(recorder.url).status_code == 200


def test_other_hosts_go_through_the_proxy(monkeypatch: pytest.MonkeyPatch, tokens: Tokens) -> None:
    sent = _spied(monkeypatch)
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    with ConnectionSession(origin="https://api.example", tokens=tokens) as session:
        session.get("https://api.example/me")
    assert sent[0]["proxies"]["https"] == "http://proxy.example:3128"


@pytest.mark.parametrize(
    ("given", "environment", "expected"),
    [("", "", ""), ("", "company.pem", "company.pem"), ("connection.pem", "company.pem", "connection.pem")],
)
def test_the_sessions_certificates_are_not_overruled_by_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given: str, environment: str, expected: str
) -> None:
    sent = _spied(monkeypatch)
    for name in ("company.pem", "connection.pem"):
        (tmp_path / name).touch()
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / environment) if environment else "")
    way = Transport(ca_bundle=str(tmp_path / given) if given else None)
    with ConnectionSession(origin="https://api.example", tokens=None, transport=way) as session:
        session.get("https://api.example/me")
    assert sent[0]["verify"] == (str(tmp_path / expected) if expected else True)


def test_a_bundle_that_is_gone_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/company.pem")
    with (
        ConnectionSession(origin="https://api.example", tokens=None) as session,
        pytest.raises(InvalidFault, match=r"/nowhere/company\.pem"),
    ):
        session.get("https://api.example/me")


def test_every_request_has_time_outs(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = _spied(monkeypatch)
    with ConnectionSession(origin="https://api.example", tokens=None) as session:
        session.get("https://api.example/me")
        session.get("https://api.example/me", timeout=3)
    assert [options["timeout"] for options in sent] == [(10.0, 300.0), 3]


def _spied(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    def send(self: Any, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        sent.append(options)
        answer = requests.Response()
        answer.status_code, answer.request, answer.raw = 200, request, io.BytesIO()
        return answer

    monkeypatch.setattr(session_module._Adapter, "send", send)
    return sent


def test_a_large_body_arrives_whole_with_its_length(session: ConnectionSession, recorder: Recorder) -> None:
    body = b"0123456789abcdef" * 400_000
    session.delete(f"{recorder.url}/v1/users", data=body)
    assert recorder.bodies == [body]
    assert recorder.seen[0]["Content-Length"] == str(len(body))


def test_a_slow_line_is_not_cut_by_the_connect_time_out(tokens: Tokens) -> None:
    """The whole body takes longer than the connect time-out, but each block of it does not."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        reader = threading.Thread(target=_read_slowly, args=(server, 6_000_000))
        reader.start()
        way = Transport(connect_timeout=0.5)
        with ConnectionSession(origin=url, tokens=tokens, transport=way) as session:
            answer = session.post(url, data=b"x" * 6_000_000)
        reader.join()
    assert answer.status_code == 200


def _read_slowly(server: socket.socket, size: int) -> None:
    connection, _ = server.accept()
    with connection:
        left = size
        while left > 0:
            block = connection.recv(65536)
            if not block:
                return
            left -= len(block)
            threading.Event().wait(0.01)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


def test_a_401_renews_the_token_that_this_thread_sent(
    session: ConnectionSession, recorder: Recorder, tokens: Tokens
) -> None:
    session.get(recorder.url)
    session.renew()
    session.get(recorder.url)
    assert tokens.rejections == ["access-0"]
    assert recorder.seen[1]["Authorization"] == "Bearer access-1"


def rejecting(session: ConnectionSession, url: str, times: int) -> Callable[[], str]:
    answers = [True] * times

    def call() -> str:
        session.get(url)
        if answers:
            answers.pop()
            raise CredentialsRejected("unauthorized", http_status=401)
        return "done"

    return call


def test_a_call_is_made_again_after_one_401_and_given_up_after_two(
    session: ConnectionSession, recorder: Recorder, tokens: Tokens
) -> None:
    assert with_renewal(session, rejecting(session, recorder.url, 0)) == "done"
    assert with_renewal(session, rejecting(session, recorder.url, 1)) == "done"
    with pytest.raises(ReconnectFault, match="unauthorized"):
        with_renewal(session, rejecting(session, recorder.url, 2))
    assert len(tokens.rejections) == 2
    assert tokens.given_up == ["unauthorized"]


def test_a_connection_without_tokens_cannot_renew(recorder: Recorder) -> None:
    way = ConnectionSession(origin=recorder.url, tokens=None, connection_name="our mailer")
    with way as session, pytest.raises(ReconnectFault) as caught:
        with_renewal(session, rejecting(session, recorder.url, 1))
    assert caught.value.hint == 'cdp connection edit "our mailer" --secret NAME=env:VARIABLE'


LONG = Secret('a-secret/of+some"length')
PAIR = b64encode(f"ann:{LONG.reveal()}".encode()).decode()


@pytest.mark.parametrize(
    "credentials",
    [
        BasicAuth(username="ann", password=LONG),
        BearerToken(token=LONG),
        ApiKey(name="X-Key", key=LONG),
        ApiKey(name="key", key=LONG, place="query"),
        None,
    ],
    ids=["basic", "bearer", "header", "query", "token"],
)
def test_credentials_that_a_service_says_back_are_masked(
    recorder: Recorder, tokens: Tokens, credentials: BasicAuth | BearerToken | ApiKey | None
) -> None:
    tokens.access = LONG
    given = tokens if credentials is None else None
    with ConnectionSession(origin=recorder.url, tokens=given, credentials=credentials) as session:
        session.headers["X-Said"] = f"password={LONG.reveal()}"
        answer = session.get(f"{recorder.url}/echo")
    assert "password=" in answer.text
    answer.status_code = 500
    with pytest.raises(requests.HTTPError) as refused:
        answer.raise_for_status()
    assert answer.url.startswith(recorder.url)
    for said in (answer.text, answer.headers["X-Echo"], answer.url, str(refused.value)):
        for form in ("secret/of", "secret%2Fof", "length", PAIR, PAIR.rstrip("=")):
            assert form not in said
    assert answer.headers["X-Echo"].startswith("/echo")


def test_a_short_secret_changes_no_answer(recorder: Recorder) -> None:
    credentials = ApiKey(name="X-Key", key=Secret("echo"))
    with ConnectionSession(origin=recorder.url, tokens=None, credentials=credentials) as session:
        assert session.get(f"{recorder.url}/echo").text.startswith('["/echo"')


def test_no_token_is_in_repr_log_or_exception(
    session: ConnectionSession, tokens: Tokens, recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answer = session.get(recorder.url)
    closed = "http://127.0.0.1:9"
    with (
        ConnectionSession(origin=closed, tokens=tokens) as lonely,
        pytest.raises(requests.ConnectionError) as fault,
    ):
        lonely.get(closed)
    shown = caplog.text + repr(session) + repr(vars(session)) + repr(answer) + repr(fault.value)
    assert "access-0" not in shown + str(fault.getrepr())
