"""A kit for stand-ins of services: real HTTP, strict routes, limits, faults, a log, a movable clock.

A stand-in in ten lines:

```python
from cdp_core.simulate import App, Request, Route, json_answer, running

members: set[str] = set()

def add(request: Request):
    members.update(request.json()["members"])
    return json_answer({"added": len(request.json()["members"])})

route = Route(name="add", method="POST", pattern="/lists/{list_id}", handler=add, takes="json")
app = App([route], name="Acme")
with running(app) as server:
    app.faults.add(app.catalogue.parse("cut-after:route=add"))
    ...  # requests to server.url
```

It imports no other room: a stand-in follows the service's documentation, never our client.
"""

from __future__ import annotations

from cdp_core.simulate.app import App
from cdp_core.simulate.clock import Clock
from cdp_core.simulate.control import CONTROL, control_route, json_object
from cdp_core.simulate.faults import FAULT_KINDS, Fault, FaultCatalogue, FaultKind
from cdp_core.simulate.limits import Limit, RateLimits
from cdp_core.simulate.log import LoggedRequest
from cdp_core.simulate.messages import (
    Answer,
    Refusal,
    Request,
    json_answer,
    redirect,
    refuse_as_json,
    strict_json,
    text_answer,
)
from cdp_core.simulate.routes import Route
from cdp_core.simulate.server import Server, running, serve_forever

__all__ = [
    "CONTROL",
    "FAULT_KINDS",
    "Answer",
    "App",
    "Clock",
    "Fault",
    "FaultCatalogue",
    "FaultKind",
    "Limit",
    "LoggedRequest",
    "RateLimits",
    "Refusal",
    "Request",
    "Route",
    "Server",
    "control_route",
    "json_answer",
    "json_object",
    "redirect",
    "refuse_as_json",
    "running",
    "serve_forever",
    "strict_json",
    "text_answer",
]
