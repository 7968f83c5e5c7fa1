"""Whether the scheduler is alive and ready, for those who watch it: over HTTP, in a file, or both.

`/healthz` answers 200 while the loop goes round, `/readyz` from its first round until it is stopped; both
answer 503 else. The file holds the same as JSON and is as old as the last round; once the loop has ended it
says so. A file that cannot be written ends nothing: the log says it, once until it can be written again.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cdp_core.errors import InvalidFault
from cdp_core.model.log import LogEvent
from cdp_core.workspace.files import FILE_MODE, write_private

log = logging.getLogger("cdp.scheduler")


class Health:
    """`patience` is how many seconds a round may take before the loop counts as stuck."""

    def __init__(self, *, patience: float, file: Path | None = None) -> None:
        self._patience = patience
        self._file = file
        self._seen = time.monotonic()
        self._ready = False
        self._ended = False
        self._told = False

    def beat(self) -> None:
        """The loop has gone round once more."""
        self._seen, self._ready = time.monotonic(), True
        self._write()

    def stopping(self) -> None:
        self._ready = False
        self._write()

    def ended(self) -> None:
        """The loop goes round no more."""
        self._ready, self._ended = False, True
        self._write()

    @property
    def alive(self) -> bool:
        return not self._ended and time.monotonic() - self._seen < self._patience

    @property
    def ready(self) -> bool:
        return self._ready and self.alive

    def as_dict(self) -> dict[str, Any]:
        return {"alive": self.alive, "ready": self.ready}

    def write(self) -> str:
        """Write the file, where there is to be one; why it cannot be written, empty where it was."""
        if self._file is None:
            return ""
        try:
            write_private(self._file, json.dumps(self.as_dict()).encode(), mode=FILE_MODE)
        except InvalidFault as refused:
            disk = refused.__cause__
            return str(disk.strerror) if isinstance(disk, OSError) else "it is a symbolic link"
        except OSError as gone:
            return str(gone.strerror)
        return ""

    def _write(self) -> None:
        why = self.write()
        if why and not self._told:
            told = LogEvent.HEALTH_NOT_WRITTEN.about(file=str(self._file))
            log.warning("the health file %s cannot be written: %s", self._file, why, extra=told)
        self._told = bool(why)


@contextmanager
def served(health: Health, address: tuple[str, int]) -> Iterator[int]:
    """Answer over HTTP for the time of the block; the port (of its own choice where 0 was asked for)."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = {"/healthz": health.alive, "/readyz": health.ready}.get(self.path)
            body = json.dumps(health.as_dict() if asked is not None else {"paths": ["/healthz", "/readyz"]})
            self.send_response(404 if asked is None else 200 if asked else 503)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base's own name)
            return

    with ThreadingHTTPServer(address, Handler) as server:
        thread = threading.Thread(target=server.serve_forever, name="health", daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
