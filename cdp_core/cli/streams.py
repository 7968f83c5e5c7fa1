"""Standard output and standard error as the command needs them.

A name that the terminal's encoding lacks is shown with a replacement. Standard error is where progress and
remarks go: a run goes on when who read them has gone, as `cdp export run … 2>&1 | head` does. Standard output
is where the result goes: who closed a terminal has gone like the reader of a pipe, and a disk that is full is
said as any other is.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from cdp_core.errors import Code, InvalidFault


def tolerate_every_letter() -> None:
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def open_what_is_closed() -> None:
    """What `>&-` closed leads nowhere; a file that is opened later would be taken for it."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def outlive_the_reader() -> None:
    """Of standard error; standard output's reader gets the result, without which a command is in vain."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout = io.TextIOWrapper(
            _Telling(sys.stdout),
            encoding=sys.stdout.encoding,
            errors="replace",
            line_buffering=sys.stdout.line_buffering,
            write_through=sys.stdout.write_through,
        )
    if isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr = io.TextIOWrapper(
            _Outliving(sys.stderr), encoding=sys.stderr.encoding, errors="replace", write_through=True
        )


class _Held(io.BufferedIOBase):
    """Over a stream that is held, since it closes what it lets go of."""

    def __init__(self, held: io.TextIOWrapper) -> None:
        self._held = held
        self._stream = held.buffer

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()


class _Outliving(_Held):
    """Writes at once, to a stream whose reader may go."""

    def write(self, data: Any) -> int:
        with suppress(OSError):  # a pipe without a reader, a terminal that was closed
            self._stream.write(data)
            self._stream.flush()
        return len(memoryview(data))


class _Telling(_Held):
    """Raises `BrokenPipeError` where the reader has gone, `InvalidFault` where there is no room: once, and it
    takes no more after that."""

    _failed = False

    def write(self, data: Any) -> int:
        if not self._failed:
            with self._telling():
                self._stream.write(data)
        return len(memoryview(data))

    def flush(self) -> None:
        if not self._failed:
            with self._telling():
                self._stream.flush()

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except OSError as failure:
            self._failed = True
            if failure.errno in (errno.EPIPE, errno.EIO):
                raise BrokenPipeError(*failure.args) from failure
            raise InvalidFault(
                Code.DISK_FULL,
                f"the result cannot be written: {(failure.strerror or 'no room').lower()}",
                where="standard output",
                hint="what was done stays done; make room, and ask for it again",
            ) from failure
