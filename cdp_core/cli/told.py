"""What a command that ran an export ends with: the picture or the document, the fault, the exit status."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cdp_core.cli.failure import show_error
from cdp_core.cli.page import give
from cdp_core.cli.render.documents import report_document

if TYPE_CHECKING:
    from cdp_core.app.views import RunReport


def tell_run(context: click.Context, report: RunReport, *, as_json: bool) -> None:
    from cdp_core.cli.render.run import report as picture

    give(report_document(report), lambda: picture(report), as_json=as_json)
    if report.run.error_code:
        show_error(report.run.error_code, report.run.error or "", hint=report.run.error_hint or "")
    context.exit(int(report.exit_status))
