"""`cdp export show-run`: one run, with every batch and what the service said to it."""

from __future__ import annotations

import click
import rich_click

from cdp_core.cli.command import command, json_option
from cdp_core.cli.page import give
from cdp_core.cli.session import Session


@command("show-run", example="cdp export show-run 20261123-0259-7d1fce")
@rich_click.argument("run")
@json_option
@click.pass_obj
def show_run(session: Session, *, run: str, as_json: bool) -> None:
    """Show a run: the funnel, every batch with its answer, and each refusal in the service's own words.

    RUN is the run's id, or its beginning where no other run's begins so: `cdp export history` lists them.
    """
    from cdp_core.cli.render.batches import details, details_document

    found = session.cdp().runs.show(run)
    give(details_document(found), lambda: details(found), as_json=as_json)
