"""Types a tutorial as it stands: every block of code, from the first to the last, in one shell.

`sh` is typed, in the order of the page. `text` right after it is what comes; an ellipsis stands for whatever
differs from run to run. Code in any other language is what the reader looks at, and has to stand so in a file
below the folder at that moment; a line with an ellipsis stands for lines that are left out. A block without a
language, or `text` after anything else, is a fault of the page.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(
    r"^(?P<fence>`{3,})(?P<language>[^\n]*)\n(?P<body>.*?)^(?P=fence)$", re.DOTALL | re.MULTILINE
)
_BORDER = "--- the next block ---"
# Files that nobody wrote by hand, or too large to be shown.
_LARGEST = 200_000
# A shell's script, since the first line of a script cannot name a Python whose path has a space.
_BROWSER = """#!/bin/sh
exec "{python}" -c '
import sys, urllib.request
urllib.request.build_opener(urllib.request.ProxyHandler({{}})).open(sys.argv[1], timeout=30).close()
' "$1"
"""


class PageFault(Exception):
    """The page cannot be typed as it stands."""


@dataclass(frozen=True, slots=True)
class Block:
    """`shown` is the text that stands right after it."""

    language: str
    body: str
    shown: str = ""


@dataclass(frozen=True, slots=True)
class Typed:
    block: Block
    came: str


def blocks_of(page: str) -> list[Block]:
    found: list[Block] = []
    end = 0
    for each in _BLOCK.finditer(page):
        language, body = each["language"].strip(), each["body"]
        if not language or language.startswith("{"):
            if language != "{toctree}":
                raise PageFault(f"a block of code without a language:\n{body}")
        elif language != "text":
            found.append(Block(language, body))
        elif found and found[-1].language == "sh" and not page[end : each.start()].strip():
            found[-1] = Block("sh", found[-1].body, body)
        else:
            raise PageFault(f"nothing is typed right before this comes:\n{body}")
        end = each.end()
    return found


def type_page(
    page: str, folder: Path, *, seconds: float, variables: Mapping[str, str] | None = None
) -> list[Typed]:
    """What came of each block, in a folder that is a clone with its `.venv`, or where other `variables` are
    given an empty one; raises `PageFault` at the first block that does not end well."""
    blocks = blocks_of(page)
    script = "\n".join(_lines(blocks, folder / "shown"))
    (folder / "clone").mkdir()
    if variables is None:
        (folder / "clone" / ".venv").symlink_to(sys.prefix, target_is_directory=True)
    process = subprocess.Popen(
        ["bash", "-e", "-c", script],
        cwd=folder / "clone",
        env=_environment(folder) if variables is None else variables,
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
            # A simulator runs on where the shell did not come to its end.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    came = output.split(f"{_BORDER}\n")
    if process.returncode or len(came) != len(blocks):
        raise PageFault(f"{blocks[min(len(came), len(blocks)) - 1].body}\n{came[-1]}")
    return [Typed(block, said) for block, said in zip(blocks, came, strict=True)]


def _lines(blocks: list[Block], shown: Path) -> Iterator[str]:
    shown.mkdir(parents=True)
    for number, block in enumerate(blocks):
        if number:
            yield f"echo '{_BORDER}'"
        if block.language == "sh":
            yield block.body
        else:
            (shown / str(number)).write_text(block.body, encoding="utf-8")
            yield f"'{sys.executable}' '{__file__}' '{shown / str(number)}'"


def _environment(folder: Path) -> dict[str, str]:
    (folder / "home").mkdir()
    browser = folder / "browser"
    browser.write_text(_BROWSER.format(python=sys.executable))
    browser.chmod(0o700)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    # What pip and uv are told, and keep, is this machine's; the home is the tutorial's.
    kept = {
        variable: os.environ.get(variable, str(Path.home() / name))
        for variable, name in (("XDG_CONFIG_HOME", ".config"), ("XDG_CACHE_HOME", ".cache"))
    }
    return os.environ | kept | {"PATH": path, "BROWSER": str(browser), "HOME": str(folder / "home")}


def is_as_shown(typed: Typed) -> bool:
    """Whether what came has what the page shows."""
    pattern = ".*".join(re.escape(part) for part in typed.block.shown.rstrip().split("…"))
    return re.search(pattern, typed.came, re.DOTALL) is not None


def stands_in(shown: str, folder: Path) -> bool:
    """Whether a file below the folder has these lines."""
    parts = re.split(r"^[^\w\n]*…[^\w\n]*\n", shown, flags=re.MULTILINE)
    pattern = re.compile(".*".join(re.escape(part) for part in parts), re.DOTALL)
    files = (path for path in folder.rglob("*") if path.is_file() and ".venv" not in path.parts)
    return any(
        pattern.search(path.read_text(encoding="utf-8", errors="replace"))
        for path in files
        if path.stat().st_size < _LARGEST
    )


if __name__ == "__main__":
    if not stands_in(Path(sys.argv[1]).read_text(encoding="utf-8"), Path.cwd()):
        sys.exit("no file here has what the page shows")
