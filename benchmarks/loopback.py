"""What `end_to_end` and `peers` run against: the simulator, a workspace, and processes under watch."""

from __future__ import annotations

import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.service import CERTIFICATE, PORT

ROOT = Path(__file__).parent.parent
AUDIENCE = "5677923948298240"
SECRET = "demo-secret"  # noqa: S105 (the simulator's, for everybody to know)
_LOOPBACK = "localhost,127.0.0.1,::1"


def environment() -> dict[str, str]:
    """The user's own, but for what would let a command ask, reach out, or find another workspace.

    Without Python's switches too: one that forbids compiled modules has each process compile them anew.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CDP_", "PYTHON"))}
    return kept | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "NO_PROXY": _LOOPBACK,
        "no_proxy": _LOOPBACK,
        "CDP_VAULT": "file",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        "SNAP_SECRET": SECRET,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """One process from start to end: wall seconds, processor seconds, and its peak memory in MB (10^6)."""

    seconds: float
    processor: float
    peak: float
    printed: str


def watched(command: Sequence[str], *, folder: Path, environ: Mapping[str, str]) -> Took:
    """Run a command to its end. Raises `CalledProcessError` unless it exits with 0."""
    printed = folder / "printed"
    with printed.open("wb") as out:
        began = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, env=dict(environ), stdin=subprocess.DEVNULL, stdout=out
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    unit = 1 if sys.platform == "darwin" else 1024
    return Took(
        seconds=seconds,
        processor=usage.ru_utime + usage.ru_stime,
        peak=usage.ru_maxrss * unit / 10**6,
        printed=printed.read_text(encoding="utf-8"),
    )


@dataclass(frozen=True, slots=True)
class Service:
    """The simulator, through its control plane. `certificate` is the file that its clients trust."""

    url: str
    certificate: Path

    @property
    def users_url(self) -> str:
        return f"{self.url}/v1/segments/{AUDIENCE}/users"

    def token(self) -> str:
        return str(self._control("POST", "tokens")["access_token"])

    def empty(self) -> None:
        self._control("DELETE", f"segments/{AUDIENCE}/members")

    def forget_requests(self) -> None:
        self._control("DELETE", "requests")

    def users_requests(self) -> int:
        """Requests to the users endpoint since `forget_requests`."""
        return len(self._sent())

    def identifiers(self) -> int:
        """Identifiers in those of them that were accepted."""
        return sum(int(request["items"]) for request in self._sent())

    def refused(self) -> int:
        return sum(request["status"] != 200 for request in self._sent())

    def members(self) -> int:
        return int(self._control("GET", f"segments/{AUDIENCE}/members")["EMAIL_SHA256"]["count"])

    def write_members(self, path: Path) -> None:
        """Each member's digest to a file, one a line, in hexadecimal."""
        with (
            self._asked("GET", f"segments/{AUDIENCE}/members/EMAIL_SHA256") as answer,
            path.open("wb") as file,
        ):
            shutil.copyfileobj(answer, file, 1024 * 1024)

    def _sent(self) -> list[dict[str, Any]]:
        logged = self._control("GET", "requests")["requests"]
        return [request for request in logged if str(request["path"]).endswith("/users")]

    def _control(self, method: str, path: str) -> Any:
        with self._asked(method, path) as answer:
            return json.load(answer)

    def _asked(self, method: str, path: str) -> Any:
        request = urllib.request.Request(f"{self.url}/__simulator/{path}", method=method)
        return self.opener().open(request, timeout=120)

    def opener(self) -> urllib.request.OpenerDirector:
        trusting = ssl.create_default_context(cafile=self.certificate)
        return urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trusting)
        )


@contextmanager
def simulator(folder: Path, environ: Mapping[str, str], latency: float) -> Iterator[Service]:
    """`benchmarks.service` in a process of its own, until the end of the block."""
    command = [sys.executable, "-m", "benchmarks.service", str(folder), "--latency", str(latency)]
    process = subprocess.Popen(command, cwd=ROOT, env=dict(environ))
    port = folder / PORT
    try:
        until = time.monotonic() + 20
        while not port.exists():
            assert process.poll() is None, "the simulator did not start"
            assert time.monotonic() < until, "the simulator does not listen"
            time.sleep(0.05)
        number = port.read_text(encoding="ascii")
        yield Service(f"https://127.0.0.1:{number}", folder / CERTIFICATE)
    finally:
        process.terminate()
        process.wait(timeout=10)


def workspace(folder: Path, environ: Mapping[str, str], service: Service) -> None:
    """A workspace over `profiles.parquet` with an export named E, made by the commands that a user types."""

    def cdp(*arguments: str) -> None:
        watched(["cdp", *arguments], folder=folder, environ=environ)

    cdp("init", "--profiles", "profiles.parquet", "--key", "customer_id")
    cdp("segment", "add", "Everybody", "--where", "true")
    settings = {
        "client_id": "demo-client",
        "api_url": f"{service.url}/v1",
        "accounts_url": f"{service.url}/login/oauth2",
        "redirect_uri": "http://127.0.0.1:0/callback",
    }
    given = [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]
    cdp("connection", "add", "snapchat", "--name", "C", *given, "--secret", "client_secret=env:SNAP_SECRET",
        "--agree")  # fmt: skip
    _sign_in(folder, environ, service)
    cdp("export", "add", "E", "--connection", "C", "--set", f"audience_id={AUDIENCE}",
        "--match", "EMAIL=email", "--segment", "Everybody")  # fmt: skip


def _sign_in(folder: Path, environ: Mapping[str, str], service: Service) -> None:
    process = subprocess.Popen(
        ["cdp", "connection", "authenticate", "C", "--no-browser"],
        cwd=folder,
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process.stdout:
        for line in process.stdout:
            if re.fullmatch(r"https?://\S+", line.strip()):
                service.opener().open(line.strip(), timeout=30).close()
    assert process.wait() == 0, "the sign-in failed"
