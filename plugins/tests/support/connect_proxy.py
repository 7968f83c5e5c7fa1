"""A small HTTP proxy that knows CONNECT, as companies have one: counts what goes through it."""

from __future__ import annotations

import select
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class ConnectProxy:
    """`asked` are the hosts and ports that somebody wanted to be connected with."""

    url: str = ""
    asked: list[str] = field(default_factory=list)


@contextmanager
def connect_proxy() -> Iterator[ConnectProxy]:
    """Runs until the end of the block."""
    proxy = ConnectProxy()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            method, target, _ = self.rfile.readline().decode().split(" ", 2)
            while self.rfile.readline().strip():
                pass
            if method != "CONNECT":
                self.wfile.write(b"HTTP/1.1 405 Method Not Allowed\r\n\r\n")
                return
            proxy.asked.append(target)
            host, _, port = target.rpartition(":")
            with socket.create_connection((host, int(port))) as server:
                self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                _pass_on(self.connection, server)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        proxy.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            server.shutdown()
            thread.join()


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    """Bytes both ways, until either side has ended."""
    while True:
        readable, _, _ = select.select([one, other], [], [], 60)
        if not readable:
            return
        for side in readable:
            block = side.recv(65536)
            if not block:
                return
            (other if side is one else one).sendall(block)
