"""Opens an export's destination, and asks it for the audience, while the profiles are being prepared.

What signing in and asking take (a vault's key, a token's renewal, the libraries that both need) then
costs no time of its own, and a lost right or a deleted audience is told before long work, not after.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from cdp_core.contract.destination import Delivering
from cdp_core.contract.faults import DestinationFault
from cdp_core.errors import Code, InvalidFault
from cdp_core.model.configuration import Export
from cdp_core.model.delivery import Audience
from cdp_core.model.names import as_typed
from cdp_core.model.run import Run
from cdp_core.runner.connect import Connector
from cdp_core.runner.open_destination import OpenDestination


@dataclass(frozen=True, slots=True)
class Opened:
    """A destination to send to, and what the service said of its audience."""

    to: OpenDestination
    audience: Audience


class Opening:
    """A destination on its way."""

    def __init__(self, future: Future[Opened]) -> None:
        self._future = future

    def look(self) -> None:
        """Raise what has already gone wrong; wait for nothing."""
        if self._future.done():
            self._future.result()

    def result(self) -> Opened:
        return self._future.result()


@contextmanager
def opening(connector: Connector, export: Export, run: Run) -> Iterator[Opening]:
    """Closes the destination at the end. A fault is raised where the result is asked for."""
    with ExitStack() as opened, ThreadPoolExecutor(1, thread_name_prefix="opening") as thread:
        yield Opening(thread.submit(_open, connector, export, run, opened))


def _open(connector: Connector, export: Export, run: Run, opened: ExitStack) -> Opened:
    delivering = Delivering(run_id=run.id, export=export.name, started_at=run.started_at)
    to = opened.enter_context(connector.destination(export, delivering))
    try:
        audience = to.renewing(to.destination.verify)
    except ValueError as reason:
        raise unfit(export, to, reason) from reason
    except DestinationFault as fault:
        raise connector.as_error(fault, to.connection, export=export) from fault
    return Opened(to, audience)


def unfit(export: Export, to: OpenDestination, reason: ValueError) -> InvalidFault:
    """What a destination has against an export's audience."""
    setting = to.spec.audience_setting
    return InvalidFault(
        Code.AUDIENCE_UNFIT,
        str(reason),
        where=f"export {export.name!r}",
        hint=f"another one: --set {setting}=… (`cdp connection audiences {as_typed(to.connection.name)}` "
        "lists them)",
    )
