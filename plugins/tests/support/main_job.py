"""What end-to-end tests stand on: a real `cdp` process, the strict simulator, and a folder of profiles."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from cdp_snapchat.simulator import SnapchatSimulator
from fork_server import CDP, Started
from fork_server import cdp as forked_cdp

AUDIENCE = "5677923948298240"
KILLER = Path(__file__).parents[1] / "e2e" / "data" / "killer"
QUICK = "\n[delivery]\nattempts = 4\nfirst_wait = 0.01\nlongest_wait = 0.05\n"


@dataclass
class Cdp:
    """Types `cdp` commands in a folder, as a user would."""

    folder: Path
    environ: dict[str, str]

    def __call__(
        self, *words: str, status: int = 0, stdin: str = "", environ: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run to the end and look at the exit status; there is no terminal."""
        done = forked_cdp(words, folder=self.folder, environ=self.environ | (environ or {}), stdin=stdin)
        assert done.returncode == status, (
            f"cdp {' '.join(words)}: exit {done.returncode}, not {status}\n{done.stdout}\n{done.stderr}"
        )
        return done

    def json(self, *words: str, status: int = 0) -> Any:
        """The one document on standard output."""
        return json.loads(self(*words, "--json", status=status).stdout)

    def start(self, *words: str, environ: dict[str, str] | None = None) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(CDP), *words],
            cwd=self.folder,
            env=self.environ | (environ or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def sign_in(self, connection: str) -> str:
        """`connection authenticate --no-browser`, with this test as the browser; what it printed."""
        words = ("connection", "authenticate", connection, "--no-browser")
        process = Started(words, folder=self.folder, environ=self.environ)
        while (
            url := re.search(r"^https?://\S+$", process.said, re.MULTILINE)
        ) is None and not process.is_over:
            time.sleep(0.01)
        if url is not None:
            try:
                self._browse(url[0])
            except OSError:
                process.kill()
                raise
        ended = process.wait()
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout + ended.stderr

    def _browse(self, url: str) -> None:
        trusted = ssl.create_default_context(cafile=self.environ.get("REQUESTS_CA_BUNDLE"))
        browser = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trusted)
        )
        browser.open(url, timeout=20).close()


@dataclass
class Job:
    """The main job set up: profiles, workspace, segment, signed-in connection, export."""

    cdp: Cdp
    simulator: SnapchatSimulator
    profiles: Path

    def write(self, rows: Iterable[tuple[str, str | None, int]]) -> None:
        """Replace the profiles with (customer id, e-mail, lifetime value)."""
        write_profiles(self.profiles, rows)

    def members(self) -> set[bytes]:
        """What the service holds."""
        return self.simulator.members(AUDIENCE, "EMAIL_SHA256")

    def killed(self, step: str, *words: str) -> None:
        """Type a command whose process is killed at a step (see `cdp_killer`)."""
        process = self.cdp.start(*words, environ={"CDP_TEST_KILL": step, "PYTHONPATH": str(KILLER)})
        said, errors = process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL, said + errors

    def uploads(self) -> list[Any]:
        """The requests to the users endpoint so far."""
        return [request for request in self.simulator.requests() if request.path.endswith("/users")]


def write_profiles(path: Path, rows: Iterable[tuple[str, str | None, int]]) -> None:
    """Put (customer id, e-mail, lifetime value) in the place of what is there."""
    listed = list(rows)
    table = pa.table(
        {
            "customer_id": pa.array([row[0] for row in listed], pa.string()),
            "email": pa.array([row[1] for row in listed], pa.string()),
            "lifetime_value": pa.array([row[2] for row in listed], pa.int64()),
        }
    )
    aside = path.with_suffix(".new")
    pq.write_table(table, aside)
    aside.replace(path)


def digest(email: str) -> bytes:
    """The oracle: what Snapchat says of e-mails, by hashlib."""
    return hashlib.sha256(email.strip().lower().encode()).digest()


def customers(numbers: Sequence[int], value: int = 900) -> list[tuple[str, str | None, int]]:
    return [(f"c{n}", f"Person{n}@example.org", value) for n in numbers]


def wanted(numbers: Iterable[int]) -> set[bytes]:
    return {digest(f"person{n}@example.org") for n in numbers}


def cdp_in(home: Path) -> Cdp:
    """`cdp` typed in a folder below `home`, by somebody without proxies or settings of their own."""
    folder = home / "a folder with a space"
    folder.mkdir()
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("CDP_") and name.lower() not in ("http_proxy", "https_proxy", "all_proxy")
    }
    environ = kept | {
        "HOME": str(home),
        "CDP_VAULT": "file",
        "SNAP_SECRET": "s3cret-of-the-app",
        "COLUMNS": "200",
    }
    return Cdp(folder=folder, environ=environ)


def job_in(cdp: Cdp, simulator: SnapchatSimulator) -> Job:
    """Ready to run over 1,000 loyal customers, with batches of 100 and little patience."""
    made = Job(cdp=cdp, simulator=simulator, profiles=cdp.folder / "profiles.parquet")
    made.write(customers(range(1000)) + customers(range(1000, 1200), value=10))
    cdp("init", "--profiles", "profiles.parquet", "--key", "customer_id")
    settings = cdp.folder / ".cdp" / "cdp.toml"
    settings.write_text(settings.read_text() + QUICK)
    cdp("segment", "add", "Loyal customers", "--where", "lifetime_value > 500")
    add_connection(cdp, simulator)
    cdp.sign_in("Snapchat EU")
    add_export(cdp)
    simulator.clear_requests()
    return made


def add_connection(cdp: Cdp, simulator: SnapchatSimulator, *more: str, agree: bool = True) -> None:
    settings = {
        "client_id": "demo-client",
        "api_url": simulator.api_url,
        "accounts_url": simulator.accounts_url,
        "redirect_uri": "http://127.0.0.1:0/callback",
    }
    words = ["connection", "add", "snapchat", "--name", "Snapchat EU"]
    for name, value in settings.items():
        words += ["--set", f"{name}={value}"]
    words += ["--secret", "client_secret=env:SNAP_SECRET", *more]
    cdp(*words, *(["--agree"] if agree else []))


def add_export(cdp: Cdp, name: str = "Loyal to Snapchat", *more: str) -> None:
    cdp(
        *("export", "add", name, "--connection", "Snapchat EU"),
        *("--set", f"audience_id={AUDIENCE}", "--set", "batch_size=100"),
        *("--match", "EMAIL=email", "--segment", "Loyal customers", *more),
    )


def put_there_by_others(simulator: SnapchatSimulator, digests: Iterable[bytes]) -> None:
    """Members that no export knows of."""
    world = simulator.world
    with world.lock:
        world.audiences[AUDIENCE].upload("EMAIL_SHA256", b"".join(digests), world.clock.time(), adds=True)


def wipe(simulator: SnapchatSimulator) -> None:
    """The service loses everybody in the audience, and tells nobody."""
    world = simulator.world
    with world.lock:
        world.audiences[AUDIENCE].empty(world.clock.time())
