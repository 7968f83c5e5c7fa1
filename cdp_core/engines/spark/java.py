"""Whether there is a Java that Spark runs on: looked for as Spark does, and told before Spark fails on it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from cdp_core.errors import Code, InvalidFault

OLDEST = 17
_HINT = (
    f"install Java {OLDEST} or newer (Debian, Ubuntu: apt install openjdk-{OLDEST}-jre-headless; macOS: brew "
    f"install openjdk@{OLDEST}), or set JAVA_HOME to one"
)
_VERSION = re.compile(r'version "(?:1\.)?(\d+)')
_SECONDS = 30.0


def require_java() -> None:
    """Raises `InvalidFault` (PROFILES_UNREADABLE) where Java is missing, does not start, or is too old."""
    home = os.environ.get("JAVA_HOME", "")
    java = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if java is None:
        raise _fault("Spark needs Java, and there is none on the PATH", "JAVA_HOME is not set")
    where = f"JAVA_HOME={home}" if home else java
    said = _version(java)
    if said is None:
        raise _fault("Spark needs Java, and the one that is set does not start", where)
    found = _VERSION.search(said)
    if found is not None and int(found[1]) < OLDEST:
        raise _fault(f"Spark needs Java {OLDEST} or newer, and this is Java {found[1]}", where)


def _version(java: str) -> str | None:
    """What `java -version` says; None where it cannot be run."""
    try:
        done = subprocess.run([java, "-version"], capture_output=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return (done.stderr + done.stdout).decode(errors="replace") if done.returncode == 0 else None


def _fault(message: str, where: str) -> InvalidFault:
    return InvalidFault(Code.PROFILES_UNREADABLE, message, where=where, hint=_HINT)
