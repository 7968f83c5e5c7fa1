"""A plugin that kills its own process, so that tests can ask what a crash at any step leaves behind.

`CDP_TEST_KILL` is `MODULE:CLASS.METHOD:before|after:N`: the process gets SIGKILL before or after the
N-th call of that method. A plugin found on the path is the only way in: nothing in the product knows it.
"""

import importlib
import itertools
import os
import signal
from typing import Any

import cdp_core


def _arm(module: str, path: str, moment: str, number: int) -> None:
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


if "CDP_TEST_KILL" in os.environ:
    _module, _path, _moment, _number = os.environ["CDP_TEST_KILL"].split(":")
    _arm(_module, _path, _moment, int(_number))


@cdp_core.hookimpl
def cdp_run_event(event: cdp_core.RunEvent) -> None:
    """Nothing to observe: being loaded is all that this plugin is for."""
