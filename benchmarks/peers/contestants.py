"""Who takes part: the export itself, the floor, and each peer's program with what it is told."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.loopback import ROOT, Service, Took, environment, watched, workspace

OURS, FLOOR = "cdp export run", "bare script"
PACED = "dlt, paced"
# Their first day sends more than ten requests a second, which the service's own limit would refuse.
UNPACED = ("dlt", "dlt, incremental")


class Contestant(Protocol):
    """`prepare` makes it forget every run; `run` is one day's process, over the `profiles.parquet` there."""

    @property
    def name(self) -> str: ...
    @property
    def told(self) -> str: ...
    def prepare(self, folder: Path, service: Service) -> None: ...
    def run(self, folder: Path, service: Service) -> Took: ...


def trusting(service: Service) -> dict[str, str]:
    certificate = str(service.certificate)
    return environment() | {"REQUESTS_CA_BUNDLE": certificate, "SSL_CERT_FILE": certificate}


class Export:
    """`cdp export run` in a workspace that was made once."""

    name = OURS
    told = (
        "an export of everybody by e-mail, as `cdp init` and `cdp export add` leave it; 10 requests a second"
    )

    def prepare(self, folder: Path, service: Service) -> None:
        fresh = folder.with_name(f"{folder.name}, fresh")
        if not fresh.exists():
            workspace(folder, trusting(service), service)
            (folder / ".cdp").rename(fresh)
        shutil.rmtree(folder / ".cdp", ignore_errors=True)
        shutil.copytree(fresh, folder / ".cdp")

    def run(self, folder: Path, service: Service) -> Took:
        command = ["cdp", "export", "run", "E", "--json"]
        took = watched(command, folder=folder, environ=trusting(service))
        run = json.loads(took.printed)
        assert run["status"] == "committed"
        assert run["delivered"]["accepted"] == run["delivered"]["planned"]
        return took


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program that takes `profiles`, `url`, `token` and remembers in the folder it runs in."""

    name: str
    told: str
    script: str
    flags: tuple[str, ...] = ()
    python: Path = Path(sys.executable)

    def prepare(self, folder: Path, service: Service) -> None:
        for left in folder.iterdir():
            if left.is_dir():
                shutil.rmtree(left)
            elif left.name != "profiles.parquet":
                left.unlink()

    def run(self, folder: Path, service: Service) -> Took:
        said = ["profiles.parquet", service.users_url, service.token(), *self.flags]
        return watched(
            [str(self.python), "-m", f"benchmarks.{self.script}", *said],
            folder=folder,
            environ=self._environ(folder, service),
        )

    def _environ(self, folder: Path, service: Service) -> Mapping[str, str]:
        path = f"{self.python.parent}{os.pathsep}{os.environ.get('PATH', '')}"
        own = {"PYTHONPATH": str(ROOT), "HOME": str(folder), "PATH": path}
        return trusting(service) | own | {"DO_NOT_TRACK": "1"}


def contestants(python: Path) -> tuple[Contestant, ...]:
    """All of them, in the order of the table; `python` is the one that has the peers' packages."""

    def peer(name: str, script: str, told: str, *flags: str) -> Program:
        return Program(name=name, script=f"peers.{script}", told=told, flags=flags, python=python)

    newer = (
        "as the row without it, and told to ask for keys beyond the last run's greatest, since the table has "
        "no time of change"
    )
    return (
        Export(),
        Program(
            name=FLOOR,
            script="bare_script",
            told="the floor, not a peer: one DuckDB query, a string join, `requests.post`; knows no "
            "placeholder and no value that is hashed already",
        ),
        peer("plain loop", "plain_loop", "a Python loop over the column: `strip`, `lower`, `re`, `hashlib`"),
        peer(
            "dlt",
            "dlt_destination",
            "hashed in SQL, Arrow into a custom destination by way of Parquet files, `batch_size=100_000`, "
            "files of one batch, 20 loads side by side as by default",
        ),
        peer(
            PACED,
            "dlt_destination",
            "as the row without it, its batches held to the 10 requests a second that Snapchat documents",
            "--paced",
        ),
        peer("dlt, incremental", "dlt_destination", newer, "--incremental"),
        peer(
            "singer-sdk, RECORD",
            "singer_target",
            "hashed in SQL, RECORD messages written by DuckDB, a `BatchSink` with `batch_size_rows` 100,000, "
            "no validation, the reader on msgspec",
        ),
        peer(
            "singer-sdk, BATCH",
            "singer_target",
            "the same sink fed with BATCH messages that name Parquet files of 100,000 rows",
            "--batches",
        ),
        peer(
            "drt",
            "drt_project",
            "hashed in the SQL model, the REST destination in batch mode, 100,000 rows a request, its own "
            "10 requests a second",
        ),
        peer("drt, incremental", "drt_project", newer, "--incremental"),
    )
