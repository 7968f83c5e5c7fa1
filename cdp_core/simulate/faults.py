"""Faults that can be queued for a stand-in's routes, and the queue that hands them out.

A fault says what goes wrong with a request that it meets: another answer, no answer, a late one. Kinds
of fault are declared by name, so that a command line, a test and the control plane ask for the same.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from types import NoneType
from typing import Any, Literal

from cdp_core.simulate.messages import Answer, Request

Cut = Literal["request", "before", "after", "answer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What goes wrong, where, and how often.

    `route` is a route's name or a pattern of names (`*`), or several with `|` between; the first
    `skip` requests that match go by, then `count` of them meet the fault (None: all), each with
    `probability`.

    `status`, with `body`, replaces the answer; the request is not applied unless `applies`. `headers`
    are added to whatever is answered. `stall` seconds go by first. `cut` closes the connection: in
    the middle of the `request`, `before` it is applied, `after` that without an answer, or in the
    middle of the `answer`. `alter` changes an answer that the handler gave.
    """

    name: str
    route: str = "*"
    count: int | None = 1
    skip: int = 0
    probability: float = 1.0
    status: int | None = None
    body: str | None = None
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    stall: float = 0.0
    cut: Cut | None = None
    applies: bool = False
    alter: Callable[[Request, Answer], Answer] | None = None

    def __post_init__(self) -> None:
        if self.count is not None and self.count < 1:
            raise ValueError("a fault's count is at least 1")
        if self.skip < 0 or self.stall < 0:
            raise ValueError("a fault's skip and seconds are not negative")
        if not 0 < self.probability <= 1:
            raise ValueError("a fault's probability is above 0 and at most 1")
        if self.status is not None and not 200 <= self.status <= 599:
            raise ValueError("a fault's status is between 200 and 599")

    def summary(self) -> dict[str, Any]:
        """The fault as JSON, for the control plane."""
        return {
            "name": self.name,
            "route": self.route,
            "count": self.count,
            "skip": self.skip,
            "probability": self.probability,
        }


_SWITCH = {"yes": True, "true": True, "no": False, "false": False}


@dataclass(frozen=True, slots=True)
class _Option:
    """How an option is read from a command line's text, and what it may be where it comes as JSON."""

    read: Callable[[str], Any]
    types: tuple[type, ...]


# Options that every fault takes, and those that a kind of fault names.
_WHERE = {
    "route": _Option(str, (str,)),
    "count": _Option(lambda text: None if text == "all" else int(text), (int, NoneType)),
    "skip": _Option(int, (int,)),
    "probability": _Option(float, (int, float)),
}
_HOW = {
    "status": _Option(int, (int,)),
    "body": _Option(str, (str,)),
    "seconds": _Option(float, (int, float)),
    "retry_after": _Option(int, (int,)),
    "applies": _Option(_SWITCH.__getitem__, (bool,)),
}
_OPTIONS = _WHERE | _HOW


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultKind:
    """A fault that can be asked for by name. `options` are those of status, body, seconds,
    retry_after and applies that it takes besides route, count, skip and probability."""

    about: str
    fault: Fault
    options: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.fault.name

    def make(self, options: Mapping[str, Any]) -> Fault:
        """The fault with `options`. Raises `ValueError` for one that it does not take."""
        unknown = sorted(set(options) - set(_WHERE) - set(self.options))
        if unknown:
            known = ", ".join([*_WHERE, *self.options])
            raise ValueError(f"the fault {self.name} takes no {unknown[0]!r}; it takes {known}")
        for name, value in options.items():
            if type(value) not in _OPTIONS[name].types:
                raise ValueError(f"the option {name} of the fault {self.name} has the wrong type")
        changes = {name: value for name, value in options.items() if name not in ("seconds", "retry_after")}
        if "seconds" in options:
            changes["stall"] = float(options["seconds"])
        if "retry_after" in options:
            changes["headers"] = {**self.fault.headers, "Retry-After": str(options["retry_after"])}
        return replace(self.fault, **changes)


FAULT_KINDS = (
    FaultKind(
        about="any status, with the service's own error body or the given one",
        fault=Fault(name="status", status=500),
        options=("status", "body", "retry_after", "seconds", "applies"),
    ),
    FaultKind(
        about="429, with Retry-After only if asked for",
        fault=Fault(name="throttled", status=429),
        options=("retry_after",),
    ),
    FaultKind(
        about="503",
        fault=Fault(name="unavailable", status=503),
        options=("retry_after", "applies"),
    ),
    FaultKind(
        about="an HTML page where JSON should be",
        fault=Fault(
            name="html",
            status=502,
            body="<!doctype html><title>Bad gateway</title><h1>Bad gateway</h1>",
            content_type="text/html; charset=utf-8",
        ),
        options=("status", "applies"),
    ),
    FaultKind(
        about="a body of your own, with status 200 unless given",
        fault=Fault(name="body", status=200, body=""),
        options=("status", "body", "applies"),
    ),
    FaultKind(
        about="the handling begins late; a client that gives up does not learn that it was applied",
        fault=Fault(name="stall", stall=30.0),
        options=("seconds",),
    ),
    FaultKind(
        about="cut in the middle of the request's body", fault=Fault(name="cut-request", cut="request")
    ),
    FaultKind(about="cut before the request is applied", fault=Fault(name="cut-before", cut="before")),
    FaultKind(about="applied, then cut without an answer", fault=Fault(name="cut-after", cut="after")),
    FaultKind(
        about="applied, then cut in the middle of the answer", fault=Fault(name="cut-answer", cut="answer")
    ),
)


class FaultCatalogue:
    """The kinds of fault that a stand-in knows."""

    def __init__(self, kinds: Iterable[FaultKind]) -> None:
        self.kinds = {kind.name: kind for kind in kinds}

    def make(self, name: str, options: Mapping[str, Any] | None = None) -> Fault:
        """Raises `ValueError` for an unknown name or option."""
        if name not in self.kinds:
            raise ValueError(f"there is no fault {name!r}; there are {', '.join(self.kinds)}")
        return self.kinds[name].make(options or {})

    def parse(self, text: str) -> Fault:
        """The fault of a command line's `NAME[:key=value,…]`. Raises `ValueError`."""
        name, _, rest = text.partition(":")
        options: dict[str, Any] = {}
        for part in filter(None, rest.split(",")):
            key, equals, value = part.partition("=")
            if not equals or key not in _OPTIONS:
                raise ValueError(f"{part!r} is not key=value with one of {', '.join(_OPTIONS)}")
            try:
                options[key] = _OPTIONS[key].read(value)
            except (ValueError, KeyError) as error:
                raise ValueError(f"{key}={value} is not a value that {key} can have") from error
        return self.make(name, options)


@dataclass(slots=True)
class _Queued:
    fault: Fault
    skip: int
    left: int | None


class Faults:
    """The queued faults: each request meets the first that matches it. Seeded, so that chances repeat."""

    def __init__(self, *, seed: int | None = None) -> None:
        self._queue: list[_Queued] = []
        self._chances = random.Random(seed)  # noqa: S311 (chances of faults, not secrets)
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._queue.append(_Queued(fault, fault.skip, fault.count))

    def clear(self) -> None:
        with self._lock:
            self._queue.clear()

    def queued(self) -> list[Fault]:
        """What is still to come, with the counts that are left."""
        with self._lock:
            return [replace(entry.fault, skip=entry.skip, count=entry.left) for entry in self._queue]

    def take(self, route: str) -> Fault | None:
        """The fault that the next request of `route` meets."""
        with self._lock:
            for entry in self._queue:
                if not any(fnmatchcase(route, pattern) for pattern in entry.fault.route.split("|")):
                    continue
                if entry.skip:
                    entry.skip -= 1
                elif self._chances.random() < entry.fault.probability:
                    if entry.left is not None:
                        entry.left -= 1
                        if not entry.left:
                            self._queue.remove(entry)
                    return entry.fault
        return None
