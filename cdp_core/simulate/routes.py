"""The declared routes of a stand-in: which method on which path is whose, and what its body must be."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote

from cdp_core.simulate.messages import Answer, Refusal, Request

Takes = Literal["json", "form", "nothing", "anything"]

_MEDIA_TYPES = {"json": "application/json", "form": "application/x-www-form-urlencoded"}
_PARAMETER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """`pattern` names its parameters in braces (`/v1/lists/{list_id}`); `name` is what faults and the
    log call the route. `query` are the parameters that its query may have (None: the handler sees to them).
    A `control` route is the stand-in's own: no fault, latency or limit touches it."""

    name: str
    method: str
    pattern: str
    handler: Callable[[Request], Answer]
    takes: Takes = "nothing"
    query: Collection[str] | None = None
    control: bool = False

    def check_content(self, request: Request) -> None:
        """Raises `Refusal`: 400 for a parameter that is not declared, for a body where none is taken or none
        where one is, 415 for another type."""
        unknown = sorted(set(request.query()) - set(self.query)) if self.query is not None else []
        if unknown:
            raise Refusal(400, f"{self.method} {self.pattern} takes no parameter {unknown[0]!r}")
        if self.takes == "anything":
            return
        if self.takes == "nothing":
            if request.body:
                raise Refusal(400, f"{self.method} {self.pattern} takes no body")
            return
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            raise Refusal(415, "the body's encoding is not taken")
        if request.media_type != _MEDIA_TYPES[self.takes]:
            raise Refusal(415, f"the content type must be {_MEDIA_TYPES[self.takes]}")
        if not request.body:
            raise Refusal(400, "the body is missing")


class RouteTable:
    """Finds the route of a request. Each name is given once."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = [(_pattern(route.pattern), route) for route in routes]
        self.names = tuple(route.name for _, route in self._routes)
        if len(set(self.names)) != len(self.names):
            raise ValueError("two routes have one name")

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        """The route and its arguments. Raises `Refusal`: 404 for the path, 405 for the method."""
        allowed = []
        for pattern, route in self._routes:
            match = pattern.fullmatch(path)
            if match is None:
                continue
            if route.method == method:
                return route, {name: unquote(value) for name, value in match.groupdict().items()}
            allowed.append(route.method)
        if allowed:
            headers = {"Allow": ", ".join(sorted(set(allowed)))}
            raise Refusal(405, f"{method} is not allowed on {path}", headers=headers)
        raise Refusal(404, f"there is nothing at {path}")


def _pattern(text: str) -> re.Pattern[str]:
    parts = _PARAMETER.split(text)
    # split() with one group alternates literal text and parameter names.
    return re.compile(
        "".join(re.escape(part) if at % 2 == 0 else f"(?P<{part}>[^/]+)" for at, part in enumerate(parts))
    )
