"""A process that has imported everything and forks for each command, and can kill it at any step.

Started as a program of its own, so that nothing but the imports is shared: it reads one JSON line for each
command on standard input, forks, and answers with the child's exit status, or minus the signal that ended
it. A step is a moment just before or just after something durable: a transaction on the state, or a file
or folder that is brought to the disk, or a file that is put, copied or removed at the ledgers' URL. They are
counted as they come, so that no list of them can go stale.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import itertools
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import time_machine

_IMPORTED = (
    "cdp_core.app.facade",
    "cdp_core.engines.duckdb.engine",
    "cdp_core.remote.files",
    "cdp_core.runner.remote_store",
    "cdp_core.runner.sending",
    "cdp_core.vault.sealing",
    "cdp_snapchat.auth",
    "cdp_snapchat.destination",
    "s3fs",
)

_turn = threading.Lock()


def serve() -> None:
    """The forking process's whole life."""
    for module in _IMPORTED:
        importlib.import_module(module)
    for line in sys.stdin:
        command = json.loads(line)
        child = os.fork()
        if child == 0:
            _run(command)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _run(command: dict[str, Any]) -> None:
    """One command in a child of its own; never returns."""
    from cdp_core.cli.main import run

    out = os.open(command["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    err = os.open(command["err"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(out, 1)
    os.dup2(err, 2)
    os.dup2(os.open(command["in"], os.O_RDONLY), 0)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    clock = _Clock()
    clock.move(command["clock"])
    steps = _count(command["kill_at"], command["jump"], clock)
    if command["busy_seconds"]:
        from cdp_core.store.state import State

        State.open.__func__.__kwdefaults__["busy_seconds"] = command["busy_seconds"]  # type: ignore[attr-defined]
    status = 70
    try:
        status = run(command["words"])
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        Path(command["out"]).with_suffix(".steps").write_text(str(next(steps) - 1))
        os._exit(status)


class _Clock:
    """The wall clock of this process, as far as Python tells it."""

    def __init__(self) -> None:
        self._moved: time_machine.travel | None = None

    def move(self, seconds: float) -> None:
        if seconds:
            if self._moved:
                self._moved.stop()
            self._moved = time_machine.travel(time.time() + seconds, tick=True)
            self._moved.start()


def _count(kill_at: int, jump: tuple[int, float], clock: _Clock) -> Iterator[int]:
    """Count every step from now on. At the step `kill_at` (from 1) the process kills itself; `jump` names a
    step at which the clock jumps, and by how many seconds."""
    from cdp_core.pipeline import disk
    from cdp_core.store.database import Database

    steps = itertools.count(1)

    def step() -> None:
        with _turn:
            number = next(steps)
        if number == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        if number == jump[0]:
            clock.move(jump[1])

    write, sync = Database.write, disk.sync

    @contextlib.contextmanager
    def counted_write(self: Database, *, durable: bool = True) -> Iterator[Any]:
        outermost = self._joined is None
        if outermost:
            step()
        with write(self, durable=durable) as connection:
            yield connection
        if outermost:
            step()

    def counted_sync(path: Path) -> None:
        step()
        sync(path)
        step()

    Database.write = counted_write  # type: ignore[method-assign]
    for module in list(sys.modules.values()):
        if getattr(module, "sync", None) is sync:
            module.sync = counted_sync  # type: ignore[attr-defined]
    _count_remote(step)
    return steps


def _count_remote(step: Callable[[], None]) -> None:
    """Have each change at the ledgers' URL take a step before it and one after it."""
    from cdp_core.remote.files import RemoteFiles

    def around(method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def counted(*args: Any, **kwargs: Any) -> Any:
            step()
            result = method(*args, **kwargs)
            step()
            return result

        return counted

    for name in ("_put", "_remove", "_copy", "claim"):
        setattr(RemoteFiles, name, around(getattr(RemoteFiles, name)))


if __name__ == "__main__":
    serve()
