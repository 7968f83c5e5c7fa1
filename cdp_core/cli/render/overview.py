"""What `cdp status` looks like."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.text import Text

from cdp_core.cli.language import _, said
from cdp_core.cli.render.audiences import sparkline
from cdp_core.cli.render.moments import in_zone, recurring
from cdp_core.cli.render.tables import Listing, coloured
from cdp_core.cli.render.words import count, moment, plain, shown_word

if TYPE_CHECKING:
    from cdp_core.app.run_views import ExportGlance, Overview, RefreshView


def overview(view: Overview) -> Iterator[RenderableType]:
    yield Text.assemble((_("Refresh"), "bold"), f"  {_refresh(view.refresh)}")
    yield Text("")
    yield Listing(
        ("Export", "Status", "At", "Accepted", "Left", "In the ledger", "Trend", "Next"),
        (_line(each) for each in view.exports),
        numbers=("Accepted", "Left", "In the ledger"),
        texts=("Left", "Trend", "Next"),
        empty="No exports yet. cdp export add NAME --connection NAME",
    )
    yield Text("")
    if not view.attention:
        yield Text(_("Nothing needs anybody."), style="green")
    for each in view.attention:
        yield Text.assemble(
            ("• ", "yellow"), (plain(said(each.about)), "bold"), f": {plain(said(each.trouble))}"
        )
        if each.command:
            yield Text(f"  {plain(said(each.command))}", style="dim")


def _refresh(view: RefreshView) -> str:
    if not view.when:
        return _("not set: cdp schedule set --daily 02:00")
    when = recurring(view.when, view.cron, view.timezone)
    if not view.active:
        return _("off ({when})").format(when=when)
    return _("{when}; next {moment}").format(when=when, moment=in_zone(view.next[0]) if view.next else "")


def _line(each: ExportGlance) -> tuple[str | Text, ...]:
    return (
        each.export,
        coloured(shown_word(each.shown)) if each.shown else Text(_("never run"), style="dim"),
        moment(each.at),
        count(each.accepted) if each.run else "",
        count(each.left) if each.run else "",
        count(each.sizes[-1]) if each.sizes else "",
        sparkline(each.sizes) if len(each.sizes) > 1 else "",
        in_zone(each.next),
    )
