"""What somebody uses that is on its way out, as a line on standard error, and never as a traceback."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from cdp_core.contract.deprecation import DeprecatedUse

_OURS = Path(__file__).parents[1]


@contextmanager
def shown() -> Iterator[None]:
    """Show each use once, where Python itself would be silent. Whoever has told Python what becomes of
    warnings (`-W`, `PYTHONWARNINGS`) has it so."""
    if sys.warnoptions:
        yield
        return
    with warnings.catch_warnings():
        warnings.simplefilter("default", DeprecatedUse)
        others = warnings.showwarning

        def show(  # noqa: PLR0917 - as Python calls it
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if issubclass(category, DeprecatedUse):
                _say(str(message), Path(filename), lineno)
            else:
                others(message, category, filename, lineno, file, line)

        warnings.showwarning = show
        yield


def _say(message: str, path: Path, line: int) -> None:
    from cdp_core.cli.render.console import remark
    from cdp_core.cli.render.words import plain

    # A place in the core says nothing: the message names whose setting it is.
    where = "" if path.is_relative_to(_OURS) else f" ({path}:{line})"
    remark(f"{plain(message)}{plain(where)}", style="yellow")
