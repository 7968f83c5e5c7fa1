"""A stand-in without its socket: routes, limits, faults, clock and log around the service's handlers.

The server hands it each request twice: `receive` when the head is there, so that a fault can cut the
connection while the body comes, and `respond` when the body is there too.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from cdp_core.simulate.clock import Clock
from cdp_core.simulate.control import CONTROL, control_routes
from cdp_core.simulate.faults import FAULT_KINDS, Cut, Fault, FaultCatalogue, FaultKind, Faults
from cdp_core.simulate.limits import Limit, RateLimits
from cdp_core.simulate.log import LoggedRequest, RequestLog
from cdp_core.simulate.messages import Answer, Refusal, Request, refuse_as_json
from cdp_core.simulate.routes import Route, RouteTable

# What a service that is made to fail says, in its own form.
SIMULATED = "simulated fault"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request whose head has come: its route, or why there is none, and the fault that it meets."""

    route: Route | None = None
    arguments: dict[str, str] = field(default_factory=dict)
    refusal: Refusal | None = None
    fault: Fault | None = None

    @property
    def cut(self) -> Cut | None:
        return self.fault.cut if self.fault else None


class App:
    """A stand-in of a service.

    `admit` raises `Refusal` for a request that the service does not let in (it is asked before limits
    and content are looked at); `refuse` renders refusals in the service's words; `latency` is in
    seconds; `seed` makes the chances of faults repeat; `fault_kinds` are the service's own, beside
    `FAULT_KINDS`; `log_length` is how many requests the log keeps; `state` gives what the stand-in holds, as
    JSON would have it, for `/__simulator/state`; `notes` is HTML for its page.

    Handlers are called from several threads at once, as a service is asked: a lock around what they change
    is theirs.
    """

    def __init__(
        self,
        routes: Iterable[Route],
        *,
        name: str,
        limits: Iterable[Limit] = (),
        admit: Callable[[Request], None] | None = None,
        refuse: Callable[[Request, Refusal], Answer] = refuse_as_json,
        latency: float = 0.0,
        seed: int | None = None,
        clock: Clock | None = None,
        fault_kinds: Iterable[FaultKind] = (),
        log_length: int = 100_000,
        state: Callable[[], Any] | None = None,
        notes: Callable[[], str] | None = None,
    ) -> None:
        self.name = name
        self.latency = latency
        self.clock = clock or Clock()
        self.limits = RateLimits(limits, self.clock)
        self.catalogue = FaultCatalogue([*FAULT_KINDS, *fault_kinds])
        self.faults = Faults(seed=seed)
        self.log = RequestLog(length=log_length)
        self.stopping = threading.Event()
        self.state = state
        self.notes = notes
        self.routes = RouteTable([*routes, *control_routes(self)])
        self._admit = admit
        self._refuse = refuse

    def receive(self, method: str, path: str) -> Call:
        """The route that the request takes and the fault that it meets there."""
        try:
            route, arguments = self.routes.find(method, path)
        except Refusal as refusal:
            return Call(refusal=refusal)
        fault = None if route.control else self.faults.take(route.name)
        return Call(route=route, arguments=arguments, fault=fault)

    def respond(self, call: Call, request: Request) -> Answer | None:
        """The answer, logged; None where a fault cuts the connection instead."""
        request = replace(request, arguments=call.arguments)
        if self._is_control(call, request):
            return self._handle(call, request)
        self._wait(self.latency)
        fault = call.fault
        answer = self._handle(call, request) if fault is None else self._through(fault, call, request)
        self.note(call, request, answer)
        return answer

    def note(self, call: Call, request: Request, answer: Answer | None) -> None:
        """Logs the request with what was answered, if anything."""
        self.log.add(
            LoggedRequest(
                at=self.clock.time(),
                method=request.method,
                path=request.path,
                route=call.route.name if call.route else "",
                status=answer.status if answer and call.cut != "after" else None,
                items=answer.items if answer else 0,
                fault=call.fault.name if call.fault else "",
            )
        )

    def _through(self, fault: Fault, call: Call, request: Request) -> Answer | None:
        self._wait(fault.stall)
        if fault.cut == "before":
            return None
        if fault.status is not None and not fault.applies:
            answer = self._replaced(fault, request)
        else:
            answer = self._handle(call, request)
            if fault.status is not None:
                answer = replace(self._replaced(fault, request), items=answer.items)
            if fault.alter is not None:
                answer = fault.alter(request, answer)
        return replace(answer, headers={**answer.headers, **fault.headers})

    def _replaced(self, fault: Fault, request: Request) -> Answer:
        status = fault.status or 500
        if fault.body is None:
            return self._refuse(request, Refusal(status, SIMULATED))
        return Answer(status=status, body=fault.body.encode(), content_type=fault.content_type)

    def _handle(self, call: Call, request: Request) -> Answer:
        try:
            if call.refusal:
                raise call.refusal
            if call.route is None:
                raise Refusal(404, "there is nothing there")
            if not call.route.control:
                self._let_in(request)
            call.route.check_content(request)
            return call.route.handler(request)
        except Refusal as refusal:
            render = refuse_as_json if self._is_control(call, request) else self._refuse
            return render(request, refusal)

    def _let_in(self, request: Request) -> None:
        if self._admit is not None:
            self._admit(request)
        limit = self.limits.exceeded(request)
        if limit is not None:
            headers = {"Retry-After": str(self.limits.wait(limit, request))} if limit.retry_after else {}
            told = f"more than {limit.per_second:g} requests a second for one {limit.name}"
            raise Refusal(429, told, headers=headers)

    def _wait(self, seconds: float) -> None:
        if seconds > 0:
            self.stopping.wait(seconds)

    def _is_control(self, call: Call, request: Request) -> bool:
        return call.route.control if call.route else request.path.startswith(CONTROL)
