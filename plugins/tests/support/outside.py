"""An environment as somebody outside makes one, with the example plugin installed by pip beside the core's
wheel."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fresh_environment import ROOT, fresh_environment
from main_job import Cdp

MAILER = ROOT / "examples" / "cdp-mailer"
PATIENCE = 600
_LEFT = ("__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache", "*.egg-info", "dist")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """`bin` holds the programs of the environment, `project` a copy of the plugin's folder, far from ours."""

    bin: Path
    project: Path

    def run(self, *words: str, cwd: Path | None = None) -> str:
        """What a program of the environment printed, the first word being its name; it must end well."""
        done = subprocess.run(
            [str(self.bin / words[0]), *words[1:]],
            cwd=cwd or self.project,
            env=plain(),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, (
            f"{' '.join(words)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        )
        return done.stdout


def plain() -> dict[str, str]:
    """The environment's variables, without what would measure a copy, lead past it, or install elsewhere."""
    left = ("COV", "PYTHONPATH", "PIP_USER", "PIP_TARGET", "PYTEST_ADDOPTS")
    return {name: value for name, value in os.environ.items() if not name.startswith(left)}


@pytest.fixture(scope="session")
def mailer(tmp_path_factory: pytest.TempPathFactory) -> Outside:
    """An environment with the example of a plugin: one for all workers and modules, made by the first."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    folder, whole = shared / "outside", shared / "outside.whole"
    made = Outside(bin=folder / "environment" / "bin", project=folder / "cdp-mailer")
    with (shared / "outside.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not whole.exists():
            shutil.rmtree(folder, ignore_errors=True)
            _install(made, folder)
            whole.touch()
    return made


def _install(into: Outside, folder: Path) -> None:
    shutil.copytree(MAILER, into.project, ignore=shutil.ignore_patterns(*_LEFT))
    fresh_environment(folder).run("pip", "install", f"{into.project}[dev]", cwd=folder)


@dataclass
class OutsideCdp(Cdp):
    """`cdp` of such an environment, typed in a folder."""

    program: Path = field(kw_only=True)

    def __call__(
        self, *words: str, status: int = 0, stdin: str = "", environ: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [str(self.program), *words],
            cwd=self.folder,
            env=self.environ | (environ or {}),
            capture_output=True,
            text=True,
            input=stdin,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == status, (
            f"cdp {' '.join(words)}: exit {done.returncode}, not {status}\n{done.stdout}\n{done.stderr}"
        )
        return done


@contextmanager
def simulated(program: Path, *words: str, environ: Mapping[str, str] | None = None) -> Iterator[str]:
    """The URL of a stand-in that `cdp simulate` serves for as long as the block lasts."""
    with subprocess.Popen(
        [str(program), "simulate", *words], env=environ or plain(), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            said = process.stdout.readline()
            url = re.search(r"http://127\.0\.0\.1:\d+", said)
            assert url, f"it does not say where it is: {said!r}"
            yield url[0]
        finally:
            process.terminate()
