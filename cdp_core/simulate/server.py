"""A stand-in on a socket: HTTP/1.1 with keep-alive on 127.0.0.1, over TLS if a context is given.

It stands on the standard library's threaded server: one thread for each connection, bodies read in one
piece, so that a request of several megabytes costs little more than its copy.
"""

from __future__ import annotations

import signal
import socket
import ssl
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from typing import Any
from urllib.parse import urlsplit

from cdp_core.simulate.app import App, Call
from cdp_core.simulate.messages import Answer, Request

LOOPBACK = "127.0.0.1"
LARGEST_BODY = 64 * 1024 * 1024
_HANDSHAKE_SECONDS = 10.0


class _BodyUnreadable(Exception):
    """The body cannot be read by what the head says of it; the connection is of no more use."""

    def __init__(self, status: int) -> None:
        self.status = status


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "cdp-simulator"
    sys_version = ""
    disable_nagle_algorithm = True
    # Buffered, so that head and body of a small answer leave in one segment.
    wbufsize = -1
    server: Server

    def setup(self) -> None:
        if isinstance(self.request, ssl.SSLSocket):
            self.request.settimeout(_HANDSHAKE_SECONDS)
            self.request.do_handshake()
            self.request.settimeout(None)
        super().setup()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class names it so)
        """Nothing: the app keeps the log, and paths here still carry their queries."""

    def handle_expect_100(self) -> bool:
        going_on = super().handle_expect_100()
        self.wfile.flush()
        return going_on

    def _serve(self) -> None:
        app = self.server.app
        target = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(
            method=self.command,
            path=target.path,
            query_string=target.query,
            base_url=f"{self.server.scheme}://{headers.get('host') or self.server.authority}",
            headers=headers,
        )
        call = app.receive(self.command, target.path)
        try:
            if call.cut == "request":
                self._cut_request(call, request)
                return
            body = self._read_body(headers)
        except _BodyUnreadable as unreadable:
            self.close_connection = True
            self.send_error(unreadable.status)
            return
        answer = app.respond(call, replace(request, body=body))
        if answer is None or call.cut == "after":
            self.close_connection = True
        else:
            self._send(answer, cut=call.cut == "answer")

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve  # noqa: N815 (the base class calls them so)

    def _cut_request(self, call: Call, request: Request) -> None:
        self.rfile.read(_content_length(request.headers) // 2)
        self.server.app.note(call, request, None)
        # With a linger of 0 the close is a reset, as when a machine on the way goes down.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def _read_body(self, headers: dict[str, str]) -> bytes:
        if "transfer-encoding" in headers:
            if headers["transfer-encoding"].lower() != "chunked":
                raise _BodyUnreadable(501)
            return self._read_chunks()
        length = _content_length(headers)
        body = self.rfile.read(length) if length else b""
        if len(body) < length:
            raise ConnectionResetError("the client went away within its body")
        return body

    def _read_chunks(self) -> bytes:
        chunks: list[bytes] = []
        room = LARGEST_BODY
        size = -1
        while size:
            try:
                size = int(self.rfile.readline(100).partition(b";")[0], 16)
            except ValueError as error:
                raise _BodyUnreadable(400) from error
            room -= size
            if size < 0 or room < 0:
                raise _BodyUnreadable(413)
            chunks.append(self.rfile.read(size))
            self.rfile.readline(100)
        return b"".join(chunks)

    def _send(self, answer: Answer, *, cut: bool) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.stream is not None:
            self._send_stream(answer.stream)
            return
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if cut:
            self.close_connection = True
            self.wfile.write(answer.body[: len(answer.body) // 2])
        elif self.command != "HEAD":
            self.wfile.write(answer.body)
        self.wfile.flush()

    def _send_stream(self, stream: Any) -> None:
        chunked = self.request_version != "HTTP/1.0"
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.close_connection = True
        self.end_headers()
        for piece in filter(None, stream):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
        if chunked:
            self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()


def _content_length(headers: Any) -> int:
    text = headers.get("content-length", "0")
    if not (text.isascii() and text.isdigit()):
        raise _BodyUnreadable(400)
    if int(text) > LARGEST_BODY:
        raise _BodyUnreadable(413)
    return int(text)


class Server(ThreadingMixIn, TCPServer):
    """An app on a loopback port. `failures` holds what a handler raised that it should not have."""

    allow_reuse_address = True
    request_queue_size = 128
    # Joined at the end, so that no thread or socket outlives the server.
    daemon_threads = False
    block_on_close = True

    def __init__(self, app: App, *, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.app = app
        self.failures: list[BaseException] = []
        self._tls = tls
        self._connections: set[socket.socket] = set()
        self._connections_lock = threading.Lock()
        super().__init__((LOOPBACK, port), _Connection)

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def scheme(self) -> str:
        return "https" if self._tls else "http"

    @property
    def authority(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.authority}"

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        if self._tls is not None:
            # The handshake is the connection's own thread's: a slow client holds up nobody.
            connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._connections_lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._connections_lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exception()
        # A client that goes away, or does not trust our certificate, is no failure of the stand-in.
        if error is None or isinstance(error, OSError):
            return
        self.failures.append(error)
        super().handle_error(request, client_address)

    def close_connections(self) -> None:
        """Lets answers under way go out and takes no further request on any connection."""
        with self._connections_lock:
            for connection in self._connections:
                try:
                    # Past SSLSocket's own shutdown, which would spoil an answer under way.
                    socket.socket.shutdown(connection, socket.SHUT_RD)
                except OSError:
                    continue


@contextmanager
def running(app: App, *, port: int = 0, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """`app` served in threads; port 0 takes a free one. What a handler raised is raised at the end."""
    app.stopping.clear()
    server = Server(app, port=port, tls=tls)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        app.stopping.set()
        server.shutdown()
        server.close_connections()
        server.server_close()
        thread.join()
    if server.failures:
        raise server.failures[0]


def serve_forever(
    app: App,
    *,
    port: int = 0,
    tls: ssl.SSLContext | None = None,
    listening: Callable[[Server], None] | None = None,
) -> None:
    """`app` served until SIGTERM or SIGINT, which end it tidily; call it from the main thread.

    `listening` is called once the socket takes connections.
    """
    asked = threading.Event()
    signals = (signal.SIGTERM, signal.SIGINT)
    previous = {number: signal.signal(number, lambda *_: asked.set()) for number in signals}
    try:
        with running(app, port=port, tls=tls) as server:
            if listening is not None:
                listening(server)
            asked.wait()
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
