"""Lists and single things as tables: ruled on a terminal, plain aligned columns elsewhere.

A list that is too wide for the terminal is shown as one block for each row, so that no cell is cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from cdp_core.cli.language import _
from cdp_core.cli.render.words import STYLES, plain

Cell = str | Text

_NARROWEST = 16
_BETWEEN = 2


class Listing:
    """Rows under headings, which are shown in the language spoken. Cells are data: they are shown letter by
    letter, never as markup.

    Columns named in `numbers` stand to the right; those in `texts` may be broken into lines on a
    terminal, and are left out there when they are empty or all nought. Elsewhere each row is one line,
    however long.
    """

    def __init__(
        self,
        headings: Sequence[str],
        rows: Iterable[Sequence[Cell]],
        *,
        numbers: Iterable[str] = (),
        texts: Iterable[str] = (),
        empty: str = "",
    ) -> None:
        self.headings = tuple(headings)
        self.rows = [tuple(_cell(cell) for cell in row) for row in rows]
        self.numbers = frozenset(numbers)
        self.texts = frozenset(texts)
        self.empty = empty

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if not self.rows:
            yield Text(_(self.empty), style="dim")
        elif not console.is_terminal:
            yield self._table(tuple(range(len(self.headings))), ruled=False)
        elif self._narrowest(told := self._told()) <= options.max_width:
            yield self._table(told, ruled=True)
        else:
            for first, *others in self.rows:
                yield Details(first.plain, zip(self.headings[1:], others, strict=True))

    def _told(self) -> tuple[int, ...]:
        """The places of the columns that have something to tell."""
        return tuple(
            place
            for place, heading in enumerate(self.headings)
            if heading not in self.texts or any(row[place].plain not in ("", "0") for row in self.rows)
        )

    def _table(self, places: tuple[int, ...], *, ruled: bool) -> Table:
        # A ruled table has a space of its own between columns.
        table = Table(
            box=box.SIMPLE_HEAD if ruled else None,
            pad_edge=ruled,
            padding=(0, 1 if ruled else 2, 0, 0),
            header_style="bold",
        )
        for heading in (self.headings[place] for place in places):
            table.add_column(
                _(heading),
                justify="right" if heading in self.numbers else "left",
                no_wrap=not ruled or heading not in self.texts,
                overflow="fold",
            )
        for row in self.rows:
            table.add_row(*(row[place] for place in places))
        return table

    def _narrowest(self, places: tuple[int, ...]) -> int:
        """The width below which a cell would be cut."""
        widths = {
            self.headings[place]: max(
                cell_len(_(self.headings[place])), *(row[place].cell_len for row in self.rows)
            )
            for place in places
        }
        needed = (
            min(width, _NARROWEST) if heading in self.texts else width for heading, width in widths.items()
        )
        return sum(needed) + _BETWEEN * (len(places) + 1)


class Details:
    """One thing: its fields, one below the other; a field without a value is left out.
    Labels are shown in the language spoken."""

    def __init__(self, title: str, fields: Iterable[tuple[str, Cell]]) -> None:
        self.title = title
        self.fields = [(label, _cell(value)) for label, value in fields if str(value)]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(plain(self.title), style="bold")
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold", no_wrap=not console.is_terminal)
        for label, value in self.fields:
            table.add_row(f"  {_(label)}", value)
        yield table


def coloured(word: str) -> Text:
    """A status word in its colour, in the language spoken."""
    return Text(_(word), style=STYLES.get(word, ""))


def _cell(value: Cell) -> Text:
    return value if isinstance(value, Text) else Text(plain(value))
