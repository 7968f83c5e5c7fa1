"""`cdp new-destination`: writes the project of a plugin, which works at once, for its author to go on from.

It needs no workspace and no role: nothing that is there already is changed.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click
import rich_click

from cdp_core.cli.command import command, json_option
from cdp_core.cli.page import give
from cdp_core.scaffold.project import AUTHS, Auth, Project, checked

if TYPE_CHECKING:
    from rich.console import RenderableType


@command("new-destination", example="cdp new-destination acme --auth oauth2")
@rich_click.argument("name")
@rich_click.option(
    "--auth",
    type=click.Choice(AUTHS),
    default="api-key",
    show_default=True,
    help="How one proves to the service who one is.",
)
@rich_click.option(
    "--records",
    is_flag=True,
    help="A destination of whole rows: it gets chosen fields in the clear, and no digests.",
)
@rich_click.option(
    "--output",
    metavar="FOLDER",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Where the project's folder, cdp-NAME, is made. Default: here.",
)
@rich_click.option("--dry-run", is_flag=True, help="List the files that would be written, and write none.")
@json_option
def new_destination(
    *, name: str, auth: str, records: bool, output: Path, dry_run: bool, as_json: bool
) -> None:
    """Write a new destination's plugin: a project that installs, and passes its checks, at once.

    NAME is what connections call the service, such as acme or acme-ads. The project holds settings, client,
    destination, consent texts, a stand-in of a made-up service, tests and a README, which says where the
    service's own ways go. Jinja2 writes it, which comes with cdp-core[testing].
    """
    from cdp_core.scaffold.rendering import rendered
    from cdp_core.scaffold.writing import require_free, write

    project = checked(Project(name=name, auth=cast(Auth, auth), records=records), _taken())
    folder = output / project.distribution
    require_free(folder)
    files = rendered(project)
    if not dry_run:
        write(files, folder)
    document = {
        "destination": name,
        "auth": auth,
        "records": records,
        "folder": str(folder.absolute()),
        "files": list(files),
        "written": not dry_run,
    }
    give(
        document,
        lambda: _picture(folder, list(files), dry_run=dry_run),
        as_json=as_json,
    )


def _taken() -> set[str]:
    """What plugins that are installed are called and bring, the broken and disabled ones among them."""
    from cdp_core.plugins.fitness.declarations import keys_by_plugin
    from cdp_core.plugins.manager import create_plugin_manager

    manager = create_plugin_manager()
    hooks = ("cdp_connection_types", "cdp_export_destinations")
    keys = {key for hook in hooks for _, key in keys_by_plugin(manager, hook)}
    return keys | {report.name for report in manager.reports}


def _picture(folder: Path, files: list[str], *, dry_run: bool) -> Iterator[RenderableType]:
    from rich.text import Text

    head = f"Would write {len(files)} files" if dry_run else f"Written, {len(files)} files"
    yield Text.assemble((head, "bold"), ":")
    for path in files:
        yield Text(f"  {folder / path}")
    if not dry_run:
        yield Text.assemble(("Next: ", "bold"), f"cd {shlex.quote(str(folder))}, and read README.md")
