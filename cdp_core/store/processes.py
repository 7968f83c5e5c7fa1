"""Which process this is, and whether another one that holds something is still there."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import psutil

from cdp_core.model.lease import Holder

# A process's start is computed from the clock and the uptime, and can differ a little between two looks.
SAME_START = 2.0

_FIRST_NAMESPACE = "pid:[4026531836]"


def this_process(person: str = "", run_id: str = "") -> Holder:
    """This process as a holder; `person` is by default its user."""
    process = psutil.Process()
    return Holder(
        person=person or process.username(),
        pid=process.pid,
        host=_host(),
        started_at=process.create_time(),
        run_id=run_id,
        machine=_boot(),
    )


def is_local(holder: Holder) -> bool:
    """Whether it is a process of this machine, and so one that can be seen from here."""
    return holder.host == _host() and holder.machine in ("", _boot())


def may_live(holder: Holder) -> bool:
    """False where the holder is certainly gone; of another machine's processes nothing is known."""
    if not is_local(holder):
        return True
    try:
        process = psutil.Process(holder.pid)
        return (
            process.status() != psutil.STATUS_ZOMBIE
            and abs(process.create_time() - holder.started_at) < SAME_START
        )
    except psutil.NoSuchProcess:
        return _is_hidden(holder.pid)
    except psutil.AccessDenied:
        return True


def _is_hidden(pid: int) -> bool:
    """Whether it is somebody else's process, which a hidden /proc does not show: its lease's end decides."""
    try:
        os.kill(pid, 0)  # asks only
    except PermissionError:
        return True
    except OSError:
        return False
    return False


def _boot() -> str:
    """This boot of this machine, whatever its name: of one before it nothing is known, and the lease's end
    decides. Empty where the system does not tell."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _host() -> str:
    """The machine's name; in a container with its namespace, since process ids mean nothing outside it."""
    try:
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        namespace = _FIRST_NAMESPACE
    return platform.node() + ("" if namespace == _FIRST_NAMESPACE else f" {namespace}")
