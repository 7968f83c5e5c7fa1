"""Suites for authors of plugins: what the core counts on, as tests.

An author subclasses a suite in a test module and gives it one fixture. For a destination:

```python
from cdp_core.testing import HttpDestinationSuite, StandIn

class TestAcme(HttpDestinationSuite):
    @pytest.fixture
    def stand_in(self):
        with acme_simulator() as acme:
            yield StandIn(
                destination="acme",
                settings={"api_url": acme.url},
                secrets={"api_key": "k-123"},
                export={"audience_id": "list-1"},
                held=acme.members,
                app=acme.app,
            )
```

The stand-in of the service is the author's, made of the kit `cdp_core.simulate`. The suites need pytest and
hypothesis, which the extra `testing` brings; nothing of them is imported before it is used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cdp_core.testing.access import AccessSuite as AccessSuite
    from cdp_core.testing.destinations import DestinationSuite as DestinationSuite
    from cdp_core.testing.destinations import HttpDestinationSuite as HttpDestinationSuite
    from cdp_core.testing.engines import EngineSuite as EngineSuite
    from cdp_core.testing.stand_in import StandIn as StandIn

_HOMES = {
    "AccessSuite": "access",
    "DestinationSuite": "destinations",
    "EngineSuite": "engines",
    "HttpDestinationSuite": "destinations",
    "StandIn": "stand_in",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605 (the table above is the list)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"cdp_core.testing has no public name {name!r}")
    from cdp_core.contract.deprecation import warn_of_name

    warn_of_name(__name__, name)
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return list(__all__)
