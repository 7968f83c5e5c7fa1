"""How many bytes are written of how many, on standard error: a bar on a terminal, a line now and then
elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich import filesize
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from cdp_core.cli.language import _
from cdp_core.cli.render.console import console, is_terminal, remark
from cdp_core.cli.render.progress import SECONDS_BETWEEN_LINES


def size(number: int) -> str:
    """`12.3 MB`, of thousands of thousands."""
    return filesize.decimal(number)


@contextmanager
def bytes_written(doing: str) -> Iterator[Callable[[int, int], None]]:
    """What to call with the bytes that are written, and of how many."""
    if is_terminal(sys.stderr):
        columns = (TextColumn("{task.description}"), BarColumn(30), DownloadColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console(sys.stderr), transient=True) as bar:
            task = bar.add_task(_(doing), total=None)
            yield lambda written, total: bar.update(task, completed=written, total=total)
        return
    told = time.monotonic()

    def tell(written: int, total: int) -> None:
        nonlocal told
        if time.monotonic() - told >= SECONDS_BETWEEN_LINES:
            told = time.monotonic()
            remark(f"{_(doing)}: {size(written)} / {size(total)}")

    yield tell
