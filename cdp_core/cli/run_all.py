"""Several exports, one after another: those whose schedule is on, or those of a group."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from cdp_core.cli.failure import show_error
from cdp_core.cli.page import give
from cdp_core.cli.render.documents import error_document, report_document
from cdp_core.cli.render.words import plain
from cdp_core.cli.told import show_run_error
from cdp_core.errors import CdpError, Code, ExitStatus, TemporaryFault
from cdp_core.model.names import as_typed
from cdp_core.model.run import RunEvent

if TYPE_CHECKING:
    from cdp_core.app.facade import CDP
    from cdp_core.app.run_views import RunReport

# Does what is to be done with one export, telling of it as it goes on, until it is told to stop.
Deed = Callable[[str, Callable[[RunEvent], None], threading.Event], "RunReport"]


def scheduled(cdp: CDP) -> tuple[str, ...]:
    """The exports whose schedule is on and that have a connection."""
    return tuple(each.export for each in cdp.schedules.show().exports if each.active and each.attached)


def in_turn(names: Sequence[str], deed: Deed, *, as_json: bool, nothing: str = "") -> ExitStatus:
    """The worst of their statuses; `nothing` is said where there are none.

    A fault of one keeps none of the others from its turn, and neither does a result that cannot be
    written, which is raised at the end; Ctrl-C ends the run under way, and the others are not begun.
    """
    from cdp_core.cli.interrupt import stop_on_signal
    from cdp_core.cli.render.progress import progress
    from cdp_core.cli.render.run import report as picture

    documents: list[dict[str, Any]] = []
    statuses: list[ExitStatus] = []
    unsaid: BrokenPipeError | CdpError | None = None
    with stop_on_signal() as stop:
        for name in names:
            try:
                if stop.is_set():
                    raise TemporaryFault(
                        Code.INTERRUPTED,
                        "interrupted before it began",
                        hint=f"cdp export run {as_typed(name)}",
                    )
                with progress() as tell:
                    report = deed(name, tell, stop)
            except CdpError as fault:
                statuses.append(fault.exit_status)
                documents.append({"export": name, **error_document(fault)})
                if not as_json:
                    show_error(str(fault.code), fault.message, where=_of(name, fault.where), hint=fault.hint)
                continue
            statuses.append(report.exit_status)
            documents.append(report_document(report))
            if not as_json and unsaid is None:
                try:
                    give(documents[-1], lambda report=report: picture(report), as_json=False)  # type: ignore[misc]
                except (BrokenPipeError, CdpError) as failure:
                    unsaid = failure
            if not as_json:
                show_run_error(report)
    if unsaid is not None:
        raise unsaid
    said = "" if names else nothing
    if as_json or said:
        give(documents, lambda: (), as_json=as_json, said=plain(said))
    return ExitStatus.worst(statuses)


def _of(name: str, where: str) -> str:
    """A fault's place with the export that it befell, once."""
    itself = [f"export {form}" for form in (as_typed(name), name, repr(name))]
    if where in itself or where.startswith(tuple(f"{each}, " for each in itself)):
        return where
    return f"{itself[0]}: {where}" if where else itself[0]
