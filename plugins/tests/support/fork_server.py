"""One process with everything of `cdp` imported, from which each `cdp` of a test is forked.

Nine tenths of a short command are imports, and the end-to-end tests type thousands of commands. What is
forked is a process of its own that begins at the console script's `main`, with its own environment, folder
and streams. What hangs on how Python itself starts gets a process that is started.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import pkgutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

CDP = Path(sys.executable).with_name("cdp")
PATIENCE = 120

_PACKAGES = ("cdp_core", "cdp_snapchat", "cdp_files", "cdp_webhook")
# What they import only where it is needed, and most commands need.
_NEEDED = (
    *("duckdb", "pyarrow.parquet", "pyarrow.dataset", "sqlalchemy.dialects.sqlite", "cryptography.fernet"),
    *("psycopg", "sqlalchemy.dialects.postgresql.psycopg", "requests_oauthlib", "tomlkit"),
)
_LEFT_OUT = ("cdp_core.engines.spark", ".simulator", ".migrations", "__main__")
_OF_THE_START = ("PYTHON", "LC_", "LANG")


class Started:
    """A `cdp` that runs: what it has said so far, and how it ended. It reads `stdin` and has no terminal."""

    def __init__(
        self, words: Sequence[str], *, folder: Path, environ: Mapping[str, str], stdin: str = ""
    ) -> None:
        self._kept = TemporaryDirectory(prefix="cdp-forked-")
        self._command = [str(CDP), *words]
        streams = [Path(self._kept.name) / name for name in ("stdin", "stdout", "stderr")]
        for stream, text in zip(streams, (stdin, "", ""), strict=True):
            stream.write_text(text)
        self._stdout, self._stderr = streams[1:]
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(_modules())
        self._process = context.Process(target=_become, args=(self._command, folder, dict(environ), streams))
        self._process.start()

    @property
    def said(self) -> str:
        """What is on standard output."""
        return self._stdout.read_text()

    @property
    def is_over(self) -> bool:
        return self._process.exitcode is not None

    def kill(self) -> None:
        self._process.kill()
        self._process.join()

    def wait(self) -> subprocess.CompletedProcess[str]:
        """Its end; `TimeoutExpired` where it does not come, and it is killed."""
        self._process.join(PATIENCE)
        late = not self.is_over
        if late:
            self.kill()
        status, said, errors = self._process.exitcode, self.said, self._stderr.read_text()
        self._process.close()
        self._kept.cleanup()
        if late:
            raise subprocess.TimeoutExpired(self._command, PATIENCE, said, errors)
        assert status is not None
        return subprocess.CompletedProcess(self._command, status, said, errors)


def cdp(
    words: Sequence[str], *, folder: Path, environ: Mapping[str, str], stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run `cdp` to its end."""
    if sys.platform != "win32" and _of_the_start(environ) == _of_the_start(os.environ):
        return Started(words, folder=folder, environ=environ, stdin=stdin).wait()
    return subprocess.run(
        [str(CDP), *words],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        input=stdin,
        timeout=PATIENCE,
        check=False,
    )


def _of_the_start(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if name.startswith(_OF_THE_START)}


def _modules() -> list[str]:
    found = list(_NEEDED)
    for name in _PACKAGES:
        package = importlib.import_module(name)
        found += [module.name for module in pkgutil.walk_packages(package.__path__, f"{name}.")]
    return [name for name in found if not any(part in name for part in _LEFT_OUT)]


def _become(
    command: Sequence[str], folder: Path, environ: Mapping[str, str], streams: Sequence[Path]
) -> NoReturn:
    """What the forked process does."""
    for number, stream in enumerate(streams):
        given = os.open(stream, os.O_WRONLY if number else os.O_RDONLY)
        os.dup2(given, number)
        os.close(given)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - they last as long as the process
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)  # noqa: SIM115
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    time.tzset()
    sys.argv[:] = command
    from cdp_core.cli.main import main

    main()
