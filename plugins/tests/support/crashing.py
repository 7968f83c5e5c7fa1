"""What tests of crashes stand on: commands that are killed at any step, and what must be true after them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from main_job import Job

_READ = (
    *("added", "unchanged", "duplicate", "missing", "malformed", "placeholder", "unsupported"),
    *("without_consent", "suppressed"),
)
_FORKS = Path(__file__).with_name("forks.py")


@dataclass(frozen=True, slots=True)
class Ended:
    """`status` is the exit status, or minus the signal; `steps` how many steps it took, unless killed."""

    status: int
    out: str
    err: str
    steps: int

    @property
    def killed(self) -> bool:
        return self.status == -signal.SIGKILL

    @property
    def document(self) -> Any:
        return json.loads(self.out)


class Forks:
    """Types commands in a folder, each in a process that was forked for it."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process = process
        self._in, self._out, self._err = folder / "in", folder / "out", folder / "err"

    def __call__(
        self,
        *words: str,
        kill_at: int = 0,
        typing: str = "",
        clock: float = 0.0,
        jump: tuple[int, float] = (0, 0.0),
        busy_seconds: float = 0.0,
    ) -> Ended:
        """Run to the end, or up to the step `kill_at` (from 1). `typing` is its standard input; `clock` is
        how many seconds its clock is ahead, and `jump` a step with how many it jumps there; `busy_seconds`
        is how long it waits for the state (0: as long as ever)."""
        self._out.with_suffix(".steps").unlink(missing_ok=True)
        self._in.write_text(typing)
        streams = {"in": str(self._in), "out": str(self._out), "err": str(self._err)}
        moved = {"clock": clock, "jump": jump, "busy_seconds": busy_seconds}
        asked = {"words": words, **streams, **moved, "kill_at": kill_at}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        status = int(self._process.stdout.readline())
        steps = self._out.with_suffix(".steps")
        return Ended(
            status,
            self._out.read_text(),
            self._err.read_text(),
            int(steps.read_text()) if steps.exists() else 0,
        )

    def ended(self, *words: str, status: int = 0, typing: str = "") -> Ended:
        """Run to the end and look at the exit status."""
        done = self(*words, typing=typing)
        assert done.status == status, f"cdp {' '.join(words)}: {done.status}\n{done.out}\n{done.err}"
        return done


@contextmanager
def forks(job: Job) -> Iterator[Forks]:
    """Over the job's folder, for as long as the block lasts."""
    support = str(_FORKS.parent)
    environ = job.cdp.environ | {"PYTHONPATH": support, "COLUMNS": "200"}
    aside = job.cdp.folder.parent / "forks"
    aside.mkdir(exist_ok=True)
    with subprocess.Popen(
        [sys.executable, str(_FORKS)],
        cwd=job.cdp.folder,
        env=environ | {"PATH": os.environ.get("PATH", "")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Forks(process, aside)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(timeout=30)


def balanced(report: Any) -> Any:
    """A run's document, whose sums must balance."""
    sent = report["delivered"]
    assert sent["planned"] == sent["accepted"] + sent["refused"] + sent["unknown"] + sent["not_sent"]
    for counts in report["kinds"].values():
        assert counts["read"] == sum(counts[each] for each in _READ)
    return report


def agrees(
    job: Job, cdp: Forks, wanted: Iterable[bytes], *, of: str, claims: int | None = None, doubted: int = 0
) -> None:
    """The audience is what is wanted, and so is the ledger, as far as the export has claims in it.

    So many digests may be `doubted`: sent without an answer and refused since, so that they may be there.
    """
    held = job.members()
    expected = set(wanted)
    assert held == expected, f"{len(expected - held)} are missing, {len(held - expected)} are too many"
    shown = cdp.ended("export", "show", of, "--json").document["claims"]
    sure = len(expected) if claims is None else claims
    assert sure <= shown <= sure + doubted
