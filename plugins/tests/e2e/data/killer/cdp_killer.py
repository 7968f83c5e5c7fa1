"""A plugin that kills its own process, so that tests can ask what a crash at any step leaves behind.

`CDP_TEST_KILL` is `MODULE:CLASS.METHOD:before|after:N`: the process gets SIGKILL before or after the
N-th call of that method. A plugin found on the path is the only way in: nothing in the product knows it.
"""

import os

import cdp_core
from cdp_core.testing.killed import arm

if "CDP_TEST_KILL" in os.environ:
    _module, _path, _moment, _number = os.environ["CDP_TEST_KILL"].split(":")
    arm(_module, _path, _moment, int(_number))


@cdp_core.hookimpl
def cdp_run_event(event: cdp_core.RunEvent) -> None:
    """Nothing to observe: being loaded is all that this plugin is for."""
