from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
import requests

from cdp_core.simulate import Answer, App, Limit, Refusal, Request, Route, json_answer, running


@dataclass
class Shelf:
    """A little service to stand in for: things are put on a shelf and counted."""

    things: list[object] = field(default_factory=list)

    def put(self, request: Request) -> Answer:
        value = request.json()
        self.things.append(value)
        return json_answer({"shelf": request.arguments["shelf"], "count": len(self.things)}, items=1)

    def count(self, request: Request) -> Answer:
        return json_answer({"count": len(self.things), "query": request.query()})

    def form(self, request: Request) -> Answer:
        return json_answer(request.form())

    def stream(self, _request: Request) -> Answer:
        return Answer(stream=(b"%d\n" % number for number in range(3)), content_type="text/plain")

    def broken(self, _request: Request) -> Answer:
        raise ZeroDivisionError("a fault of the stand-in")

    def admit(self, request: Request) -> None:
        if request.bearer == "nobody":
            raise Refusal(401, "who are you?", code="WHO")

    def app(self, *, limits: tuple[Limit, ...] = (), seed: int | None = None, latency: float = 0.0) -> App:
        routes = [
            Route(name="put", method="POST", pattern="/shelves/{shelf}", handler=self.put, takes="json"),
            Route(name="count", method="GET", pattern="/shelves/{shelf}", handler=self.count),
            Route(name="list", method="GET", pattern="/shelves", handler=self.count, query=("after", "size")),
            Route(name="form", method="POST", pattern="/form", handler=self.form, takes="form"),
            Route(name="stream", method="GET", pattern="/stream", handler=self.stream),
            Route(name="broken", method="GET", pattern="/broken", handler=self.broken),
        ]
        return App(
            routes,
            name="Shelf",
            limits=limits,
            admit=self.admit,
            seed=seed,
            latency=latency,
            state=lambda: {"things": self.things},
        )


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def app(shelf: Shelf) -> App:
    return shelf.app()


@pytest.fixture
def url(app: App) -> Iterator[str]:
    with running(app) as server:
        yield server.url


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session
