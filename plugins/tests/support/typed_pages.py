"""A page of the docs, typed as it stands: every `sh` block in one shell, and what came of each."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(
    r"^```sh\n(?P<typed>.*?)^```\n(?:\n```text\n(?P<shown>.*?)^```\n)?", re.DOTALL | re.MULTILINE
)
_BORDER = "--- the next block ---"


@dataclass(frozen=True)
class Block:
    typed: str
    shown: str
    came: str

    def require_shown(self) -> None:
        """What the page shows is what came; an ellipsis there stands for whatever differs from run to run."""
        if self.shown:
            pattern = ".*".join(re.escape(part) for part in self.shown.rstrip().split("…"))
            assert re.search(pattern, self.came, re.DOTALL), f"{self.typed}\n{self.came}"


def typed(page: Path, *, folder: Path, environment: Mapping[str, str], seconds: float) -> list[Block]:
    """The blocks, typed in an empty folder below `folder`; each must end well."""
    found = [
        (block["typed"], block["shown"] or "") for block in _BLOCK.finditer(page.read_text(encoding="utf-8"))
    ]
    script = f"\necho '{_BORDER}'\n".join(block for block, _ in found)
    (folder / "empty").mkdir()
    process = subprocess.Popen(
        ["bash", "-e", "-c", script],
        cwd=folder / "empty",
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    with process:
        try:
            output, _ = process.communicate(timeout=seconds)
        finally:
            # The simulator runs on where the shell did not come to its end.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0, output
    came = output.split(f"{_BORDER}\n")
    return [Block(block, shown, came) for (block, shown), came in zip(found, came, strict=True)]
