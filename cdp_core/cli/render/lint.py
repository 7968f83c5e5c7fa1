"""A look through the profiles: a bar for each field, the reasons, masked examples, what to type."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.progress import Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from cdp_core.cli.render.console import console, is_terminal
from cdp_core.cli.render.funnel import bar
from cdp_core.cli.render.progress import Amount, Rate, State
from cdp_core.cli.render.tables import Listing
from cdp_core.cli.render.words import count, percent, plain
from cdp_core.model.accounting import Reason
from cdp_core.model.examination import USABLE, FieldExamined, Remark
from cdp_core.model.policy import Region

if TYPE_CHECKING:
    from cdp_core.runner.lint import Linted

_BAR = 24
_PARTS = {
    USABLE: ("█", "green"),
    Reason.UNSUPPORTED: ("▓", "magenta"),
    Reason.MALFORMED: ("▒", "red"),
    Reason.PLACEHOLDER: ("▒", "yellow"),
    Reason.MISSING: ("░", "bright_black"),
}
_LEGEND = "█ would match  ▓ unsupported  ▒ malformed or placeholder  ░ nothing there"
_SAID = {
    USABLE: "would match",
    Reason.MISSING: "nothing there",
    Reason.PLACEHOLDER: "placeholder: stands for nobody",
    Reason.MALFORMED: "malformed",
    Reason.UNSUPPORTED: "unsupported",
    Remark.HASHED: "came as SHA-256 digests",
    Remark.CAPITALS: "digests in upper case: taken, and lower-cased",
    Remark.UNNORMALISED: "digests of values that were not normalised: the service will know none of them",
    Remark.MD5: "as long as an MD5, which no service takes",
    Remark.WORDED: "read from among words: look whether they are what they seem",
    Remark.SHA1: "as long as a SHA-1, which no service takes",
}


@contextmanager
def reading() -> Iterator[Callable[[int], None]]:
    """How far the reading is, on a terminal; elsewhere nothing is said."""
    if not is_terminal(sys.stderr):
        yield lambda read: None
        return
    bars = Progress(
        State(),
        TextColumn("{task.description}", markup=False),
        Amount(),
        Rate(),
        TimeElapsedColumn(),
        console=console(sys.stderr),
        transient=True,
    )
    with bars:
        task = bars.add_task("Reading", total=None, unit="value")
        yield lambda read: bars.update(task, completed=read)


class Shares:
    """For each field a bar: what would match, and each reason in its colour."""

    def __init__(self, fields: tuple[FieldExamined, ...]) -> None:
        self.fields = fields

    def __rich_console__(self, terminal: Console, options: ConsoleOptions) -> RenderResult:
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True)
        table.add_column(width=_BAR, no_wrap=True)
        table.add_column(justify="right", no_wrap=True)
        table.add_column(style="dim")
        for found in self.fields:
            table.add_row(
                plain(found.field),
                found.kind,
                _bar(found, ascii_only=options.ascii_only),
                Text(percent(found.usable, found.read), style="bold"),
                f"of {count(found.read)} would match",
            )
        yield table


def picture(found: Linted) -> Iterator[RenderableType]:
    if found.fields:
        yield Shares(found.fields)
        yield Text(_LEGEND, style="dim")
        yield Text("")
        yield Listing(
            ("Field", "Kind", "Values", "Share", "What of them", "Examples, masked"),
            (row for each in found.fields for row in _rows(each)),
            numbers=("Values", "Share"),
            texts=("What of them", "Examples, masked"),
        )
    if found.unfit:
        yield Text(f"Look like no identifier: {', '.join(map(plain, found.unfit))}", style="dim")
    if found.region == Region() and (found.unfit or any(map(_has_malformed_phones, found.fields))):
        yield Text("Phone numbers that name no country: --default-region NL, or --region-field COLUMN", "dim")
    if found.fits:
        yield from _to_type(found)
    elif not found.fields:
        yield Text(
            "No column looks like an identifier. Name one: cdp profiles lint --field NAME --kind EMAIL"
        )


def _has_malformed_phones(found: FieldExamined) -> bool:
    return found.kind == "PHONE" and bool(found.reasons.get(Reason.MALFORMED))


def document(found: Linted) -> dict[str, Any]:
    """What `profiles lint --json` prints."""
    return {
        "fields": [
            {
                "field": each.field,
                "kind": each.kind,
                "read": each.read,
                "usable": each.usable,
                "share": round(each.usable / each.read, 6) if each.read else 0.0,
                "distinct": each.distinct,
                "duplicate": each.duplicate,
                "reasons": {reason: each.reasons.get(reason, 0) for reason in _REASONS},
                "remarks": {remark: each.remarks.get(remark, 0) for remark in Remark},
                "examples": each.examples,
            }
            for each in found.fields
        ],
        "matches": [
            {"field": field, "kinds": kinds, "match": [f"{kind}={field}" for kind in kinds]}
            for field, kinds in found.fits.items()
        ],
        "unfit": found.unfit,
    }


_REASONS = (Reason.MISSING, Reason.PLACEHOLDER, Reason.MALFORMED, Reason.UNSUPPORTED)


def _rows(found: FieldExamined) -> Iterator[tuple[str, ...]]:
    yield _row(found, USABLE, found.usable)
    if found.duplicate:
        of = percent(found.duplicate, found.usable)
        said = f"duplicates, {of} of what would match"
        yield (found.field, found.kind, count(found.duplicate), _share(found, found.duplicate), said, "")
    for label, number in (*found.remarks.items(), *found.reasons.items()):
        yield _row(found, label, number)


def _row(found: FieldExamined, label: str, number: int) -> tuple[str, ...]:
    examples = "  ".join(found.examples.get(label, ()))
    return (found.field, found.kind, count(number), _share(found, number), _SAID[label], examples)


def _share(found: FieldExamined, number: int) -> str:
    return percent(number, found.read)


def _bar(found: FieldExamined, *, ascii_only: bool) -> Text:
    """Whole letters for each part, the last of them the rest, so that they are together as wide as all."""
    parts = {USABLE: found.usable} | {reason: found.reasons.get(reason, 0) for reason in reversed(_REASONS)}
    if ascii_only:
        return Text(bar(found.usable, found.read, _BAR, ascii_only=True))
    text, done, width = Text(), 0, 0
    for label, number in parts.items():
        done += number
        until = round(_BAR * done / found.read) if found.read else 0
        letter, style = _PARTS[label]
        text.append(letter * (until - width), style)
        width = until
    return text


def _to_type(found: Linted) -> Iterator[RenderableType]:
    sure = {field: kinds[0] for field, kinds in found.fits.items() if len(kinds) == 1}
    if sure:
        typed = " ".join(_match(kind, field) for field, kind in sure.items())
        yield Text.assemble(("To match: ", "bold"), typed)
    for field, kinds in found.fits.items():
        if field not in sure:
            choices = " or ".join(_match(kind, field) for kind in kinds)
            yield Text(f"{plain(field)} may be of each kind, and only who made it knows: {choices}")


def _match(kind: str, field: str) -> str:
    return f"--match {kind}={shlex.quote(plain(field))}"
