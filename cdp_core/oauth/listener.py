"""Listens on a loopback redirect URI for the one answer that ends a sign-in.

Lives between showing the sign-in page and exchanging the code; it takes one answer, shows the person
a page that says how it went, and closes its sockets whatever happens.
"""

from __future__ import annotations

import html
import os
import queue
import socket
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from cdp_core.errors import Code, InvalidFault, ReconnectFault
from cdp_core.model.secret import Secret
from cdp_core.oauth.redirect import is_answer, wants_free_port, with_port

Answer = Secret | ReconnectFault

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>
<body style="font-family: sans-serif; margin: 4rem auto; max-width: 34rem">
<h1>{title}</h1><p>{text}</p></body></html>
"""


class RedirectListener:
    """A context manager that listens while it is open.

    `read` turns the redirect's path and query into the code, or raises the `ReconnectFault` that says
    why there is none. Port 0 takes a free port: ask `redirect_uri` for the URI with the real one.
    Raises `InvalidFault` where the address cannot be listened on.
    """

    def __init__(self, redirect_uri: str, *, read: Callable[[str], Secret]) -> None:
        parts = urlsplit(redirect_uri)
        host = parts.hostname or ""
        # Browsers try 127.0.0.1 where ::1 does not answer for localhost, so one address is enough.
        address = "127.0.0.1" if host == "localhost" else host
        port = 80 if parts.port is None else parts.port
        try:
            self._server = _Server((address, port), path=parts.path or "/", read=read)
        except OSError as failure:
            raise InvalidFault(
                Code.SETTING_INVALID,
                f"cannot listen on {redirect_uri}: {failure.strerror or failure}",
                where="redirect_uri",
                hint="free the port, or sign in with --paste",
            ) from failure
        self.redirect_uri = redirect_uri
        if wants_free_port(redirect_uri):
            self.redirect_uri = with_port(redirect_uri, self._server.server_port)
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.05},
            name="sign-in listener",
            daemon=True,
        )

    def __enter__(self) -> RedirectListener:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.hang_up()

    def wait(self, timeout: float) -> Secret | None:
        """The code of the first answer, or None where none came in `timeout` seconds.

        Raises the `ReconnectFault` of an answer without a code.
        """
        try:
            answer = self._server.answers.get(timeout=timeout)
        except queue.Empty:
            return None
        if isinstance(answer, ReconnectFault):
            raise answer
        return answer


def free_port(redirect_uri: str) -> int:
    """A port that nothing listens on now, for a redirect that is pasted instead of taken."""
    host = urlsplit(redirect_uri).hostname or ""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
    return port


class _Server(ThreadingHTTPServer):
    """One thread for each connection: a browser opens some that it never speaks on."""

    daemon_threads = False
    # Elsewhere the flag would let a second process take over a port that is in use.
    allow_reuse_address = os.name == "posix"

    def __init__(self, address: tuple[str, int], *, path: str, read: Callable[[str], Secret]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.path = path
        self.read = read
        self.answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self._guard = threading.Lock()
        self._answered = False
        self._open: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        # HTTPServer would look the host's name up here, which can take seconds without a resolver.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    def claim(self) -> bool:
        """Whether this is the first answer."""
        with self._guard:
            first, self._answered = not self._answered, True
        return first

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._guard:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._guard:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that went away is nobody's fault, and standard error is not ours to write to."""

    def hang_up(self) -> None:
        """Cut what is still open, close the listening socket, and wait for the threads."""
        with self._guard:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # it went away by itself
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 10.0
    server_version = "cdp"
    sys_version = ""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path != self.server.path or not is_answer(self.path):
            self._show(
                HTTPStatus.NOT_FOUND, "Nothing here", "This address waits for a sign-in's answer only."
            )
            return
        if not self.server.claim():
            self._show(
                HTTPStatus.GONE,
                "Already answered",
                "This sign-in has had its answer. You can close this window.",
            )
            return
        try:
            answer: Answer = self.server.read(self.path)
        except ReconnectFault as fault:
            answer = fault
        try:
            self._show_outcome(answer)
        finally:
            self.server.answers.put(answer)

    def _show_outcome(self, answer: Answer) -> None:
        if isinstance(answer, ReconnectFault):
            text = f"{answer.message[:1].upper()}{answer.message[1:]}. You can close this window."
            self._show(HTTPStatus.BAD_REQUEST, "Not signed in", text)
        else:
            self._show(
                HTTPStatus.OK,
                "The answer has arrived",
                "You can close this window and go back to the terminal.",
            )

    def _show(self, status: HTTPStatus, title: str, text: str) -> None:
        page = _PAGE.format(title=html.escape(title), text=html.escape(text)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the name is http.server's)
        """Requests hold the code: they are not logged."""
