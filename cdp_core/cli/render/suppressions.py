"""What suppressions look like: never a person, only the beginning of a digest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.text import Text

from cdp_core.cli.render.tables import Listing
from cdp_core.cli.render.words import counted, moment

if TYPE_CHECKING:
    from cdp_core.app.workspace_views import ImportView, SuppressionsView, SuppressionView

_LINES = 20


def added(view: SuppressionView) -> str:
    if not view.is_new:
        return f"{_short(view)} was suppressed already, since {moment(view.added_at)}."
    return f"{_short(view)} is suppressed: the next run of each export takes it out of its audience."


def removed(view: SuppressionView) -> str:
    return f"{_short(view)} is not suppressed any more."


def imported(view: ImportView) -> Iterator[RenderableType]:
    yield Text(
        f"{counted(view.read, 'line')} read: {view.added:,} added, {view.known:,} known already, "
        f"{view.empty:,} empty, {view.malformed:,} malformed."
    )
    if view.lines:
        yield Listing(
            ("Line", "Why it was left out"),
            ((str(each.line), each.reason) for each in view.lines[:_LINES]),
            numbers=("Line",),
            texts=("Why it was left out",),
        )
    if view.malformed > _LINES:
        yield Text(f"… and {view.malformed - _LINES:,} more; --json lists the first {len(view.lines):,}.")


def listed(view: SuppressionsView) -> Iterator[RenderableType]:
    if view.kinds:
        yield Text(", ".join(f"{number:,} {kind}" for kind, number in sorted(view.kinds.items())))
    yield Listing(
        ("Kind", "Digest", "Added", "By", "Note"),
        (
            (each.kind, f"{each.digest}…", moment(each.added_at), each.added_by, each.note)
            for each in view.newest
        ),
        texts=("Note",),
        empty="Nobody is suppressed.",
    )


def _short(view: SuppressionView) -> str:
    return f"{view.kind} {view.digest}…"
