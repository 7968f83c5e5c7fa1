"""The picture of a run: from all profiles down to what the service accepted, each step with what it lost.

Values of several identifier kinds are taken together; `render/run.py` has the table by kind.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from cdp_core.cli.language import _, marked
from cdp_core.cli.render.words import count, percent
from cdp_core.model.accounting import KindCounts, Reason
from cdp_core.model.run import Run

_LONGEST = 32
_SHORTEST = 10
_BESIDE = 70
_EIGHTHS = " ▏▎▍▌▋▊▉"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A row of the picture. `lost` says what became of the difference to the step before."""

    label: str
    number: int
    style: str = "cyan"
    lost: str = ""


class Funnel:
    """The steps with bars, which give way to the words beside them on a narrow terminal."""

    def __init__(self, run: Run) -> None:
        self.steps = tuple(steps_of(run))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        whole = max(step.number for step in self.steps)
        width = min(max(options.max_width - _BESIDE, _SHORTEST), _LONGEST)
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True)
        # A number cut short would be another number: where room is lacking, the bar gives way.
        longest = max(len(count(step.number)) for step in self.steps)
        table.add_column(justify="right", no_wrap=True, min_width=longest)
        table.add_column(width=width, no_wrap=True)
        table.add_column(justify="right", no_wrap=True)
        table.add_column(style="dim")
        for step in self.steps:
            table.add_row(
                step.label,
                Text(count(step.number), style="bold"),
                Text(bar(step.number, whole, width, ascii_only=options.ascii_only), style=step.style),
                percent(step.number, whole),
                step.lost,
            )
        yield table


def bar(part: int, whole: int, width: int, *, ascii_only: bool = False) -> str:
    """`part` of `whole` in a width of letters; anything above nothing is seen."""
    eighths = round(8 * width * part / whole) if whole else 0
    if part and not eighths:
        eighths = 1
    if ascii_only:
        return "#" * -(-eighths // 8)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def funnel(run: Run) -> RenderableType:
    """The picture of a run, to be printed on any console."""
    return Funnel(run)


_SCREENED = {
    Reason.PLACEHOLDER: marked("{number} placeholder"),
    Reason.MALFORMED: marked("{number} malformed"),
    Reason.UNSUPPORTED: marked("{number} unsupported"),
    Reason.WITHOUT_CONSENT: marked("{number} without consent"),
    Reason.SUPPRESSED: marked("{number} suppressed"),
}


def steps_of(run: Run) -> Iterator[Step]:
    counts = tuple(run.kinds.values())
    total = {name: sum(kind.as_dict()[name] for kind in counts) for name in KindCounts().as_dict()}
    read = total["read"]
    yield Step(label=_("profiles"), number=run.profiles)
    yield Step(
        label=_("members"),
        number=run.members,
        lost=_lost(run.profiles - run.members, _("{number} in none of the segments")),
    )
    if read != run.members:
        yield Step(label=_("values read"), number=read, lost=_("members times the fields matched"))
    yield Step(
        label=_("with identifier"),
        number=read - total["missing"],
        lost=_lost(total["missing"], _("{number} without one")),
    )
    yield Step(
        label=_("valid"),
        number=sum(kind.valid for kind in counts),
        lost=", ".join(filter(None, (_lost(total[reason], _(_SCREENED[reason])) for reason in _SCREENED))),
    )
    yield Step(
        label=_("distinct"),
        number=sum(kind.distinct for kind in counts),
        lost=", ".join(
            filter(
                None,
                (
                    _lost(total["duplicate"], _("{number} duplicate")),
                    _lost(total["held_back"], _("{number} held back")),
                ),
            )
        ),
    )
    yield from _changes(total)
    if total["released"]:
        yield Step(
            label="  " + _("released"),
            number=total["released"],
            style="blue",
            lost=_("another export keeps them"),
        )
    if run.dry_run:
        yield Step(label=_("accepted"), number=0, style="green", lost=_("nothing was sent"))
    elif not run.delivered.planned:
        yield Step(label=_("accepted"), number=0, style="green", lost=_("there was nothing to add or remove"))
    else:
        yield Step(
            label=_("accepted"),
            number=run.delivered.accepted,
            style="green",
            lost=_("of {number} to be added or removed").format(number=count(run.delivered.planned)),
        )


def _changes(total: Mapping[str, int]) -> Iterator[Step]:
    """What becomes of the audience: where members are named to be taken out, nobody is added."""
    if total["named"]:
        lost = _("{number} of them put there by nobody here").format(number=count(total["unclaimed"]))
        yield Step(label="  " + _("removed"), number=total["removed"], style="magenta", lost=lost)
        return
    lost = (
        _("there already: {number} sent again").format(number=count(total["resent"]))
        if total["resent"]
        else _("there already: not sent")
    )
    yield Step(
        label="  " + _("added"), number=total["added"], style="green", lost=_("not in the audience yet")
    )
    yield Step(label="  " + _("unchanged"), number=total["unchanged"], style="blue", lost=lost)
    yield Step(
        label="  " + _("removed"), number=total["removed"], style="magenta", lost=_("no longer wanted there")
    )
    if total["kept"]:
        yield Step(
            label="  " + _("kept"),
            number=total["kept"],
            style="blue",
            lost=_("no longer wanted, and left there"),
        )


def _lost(number: int, why: str) -> str:
    return why.format(number=count(number)) if number else ""
