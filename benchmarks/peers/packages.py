"""The peers' packages: pinned in `benchmarks/requirements.txt`, installed beside the profiles."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.peers.measure import DATA

REQUIREMENTS = Path(__file__).parents[1] / "requirements.txt"
ENVIRONMENT = DATA / "peers"


def pins() -> dict[str, str]:
    """Each package and the version that is asked for."""
    found = re.findall(
        r"^([\w-]+)(?:\[[\w,]+\])?==(\S+)$", REQUIREMENTS.read_text(encoding="utf-8"), re.MULTILINE
    )
    return dict(found)


def python(say: Callable[[str], None]) -> Path:
    """The Python that has them; the environment is made where there is none, or the pins have changed."""
    made, wanted = ENVIRONMENT / "made-from", REQUIREMENTS.read_text(encoding="utf-8")
    inside = ENVIRONMENT / "bin" / "python"
    if made.exists() and made.read_text(encoding="utf-8") == wanted:
        return inside
    say(f"Installing {', '.join(pins())} into {ENVIRONMENT} (a minute, once).")
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)], check=True)
    install = [str(inside), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    subprocess.run([*install, "-r", str(REQUIREMENTS)], check=True)
    made.write_text(wanted, encoding="utf-8")
    return inside
