"""The control plane of every stand-in, under `/__simulator/`: faults, the log, the clock, what it holds, and
a page.

It is for tests and demonstrations, and no part of the service that is stood in for.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from cdp_core.simulate.messages import Answer, Refusal, Request, json_answer, text_answer
from cdp_core.simulate.routes import Route, Takes

if TYPE_CHECKING:
    from collections.abc import Callable

    from cdp_core.simulate.app import App

CONTROL = "/__simulator/"


def control_route(
    method: str, path: str, handler: Callable[[Request], Answer], *, takes: Takes = "nothing"
) -> Route:
    """A route of the control plane; `path` is without `/__simulator/`."""
    name = f"control {method} {path}"
    return Route(name=name, method=method, pattern=CONTROL + path, handler=handler, takes=takes, control=True)


def json_object(request: Request, *allowed: str) -> dict[str, Any]:
    """The request's JSON object, with no key beyond `allowed` (none given: any). Raises `Refusal`."""
    value = request.json()
    if not isinstance(value, dict):
        raise Refusal(400, "the body must be a JSON object")
    unknown = sorted(set(value) - set(allowed)) if allowed else []
    if unknown:
        raise Refusal(400, f"unknown key {unknown[0]!r}; there are {', '.join(allowed)}")
    return value


def control_routes(app: App) -> list[Route]:
    """The routes that every stand-in has."""
    plane = _ControlPlane(app)
    state = app.state
    return [
        *([] if state is None else [control_route("GET", "state", lambda _: json_answer(state()))]),
        control_route("GET", "", plane.page),
        control_route("GET", "faults", plane.faults),
        control_route("POST", "faults", plane.add_fault, takes="json"),
        control_route("DELETE", "faults", plane.clear_faults),
        control_route("GET", "requests", plane.requests),
        control_route("DELETE", "requests", plane.clear_requests),
        control_route("GET", "clock", plane.clock),
        control_route("POST", "clock", plane.move_clock, takes="json"),
    ]


class _ControlPlane:
    def __init__(self, app: App) -> None:
        self._app = app

    def faults(self, _request: Request) -> Answer:
        kinds = [
            {"name": kind.name, "about": kind.about, "options": list(kind.options)}
            for kind in self._app.catalogue.kinds.values()
        ]
        return json_answer({"queued": [f.summary() for f in self._app.faults.queued()], "kinds": kinds})

    def add_fault(self, request: Request) -> Answer:
        options = json_object(request)
        try:
            fault = self._app.catalogue.make(str(options.pop("name", "")), options)
        except ValueError as error:
            raise Refusal(400, str(error)) from error
        self._app.faults.add(fault)
        return json_answer(fault.summary(), status=201)

    def clear_faults(self, _request: Request) -> Answer:
        self._app.faults.clear()
        return json_answer({"queued": []})

    def requests(self, _request: Request) -> Answer:
        return json_answer({"requests": [entry.summary() for entry in self._app.log.requests()]})

    def clear_requests(self, _request: Request) -> Answer:
        self._app.log.clear()
        return json_answer({"requests": []})

    def clock(self, _request: Request) -> Answer:
        return json_answer({"now": self._app.clock.time(), "moved_seconds": self._app.clock.moved})

    def move_clock(self, request: Request) -> Answer:
        seconds = json_object(request, "forward_seconds").get("forward_seconds")
        try:
            self._app.clock.move(float(seconds))  # type: ignore[arg-type]
        except (TypeError, ValueError) as error:
            raise Refusal(400, "forward_seconds must be a number of seconds, not below 0") from error
        return self.clock(request)

    def page(self, request: Request) -> Answer:
        app = self._app
        kinds = "".join(
            f"<tr><td><code>{escape(kind.name)}</code><td>{escape(kind.about)}"
            f"<td><code>{escape(', '.join(kind.options))}</code>"
            for kind in app.catalogue.kinds.values()
        )
        queued = "".join(
            f"<li><code>{escape(fault.name)}</code> for <code>{escape(fault.route)}</code>, "
            f"{'every' if fault.count is None else fault.count} time(s)"
            for fault in app.faults.queued()
        )
        names = ", ".join(name for name in app.routes.names if not name.startswith("control "))
        url = escape(request.base_url + CONTROL)
        return text_answer(
            f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(app.name)}</title>"
            "<style>body{font:16px sans-serif;max-width:60em;margin:2em auto}td,th{padding:.2em .8em;"
            "text-align:left;vertical-align:top}</style>"
            f"<h1>{escape(app.name)}</h1><p>A stand-in for tests and demonstrations. Its state is under "
            f"<code>{url}</code>.<h2>Faults that wait</h2><ul>{queued or '<li>none'}</ul>"
            f"<h2>Faults that there are</h2><table><tr><th>name<th>what goes wrong<th>options{kinds}</table>"
            "<p>Every fault also takes <code>route, count, skip, probability</code>. Queue one:"
            f'<pre>curl {url}faults --json \'{{"name": "throttled", "count": 2}}\'</pre>'
            f"<p>Routes: <code>{escape(names)}</code>{app.notes() if app.notes else ''}",
            content_type="text/html; charset=utf-8",
        )
