"""Ctrl-C and SIGTERM during a run: the first ends it after the batches in flight, a second one at once.

Whatever the second one leaves is journaled, and the next run settles it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from cdp_core.cli.language import _, marked

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_SHOW_CURSOR = "\x1b[?25h"


@contextmanager
def stop_on_signal(said: str = marked("Finishing the batches in flight")) -> Iterator[threading.Event]:
    """An event that the first signal sets, and what is `said` then; the handlers that were there come back
    at the end."""
    stop = threading.Event()
    finishing = _("{doing}; once more to stop at once.").format(doing=_(said))
    stopped = _("Stopped at once; the next run settles what was under way.")

    def handle(number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            _abort(number, stopped)
        stop.set()
        # Straight to the descriptor: the interrupted code may be inside a stream's own lock.
        os.write(2, f"\n{finishing}\n".encode())

    before = {number: signal.signal(number, handle) for number in _SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _abort(number: int, said: str) -> None:
    cursor = _SHOW_CURSOR if sys.stderr.isatty() else ""
    os.write(2, f"{cursor}\n{said}\n".encode())
    os._exit(128 + number)
