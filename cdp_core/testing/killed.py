"""`python -m cdp_core.testing.killed STEP WORDS…`: a `cdp` that is killed at a step, as by SIGKILL or a cut
of the power, so that a suite can ask what that leaves behind.

`STEP` is `MODULE:CLASS.METHOD:before|after:N`: before or after the N-th call of the method.
"""

from __future__ import annotations

import importlib
import itertools
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any, NoReturn


def main(arguments: Sequence[str]) -> NoReturn:
    step, *words = arguments
    module, path, moment, number = step.split(":")
    arm(module, path, moment, int(number))
    from cdp_core.cli import main as command

    sys.argv[1:] = words
    command.main()


def arm(module: str, path: str, moment: str, number: int) -> None:
    """Let this process die by the method's call of that number."""
    owner: Any = importlib.import_module(module)
    *holders, name = path.split(".")
    for holder in holders:
        owner = getattr(owner, holder)
    original = getattr(owner, name)
    calls = itertools.count(1)

    def deadly(*args: Any, **kwargs: Any) -> Any:
        fatal = next(calls) == number
        if fatal and moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(*args, **kwargs)
        if fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, deadly)


if __name__ == "__main__":
    main(sys.argv[1:])
