"""Ctrl-C, SIGTERM, or a terminal that is closed, during a run: the first ends it after the batches in flight,
a second one at once.

Whatever the second one leaves is journaled, and the next run settles it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Literal

from cdp_core.cli.language import _, marked
from cdp_core.cli.logs import json_line
from cdp_core.model.log import LogEvent

_SHOW_CURSOR = "\x1b[?25h"


@contextmanager
def stop_on_signal(
    said: str = marked("Finishing the batches in flight"), *, form: Literal["text", "json"] = "text"
) -> Iterator[threading.Event]:
    """An event that the first signal sets, and what is `said` then, in a log's `form`; the handlers that were
    there come back at the end."""
    stop = threading.Event()
    finishing = _("{doing}; once more to stop at once.").format(doing=_(said))
    stopped = _("Stopped at once; if something was still under way, the next run settles it.")

    def handle(number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            _abort(number, _line(stopped, form))
        stop.set()
        # Straight to the descriptor: the interrupted code may be inside a stream's own lock.
        _write(_line(finishing, form))

    before = {number: signal.signal(number, handle) for number in _heard()}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _heard() -> tuple[signal.Signals, ...]:
    """Under `nohup`, a terminal that is closed ends nothing."""
    is_outlived = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return (signal.SIGINT, signal.SIGTERM, *(() if is_outlived else (signal.SIGHUP,)))


def _line(said: str, form: Literal["text", "json"]) -> bytes:
    return (f"{json_line(said, LogEvent.STOPPING.about())}\n" if form == "json" else f"\n{said}\n").encode()


def _abort(number: int, line: bytes) -> None:
    cursor = _SHOW_CURSOR if sys.stderr.isatty() else ""
    _write(cursor.encode() + line)
    os._exit(128 + number)


def _write(line: bytes) -> None:
    with suppress(OSError):  # who read it may have gone
        os.write(2, line)
