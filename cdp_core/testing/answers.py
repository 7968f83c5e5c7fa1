"""What a destination makes of each answer of a service over HTTP, and of none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
import requests
from requests.adapters import HTTPAdapter

from cdp_core.contract.faults import (
    AudienceGone,
    CredentialsRejected,
    DestinationFault,
    NeverSent,
    RightsRefused,
    ServiceFailed,
    Throttled,
    Unanswered,
)
from cdp_core.errors import ExitStatus, ReconnectFault
from cdp_core.model.delivery import Operation, Receipt
from cdp_core.simulate import App, Fault, Route, json_answer, running
from cdp_core.testing.membership import require_honest
from cdp_core.testing.runs import require_done
from cdp_core.testing.stage import Stage

_PAGE = "<!doctype html><title>Bad gateway</title><h1>Bad gateway</h1>"
_HTML = "text/html; charset=utf-8"
SHORT = 0.3
# Seconds after which nobody waits for an answer any more.
LONG = 600


class Answers:
    @pytest.mark.parametrize(
        ("status", "fault"),
        [
            (401, CredentialsRejected),
            (403, RightsRefused),
            (404, AudienceGone),
            (410, AudienceGone),
            (429, Throttled),
            (500, ServiceFailed),
            (502, ServiceFailed),
            (503, ServiceFailed),
        ],
    )
    def test_a_failure_is_the_fault_that_tells_the_core_what_to_do(
        self, stage: Stage, status: int, fault: type[DestinationFault]
    ) -> None:
        met = self._met(stage, Fault(name="answer", status=status))
        assert type(met) is fault, f"{status} is {met!r}, not {fault.__name__}"
        assert met.http_status == status
        assert met.message.strip()

    def test_how_long_to_wait_is_handed_on(self, stage: Stage) -> None:
        """Retry-After of a 429, in seconds."""
        met = self._met(stage, Fault(name="answer", status=429, headers={"Retry-After": "7"}))
        assert isinstance(met, Throttled)
        assert met.retry_after == 7

    def test_a_batch_that_is_not_taken_is_a_receipt(self, stage: Stage) -> None:
        """400: the service answered, and its words are kept for people."""
        stage_app(stage).faults.add(self._on_members(stage, Fault(name="answer", status=400)))
        with stage.opened() as found:
            batch = stage.batch(Operation.ADD, range(3))
            receipt = found.destination.deliver(batch)
        require_honest(receipt, batch)
        assert not receipt.accepted
        assert receipt.http_status == 400
        assert stage.held() == set()

    @pytest.mark.parametrize("status", [200, 502])
    def test_a_page_where_an_answer_should_be_is_no_success(self, stage: Stage, status: int) -> None:
        """A gateway's HTML says nothing of the batch, whatever its status."""
        met = self._met(stage, Fault(name="page", status=status, body=_PAGE, content_type=_HTML))
        assert type(met) is ServiceFailed

    @pytest.mark.parametrize("cut", ["request", "before", "after", "answer"])
    def test_an_answer_that_does_not_come_is_unknown(self, stage: Stage, cut: Any) -> None:
        met = self._met(stage, Fault(name="cut", cut=cut))
        assert type(met) in (Unanswered, ServiceFailed), f"cut at the {cut}: {met!r}"

    def test_an_answer_that_is_late_is_not_waited_for_without_end(self, stage: Stage) -> None:
        """Each request names a timeout; who gives up takes the outcome for unknown."""
        with timeouts(SHORT):
            met = self._met(stage, Fault(name="late", stall=4 * SHORT))
        assert type(met) is Unanswered

    def test_a_request_that_cannot_leave_was_never_sent(self, stage: Stage) -> None:
        """Nobody listens there: nothing can have happened."""
        with stage.opened() as found, _nobody_listens():
            met = raised(lambda: found.destination.deliver(stage.batch(Operation.ADD, range(3))))
        assert type(met) is NeverSent

    def test_a_redirect_takes_nothing_along(self, stage: Stage) -> None:
        """Neither credentials nor members go where a redirect leads."""
        reached: list[str] = []

        def elsewhere(request: Any) -> Any:
            reached.append(request.path)
            return json_answer({})

        routes = [
            Route(name=method, method=method, pattern="/elsewhere", handler=elsewhere, takes="anything")
            for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
        ]
        with running(App(routes, name="Elsewhere")) as other:
            led = {"Location": f"{other.url}/elsewhere"}
            app, batch = stage_app(stage), stage.batch(Operation.ADD, range(3))
            app.faults.add(self._on_members(stage, Fault(name="redirect", status=307, headers=led)))
            with stage.opened() as found:
                try:
                    receipt: Receipt | None = found.destination.deliver(batch)
                except DestinationFault:
                    receipt = None
        assert not reached
        assert receipt is None or not receipt.accepted

    def test_nothing_raw_is_on_the_wire(self, stage: Stage) -> None:
        """A whole run's requests hold digests only (of a destination of whole rows: nothing before consent,
        which the core asks for)."""
        with wire() as sent:
            require_done(stage)
        assert sent, "no request was sent"
        if stage.takes_rows:
            return
        for number in range(10):
            raw = stage.stand_in.identifier(number)
            for written in {raw, raw.lower(), raw.strip(), quote(raw, safe=""), quote(raw.lower(), safe="")}:
                assert not [each for each in sent if written.encode() in each], "a raw identifier was sent"

    def test_failures_on_the_way_cost_nobody(self, stage: Stage) -> None:
        """The core sends again what failed, and the audience is as it should be."""
        app = stage_app(stage)
        for fault in (
            Fault(name="cut", cut="after"),
            Fault(name="answer", status=503),
            Fault(name="answer", status=429, headers={"Retry-After": "0"}),
        ):
            app.faults.add(self._on_members(stage, fault))
        require_done(stage)
        assert stage.held() == stage.expected(range(10))

    def test_credentials_that_are_turned_down_stop_a_run(self, stage: Stage) -> None:
        """Where people sign in, a token that has lapsed is renewed first; a grant that was revoked is not."""
        expire, revoke = stage.stand_in.expire, stage.stand_in.revoke
        with stage.cdp() as cdp:
            signs_in = cdp.desk.catalog.connection_type(stage.spec.connection_type).oauth is not None
        if signs_in:
            assert expire is not None and revoke is not None, "the stand-in needs `expire` and `revoke`"  # noqa: PT018
            expire()
            require_done(stage)
            assert stage.held() == stage.expected(range(10))
            stage.write(range(12))
            revoke()
        else:
            stage_app(stage).faults.add(
                Fault(name="answer", status=401, count=None, route=stage.stand_in.routes)
            )
        ended = reconnects(stage)
        assert ended is ExitStatus.RECONNECT, f"the run ended with {ended}"

    def _on_members(self, stage: Stage, fault: Fault) -> Fault:
        return replace(fault, route=stage.stand_in.routes)

    def _met(self, stage: Stage, fault: Fault) -> DestinationFault:
        """What delivering raises where the service does that."""
        stage_app(stage).faults.add(self._on_members(stage, fault))
        with stage.opened() as found:
            return raised(lambda: found.destination.deliver(stage.batch(Operation.ADD, range(3))))


def stage_app(stage: Stage) -> App:
    assert stage.stand_in.app is not None, "the stand-in needs an `app` of cdp_core.simulate"
    return stage.stand_in.app


def raised(ask: Any) -> DestinationFault:
    """The fault that `ask` raises; nothing but a `DestinationFault` may."""
    with pytest.raises(DestinationFault) as met:
        ask()
    return met.value


def reconnects(stage: Stage) -> ExitStatus:
    try:
        return stage.run().exit_status
    except ReconnectFault as fault:
        return fault.exit_status


@contextmanager
def _patched(send: Any) -> Iterator[None]:
    before = HTTPAdapter.send
    HTTPAdapter.send = send  # type: ignore[method-assign]
    try:
        yield
    finally:
        HTTPAdapter.send = before  # type: ignore[method-assign]


@contextmanager
def timeouts(seconds: float) -> Iterator[None]:
    """Every request that names a timeout gets a shorter one."""
    before = HTTPAdapter.send

    def send(adapter: HTTPAdapter, request: Any, *args: Any, timeout: Any = None, **more: Any) -> Any:
        named = max(timeout) if isinstance(timeout, tuple) else timeout
        assert named is not None, f"{request.method} {request.path_url} names no timeout"
        assert named <= LONG, f"{request.method} {request.path_url} waits for {named} seconds"
        return before(adapter, request, *args, **{**more, "timeout": seconds})

    with _patched(send):
        yield


@contextmanager
def wire() -> Iterator[list[bytes]]:
    """All that is sent meanwhile: line, headers and body of each request."""
    before, sent = HTTPAdapter.send, []

    def send(adapter: HTTPAdapter, request: requests.PreparedRequest, *args: Any, **more: Any) -> Any:
        body = request.body or b""
        head = f"{request.method} {request.url} {dict(request.headers)}\n".encode()
        sent.append(head + (body.encode() if isinstance(body, str) else bytes(body)))
        return before(adapter, request, *args, **more)

    with _patched(send):
        yield sent


@contextmanager
def _nobody_listens() -> Iterator[None]:
    """Every connection is refused, as where a host is down."""
    from urllib3.util import connection

    before = connection.create_connection

    def refuse(*_args: Any, **_more: Any) -> Any:
        raise ConnectionRefusedError(111, "Connection refused")

    connection.create_connection = refuse
    try:
        yield
    finally:
        connection.create_connection = before
