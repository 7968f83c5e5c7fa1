"""An author's machine: an environment of its own, with the core's wheel installed by pip.

Nothing is fetched: what the wheel and the tools need is seen where this project's own environment has it,
behind what is installed here.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
TOOLS = ("mypy", "pytest")
_OFFLINE = {"PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_QUIET": "1"}
# An isolated build would fetch its backend; what the variable for that means depends on pip's version.
_PIP = """#!/bin/sh
[ "$1" != install ] || set -- "$@" --no-build-isolation
exec "{python}" -m pip "$@"
"""
_TOOL = """#!/bin/sh
exec "{python}" -m {tool} "$@"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshEnvironment:
    """Made by `fresh_environment`."""

    folder: Path

    @property
    def programs(self) -> Path:
        return self.folder / "bin"

    @property
    def variables(self) -> Mapping[str, str]:
        """What a shell has whose environment this is. What it runs is a copy, and no part of the coverage."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("COV", "PYTEST_"))}
        return {**kept, **_OFFLINE, "PATH": f"{self.programs}{os.pathsep}{os.environ['PATH']}"}

    def run(self, *words: str, cwd: Path, more: Mapping[str, str] | None = None) -> str:
        """What a command says, which ends well; `more` are further variables."""
        done = subprocess.run(
            words,
            cwd=cwd,
            env={**self.variables, **(more or {})},
            capture_output=True,
            text=True,
            check=False,
        )
        said = done.stdout + done.stderr
        assert done.returncode == 0, f"{' '.join(words)}: exit {done.returncode}\n{said}"
        return said


def built_wheel(into: Path) -> Path:
    """The core's wheel, as people install it."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(into)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    return next(into.glob("*.whl"))


def fresh_environment(folder: Path) -> FreshEnvironment:
    made = FreshEnvironment(folder=folder / "environment")
    _make(made.folder)
    python = str(made.programs / "python")
    made.run(python, "-m", "pip", "install", "--no-deps", str(built_wheel(folder)), cwd=folder)
    _see_the_rest(made, python)
    return made


def _make(folder: Path) -> None:
    if importlib.util.find_spec("ensurepip"):
        command = [sys.executable, "-m", "venv", str(folder)]
    else:
        command = ["uv", "venv", "--quiet", "--seed", "--python", sys.executable, str(folder)]
    subprocess.run(command, check=True, capture_output=True)


def _see_the_rest(made: FreshEnvironment, python: str) -> None:
    """A line in a .pth is a folder after the others, in which no further .pth is read: of the project itself,
    which may be installed there editable, nothing is seen but the wheel."""
    places = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    own = Path(made.run(python, "-c", ask, cwd=made.folder).strip())
    (own / "dependencies.pth").write_text("".join(f"{place}\n" for place in sorted(places)))
    for tool in ("pip", *TOOLS):
        script = made.programs / tool
        script.write_text((_PIP if tool == "pip" else _TOOL).format(python=python, tool=tool))
        script.chmod(0o755)
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent))
    assert ruff is not None, "ruff is one of the tools of development"
    (made.programs / "ruff").symlink_to(ruff)
