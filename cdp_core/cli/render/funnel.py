"""The picture of a run: from all profiles down to what the service accepted, each step with what it lost.

Values of several identifier kinds are taken together; `render/run.py` has the table by kind.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from cdp_core.cli.render.words import count, percent
from cdp_core.model.accounting import KindCounts, Reason
from cdp_core.model.run import Run

_WIDTH = 32
_EIGHTHS = " ▏▎▍▌▋▊▉"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A row of the picture. `lost` says what became of the difference to the step before."""

    label: str
    number: int
    style: str = "cyan"
    lost: str = ""


class Bar:
    """`part` of `whole` as a bar; anything above nothing is seen."""

    def __init__(self, part: int, whole: int, style: str) -> None:
        self.part = part
        self.whole = whole
        self.style = style

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        eighths = round(8 * _WIDTH * self.part / self.whole) if self.whole else 0
        if self.part and not eighths:
            eighths = 1
        if options.ascii_only:
            yield Text("#" * max(eighths // 8, bool(eighths)), style=self.style)
        else:
            yield Text("█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip(), style=self.style)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(_WIDTH, _WIDTH)


def funnel(run: Run) -> RenderableType:
    """The steps of a run with bars; to be printed on any console."""
    steps = tuple(steps_of(run))
    whole = max((step.number for step in steps), default=0)
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(width=_WIDTH, no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(style="dim")
    for step in steps:
        table.add_row(
            step.label,
            Text(count(step.number), style="bold"),
            Bar(step.number, whole, step.style),
            percent(step.number, whole),
            step.lost,
        )
    return Group(table)


def steps_of(run: Run) -> Iterator[Step]:
    counts = tuple(run.kinds.values())
    total = {name: sum(kind.as_dict()[name] for kind in counts) for name in KindCounts().as_dict()}
    read = total["read"]
    screened = (
        Reason.PLACEHOLDER,
        Reason.MALFORMED,
        Reason.UNSUPPORTED,
        Reason.WITHOUT_CONSENT,
        Reason.SUPPRESSED,
    )
    yield Step(label="profiles", number=run.profiles)
    yield Step(
        label="members", number=run.members, lost=_lost(run.profiles - run.members, "in none of the segments")
    )
    if read != run.members:
        yield Step(label="values read", number=read, lost="members times the fields matched")
    yield Step(
        label="with identifier",
        number=read - total["missing"],
        lost=_lost(total["missing"], "without one"),
    )
    yield Step(
        label="valid",
        number=sum(kind.valid for kind in counts),
        lost=", ".join(filter(None, (_lost(total[reason], reason.replace("_", " ")) for reason in screened))),
    )
    yield Step(
        label="distinct",
        number=sum(kind.distinct for kind in counts),
        lost=_lost(total["duplicate"], "duplicate"),
    )
    yield Step(label="  added", number=total["added"], style="green", lost="not in the audience yet")
    yield Step(label="  unchanged", number=total["unchanged"], style="blue", lost="there already: not sent")
    yield Step(label="  removed", number=total["removed"], style="magenta", lost="no longer wanted there")
    if total["released"]:
        yield Step(
            label="  released", number=total["released"], style="blue", lost="another export keeps them"
        )
    if run.dry_run:
        yield Step(label="accepted", number=0, style="green", lost="nothing was sent")
    else:
        yield Step(
            label="accepted",
            number=run.delivered.accepted,
            style="green",
            lost=f"of {count(run.delivered.planned)} to be added or removed",
        )


def _lost(number: int, why: str) -> str:
    return f"{count(number)} {why}" if number else ""
