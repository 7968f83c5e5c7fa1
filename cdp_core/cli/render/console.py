"""The two places where the command line writes: results on standard output, the rest on standard error.

On a terminal they are as wide as it is; elsewhere nothing is ever wrapped or coloured, so that what is
redirected into a file can be read line by line.
"""

from __future__ import annotations

import sys
from typing import TextIO

from rich.console import Console, RenderableType
from rich.text import Text

_UNBOUNDED = 10_000


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to `main`, where rich would end the process with a status of its own."""
        raise  # noqa: PLE0704 (rich calls it while it handles the error)


def is_terminal(stream: TextIO) -> bool:
    return stream.isatty()


def console(stream: TextIO) -> Console:
    width = None if is_terminal(stream) else _UNBOUNDED
    return _Console(file=stream, width=width, highlight=False, markup=False, emoji=False)


def out() -> Console:
    """Where results go."""
    return console(sys.stdout)


def err() -> Console:
    """Where questions, progress, remarks and errors go."""
    return console(sys.stderr)


def show(*pieces: RenderableType, to: Console | None = None) -> None:
    """Print pieces one below the other, in full: a terminal wraps long lines itself and keeps them whole
    when they are copied."""
    target = to or out()
    for piece in pieces:
        if target.is_terminal:
            target.print(piece, soft_wrap=isinstance(piece, str | Text))
        else:
            with target.capture() as captured:
                target.print(piece)
            # A table fills its columns with spaces, which mean nothing at the end of a line.
            target.file.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))


def remark(text: str | Text, *, style: str = "") -> None:
    """A sentence beside the result."""
    show(Text(text, style=style) if isinstance(text, str) else text, to=err())
