"""`cdp export run --all`: every export whose schedule is on, one after another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cdp_core.cli.failure import show_error
from cdp_core.cli.page import give
from cdp_core.cli.render.documents import error_document, report_document
from cdp_core.cli.render.words import plain
from cdp_core.errors import CdpError, Code, ExitStatus, TemporaryFault

if TYPE_CHECKING:
    from cdp_core.app.facade import CDP


def run_all(cdp: CDP, *, yes: bool, as_json: bool) -> ExitStatus:
    """The worst of their statuses. With `yes`, audiences are emptied where an export's mode is to replace.

    A fault of one keeps none of the others from its turn; Ctrl-C ends the run under way, and the others are
    not begun.
    """
    from cdp_core.cli.interrupt import stop_on_signal
    from cdp_core.cli.render.progress import progress
    from cdp_core.cli.render.run import report as picture

    names = [each.export for each in cdp.schedules.show().exports if each.active and each.attached]
    documents: list[dict[str, Any]] = []
    statuses: list[ExitStatus] = []
    with stop_on_signal() as stop:
        for name in names:
            try:
                if stop.is_set():
                    raise TemporaryFault(Code.INTERRUPTED, "interrupted before it began", where=name)
                with progress() as tell:
                    report = cdp.exports.run(name, progress=tell, stop=stop, agreed=yes)
            except CdpError as fault:
                statuses.append(fault.exit_status)
                documents.append({"export": name, **error_document(fault)})
                if not as_json:
                    show_error(str(fault.code), fault.message, where=fault.where, hint=fault.hint)
                continue
            statuses.append(report.exit_status)
            documents.append(report_document(report))
            if not as_json:
                give(documents[-1], lambda report=report: picture(report), as_json=False)  # type: ignore[misc]
                if report.run.error_code:
                    show_error(
                        report.run.error_code, report.run.error or "", hint=report.run.error_hint or ""
                    )
    said = "" if names else "No export has a connection and a schedule that is on."
    if as_json or said:
        give(documents, lambda: (), as_json=as_json, said=plain(said))
    return ExitStatus.worst(statuses)
