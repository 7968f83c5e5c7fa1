"""Standard output and standard error as the command needs them: they stop nothing.

A name that the terminal's encoding lacks is shown with a replacement. Standard error is where progress and
remarks go: a run goes on when who read them has gone, as `cdp export run … 2>&1 | head` does.
"""

from __future__ import annotations

import io
import sys
from contextlib import suppress
from typing import Any


def tolerate_every_letter() -> None:
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def outlive_the_reader() -> None:
    """Of standard error; standard output's reader gets the result, without which a command is in vain."""
    if isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr = io.TextIOWrapper(
            _Outliving(sys.stderr), encoding=sys.stderr.encoding, errors="replace", write_through=True
        )


class _Outliving(io.BufferedIOBase):
    """Writes at once, to a stream whose reader may go; it is held, since it closes what it lets go of."""

    def __init__(self, held: io.TextIOWrapper) -> None:
        self._held = held
        self._stream = held.buffer

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        with suppress(OSError):  # a pipe without a reader, a terminal that was closed
            self._stream.write(data)
            self._stream.flush()
        return len(memoryview(data))

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()
