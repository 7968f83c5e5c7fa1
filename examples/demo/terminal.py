"""Types commands as a person would: shows each, runs it as a process of its own, and keeps what it took."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

BOLD, DIM, PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[0m"
MEGABYTE = 10**6


class CommandFailed(Exception):
    """A command that should have ended well did not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """What one command took; `peak` is the most memory in bytes (0 where the system does not say)."""

    command: str
    seconds: float
    peak: int


@dataclass(slots=True, kw_only=True)
class Terminal:
    """A shell's folder and environment. Commands have no standard input: nobody is asked anything."""

    folder: Path
    environ: Mapping[str, str]
    took: list[Took] = field(default_factory=list)

    def say(self, text: str = "") -> None:
        print(text, flush=True)

    def chapter(self, title: str) -> None:
        self.say(f"\n{self._styled(BOLD, title)}")

    def show(self, command: str) -> None:
        self.say(f"\n{self._styled(DIM, '$')} {self._styled(BOLD, command)}")

    def type(self, command: str, *, seen: Callable[[str], None] | None = None) -> None:
        """Run a command to its end; `seen` is handed each line of its output as it is shown.

        Raises `CommandFailed` unless it exits with 0.
        """
        self.show(command)
        began = time.monotonic()
        process = subprocess.Popen(
            shlex.split(command.replace("\\\n", " ")),
            cwd=self.folder,
            env=dict(self.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if seen else None,
            text=True,
            errors="replace",
        )
        try:
            if seen and process.stdout:
                with process.stdout:
                    for line in process.stdout:
                        self.say(line.rstrip("\n"))
                        seen(line)
            status, peak = _ended(process)
        except KeyboardInterrupt:
            # It has reached the command too, which ends tidily by itself.
            _await(process)
            raise
        except BaseException:
            process.terminate()
            _await(process)
            raise
        name = " ".join(shlex.split(command.replace("\\\n", " "))[:3])
        self.took.append(Took(command=name, seconds=time.monotonic() - began, peak=peak))
        if status:
            raise CommandFailed(f"`{name}` ended with exit status {status}")

    def _styled(self, style: str, text: str) -> str:
        return f"{style}{text}{PLAIN}" if is_colourful() else text


def is_colourful() -> bool:
    """Whether standard output is a terminal that knows colours, and nobody has asked for none."""
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("NO_COLOR")


def _ended(process: subprocess.Popen[str]) -> tuple[int, int]:
    """Exit status, and peak memory in bytes."""
    if not hasattr(os, "wait4"):
        return process.wait(), 0
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    unit = 1 if sys.platform == "darwin" else 1024
    return process.returncode, usage.ru_maxrss * unit


def _await(process: subprocess.Popen[str]) -> None:
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
