"""Whether a plugin fits: the verdict in a line, then a row for each thing that was looked at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.text import Text

from cdp_core.cli.render.tables import Listing
from cdp_core.cli.render.words import counted, plain
from cdp_core.plugins.fitness.findings import Verdict

if TYPE_CHECKING:
    from cdp_core.plugins.fitness.findings import Fitness
    from cdp_core.plugins.fitness.settings import Recorded

UNFIT = Verdict.UNFIT
_STYLES = {"ok": "green", "warning": "yellow", "error": "red"}
_VERDICTS = {Verdict.FITS: "green", Verdict.FITS_BUT: "yellow", Verdict.UNFIT: "red"}


def picture(found: Fitness) -> Iterator[RenderableType]:
    it = f"{plain(found.distribution)} {plain(found.version)}"
    yield Text.assemble(
        (f"{it} {_word(found)}", f"bold {_VERDICTS[found.verdict]}"), f" cdp-core {found.core}{_sum(found)}"
    )
    yield Text("")
    # What is wrong stands first; what it is wrong with keeps its order.
    weights = list(reversed(_STYLES))
    yield Listing(
        ("Plugin", "Check", "State", "Found", "Where", "What to do"),
        (
            (
                each.plugin or "all",
                each.check,
                Text(each.state, style=_STYLES[each.state]),
                each.message,
                each.where,
                each.hint,
            )
            for each in sorted(found.findings, key=lambda each: weights.index(each.state))
        ),
        texts=("Found", "Where", "What to do"),
    )


def _word(found: Fitness) -> str:
    return "does not fit" if found.verdict is Verdict.UNFIT else "fits"


def _sum(found: Fitness) -> str:
    """How many rows ask for something."""
    states = [each.state for each in found.findings]
    parts = [counted(states.count(state), state) for state in ("error", "warning") if state in states]
    joint = ", but " if found.verdict is Verdict.FITS_BUT else ": "
    return f"{joint}{', '.join(parts)}" if parts else ""


def changes(found: Recorded) -> Iterator[RenderableType]:
    for change in found.changes:
        yield Text(f"• {plain(change)}")
