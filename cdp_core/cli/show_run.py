"""`cdp export show-run` and `rejected`: one run, with every batch and what the service said to it."""

from __future__ import annotations

from pathlib import Path

import click
import rich_click

from cdp_core.cli.ask import settled
from cdp_core.cli.command import command, json_option, yes_option
from cdp_core.cli.language import marked
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


@command("rejected", example="cdp export rejected 20261123-0259-7d1fce --output rejected.csv")
@rich_click.argument("run")
@rich_click.option(
    "--output",
    required=True,
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where to; the name says the form: .csv, .ndjson, .jsonl or .parquet.",
)
@yes_option
@json_option
@click.pass_obj
def rejected(session: Session, *, run: str, output: Path, yes: bool, as_json: bool) -> None:
    """Write what the service refused in a run: row keys, digests and reasons, without raw identifiers.

    The keys are found by reading today's profiles once more. The file is for you alone (0600).
    """
    from cdp_core.cli.render.batches import rejected_sentence

    there = output.exists()
    if there:
        settled(marked("{file} is there already. Overwrite it?"), yes=yes, file=output.name)
    found = session.cdp().runs.rejected(run, output=output, overwrite=there)
    give(found, lambda: (), as_json=as_json, said=rejected_sentence(found))
