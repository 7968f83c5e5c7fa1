"""What a command that ran an export ends with: the picture or the document, the fault, the exit status."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cdp_core.cli.failure import show_error
from cdp_core.cli.page import give
from cdp_core.cli.render.documents import report_document

if TYPE_CHECKING:
    from cdp_core.app.run_views import RunReport


def tell_run(context: click.Context, report: RunReport, *, as_json: bool) -> None:
    from cdp_core.cli.render.run import report as picture

    give(report_document(report), lambda: picture(report), as_json=as_json)
    show_run_error(report)
    context.exit(int(report.exit_status))


def show_run_error(report: RunReport) -> None:
    """What ended a run that failed; nothing for one that did not."""
    run = report.run
    if run.error_code:
        where = f"run {run.id} of export {run.export_name}"
        show_error(run.error_code, run.error or "", where=where, hint=run.error_hint or "")
