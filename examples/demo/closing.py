"""The demo's last pictures: the funnel of the newest run, and the terminal as an SVG for the README."""

from __future__ import annotations

import re
from pathlib import Path

from rich.console import Console
from rich.text import Text

from cdp_core.app.facade import CDP
from cdp_core.cli.render.console import show
from cdp_core.cli.render.funnel import funnel
from cdp_core.model.run import Run

_WIDTH = 124
_FETCHED_FONTS = re.compile(r"@font-face \{.*?\}", re.DOTALL)


def funnel_of_the_day(workspace: Path, export: str) -> None:
    """Draw what became of all profiles in the newest run."""
    show(funnel(_runs(workspace, export)[0]))


def draw(workspace: Path, export: str, target: Path) -> None:
    """The funnels of both runs as a terminal shows them, as an SVG that fetches nothing."""
    runs = [run for run in reversed(_runs(workspace, export)) if not run.dry_run]
    with Path("/dev/null").open("w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=_WIDTH, file=nowhere, force_terminal=True, highlight=False)
        for remark, run in zip(("", "   # a day later"), runs, strict=True):
            console.print(Text.assemble(("$ ", "dim"), f'cdp export run "{export}"', (remark, "dim")))
            console.print("", funnel(run), "", sep="\n")
        picture = console.export_svg(title=" ", unique_id="demo")
    target.write_text(_FETCHED_FONTS.sub("", picture), encoding="utf-8")


def _runs(workspace: Path, export: str) -> tuple[Run, ...]:
    with CDP.open(workspace) as cdp:
        return tuple(report.run for report in cdp.exports.history(export))
