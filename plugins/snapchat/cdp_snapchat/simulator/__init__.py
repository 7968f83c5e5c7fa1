"""A stand-in for Snapchat's sign-in and Marketing API, strict about everything that is known of them.

It follows the facts (`cdp_snapchat.simulator.facts` maps each behaviour to its evidence), never our
client. In a test:

```python
from cdp_snapchat.simulator import AUDIENCE_ID, snapchat_simulator

with snapchat_simulator(rate_limit=False) as simulator:
    simulator.fault("cut-after", route="add-users")
    ...  # requests to simulator.api_url with simulator.issue_token().access_token
    assert simulator.members(AUDIENCE_ID) == {...}
```

As a process: `cdp simulate snapchat`, or `python -m cdp_snapchat.simulator`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cdp_snapchat.simulator.options import Options
    from cdp_snapchat.simulator.simulator import SnapchatSimulator, snapchat_simulator
    from cdp_snapchat.simulator.world import AD_ACCOUNT_ID, AUDIENCE_ID, LOOKALIKE_ID, ORGANIZATION_ID

__all__ = [
    "AD_ACCOUNT_ID",
    "AUDIENCE_ID",
    "LOOKALIKE_ID",
    "ORGANIZATION_ID",
    "Options",
    "SnapchatSimulator",
    "snapchat_simulator",
]

# Looked up when first used: a command line that only names the simulator must not pay for a server.
_HOMES = {"Options": "options", "SnapchatSimulator": "simulator", "snapchat_simulator": "simulator"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"cdp_snapchat.simulator has no public name {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES.get(name, 'world')}"), name)


def __dir__() -> list[str]:
    return list(__all__)
