"""What a destination leaves behind: no secret anywhere, no thread, no socket."""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
import traceback
from collections.abc import Callable, Collection, Iterable

import psutil
import pytest

from cdp_core.contract.faults import DestinationFault
from cdp_core.model.delivery import Operation
from cdp_core.simulate import Answer, Fault, Request
from cdp_core.simulate.app import SIMULATED
from cdp_core.testing.runs import require_done
from cdp_core.testing.stage import Stage


class Secrecy:
    def test_no_secret_shows(self, stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
        """Not in a `repr`, an exception, a receipt, a log of any level, or a recording; nor where the service
        says back what it was sent."""
        caplog.set_level(logging.DEBUG)
        said = []
        with stage.opened() as found:
            bearer = str(found.http.headers.get("Authorization", "")).removeprefix("Bearer ").strip()
            for thing in (found.destination, found.settings, found):
                said += [repr(thing), str(thing)]
            if stage.stand_in.app is not None:
                for status in (400, 401, 403, 404, 429, 500):
                    fault = Fault(
                        name="answer",
                        status=status,
                        route=stage.stand_in.routes,
                        applies=True,
                        alter=saying_back(stage.stand_in.secrets.values()),
                    )
                    stage.stand_in.app.faults.add(fault)
                    try:
                        said.append(repr(found.destination.deliver(stage.batch(Operation.ADD, range(2)))))
                    except DestinationFault as met:
                        said += [str(met), repr(met), *traceback.format_exception(met)]
        require_done(stage)
        require_none(filter(None, [*stage.stand_in.secrets.values(), bearer]), [*said, caplog.text])
        recorded = stage.stand_in.cassettes
        if recorded is not None:
            texts = [path.read_text(errors="replace") for path in recorded.rglob("*") if path.is_file()]
            assert texts, f"there is no recording in {recorded}"
            require_none(stage.stand_in.secrets.values(), texts)

    def test_nothing_is_kept_of_them_in_the_workspace(self, stage: Stage) -> None:
        """Neither a secret in the clear nor a raw identifier lies in a file of the workspace."""
        require_done(stage)
        raw = [stage.stand_in.identifier(number) for number in range(10)]
        kept = [path.read_bytes() for path in stage.workspace.rglob("*") if path.is_file()]
        for secret in (*stage.stand_in.secrets.values(), *raw, *map(str.lower, raw)):
            assert not [content for content in kept if secret.encode() in content]

    def test_no_thread_or_socket_is_left_behind(self, stage: Stage) -> None:
        """What a destination opened is closed when its session is."""
        with stage.opened() as found:
            found.destination.deliver(stage.batch(Operation.ADD, range(2)))
        threads, sockets = set(threading.enumerate()), open_sockets()
        for _ in range(3):
            with stage.opened() as found:
                found.destination.deliver(stage.batch(Operation.ADD, range(2)))
        # The stand-in's own threads end a moment after their connections.
        until(lambda: set(threading.enumerate()) <= threads and open_sockets() <= sockets)
        left = [thread.name for thread in set(threading.enumerate()) - threads]
        assert not left, f"threads are left: {left}"
        assert open_sockets() <= sockets, "connections are left open"


def saying_back(secrets: Collection[str]) -> Callable[[Request, Answer], Answer]:
    """Puts those secrets that a request's headers have where the service's words stand."""

    def altered(request: Request, answer: Answer) -> Answer:
        sent = [each for each in secrets if any(each in value for value in request.headers.values())]
        words = " ".join([SIMULATED, *sent])
        return dataclasses.replace(answer, body=answer.body.replace(SIMULATED.encode(), words.encode()))

    return altered


def until(true: Callable[[], bool], seconds: float = 3) -> None:
    """Wait for it, but not for ever."""
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.02)


def open_sockets() -> int:
    """How many connections this process has opened that are not closed yet. Those that the other end, a
    stand-in in this process, has accepted are not counted."""
    listening = {
        each.laddr.port
        for each in psutil.Process().net_connections("tcp")
        if each.status == psutil.CONN_LISTEN
    }
    return sum(
        each.status in (psutil.CONN_ESTABLISHED, psutil.CONN_CLOSE_WAIT) and each.laddr.port not in listening
        for each in psutil.Process().net_connections("tcp")
    )


def require_none(secrets: Iterable[str], texts: Iterable[str]) -> None:
    texts = list(texts)
    for secret in secrets:
        assert not [text for text in texts if secret in text], "a secret shows"
