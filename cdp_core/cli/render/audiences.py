"""What audiences look like: as a list, and one beside its ledger with its trend."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.text import Text

from cdp_core.cli.language import _, said
from cdp_core.cli.render.tables import Details, Listing
from cdp_core.cli.render.words import count, counted, moment, plain, quoted

if TYPE_CHECKING:
    from cdp_core.app.views import AudienceStatus, AudienceView, TrendPoint

_BARS = "▁▂▃▄▅▆▇█"
_MOST_POINTS = 60
_SHOWN_RUNS = 10


def audiences(views: Iterable[AudienceView]) -> Listing:
    return Listing(
        ("Audience", "Id", "Users", "Upload", "Targetable", "Days kept", "Made", "Filled by"),
        (
            (
                view.audience.name,
                view.audience.id,
                count(view.audience.approximate_number_users),
                view.audience.upload_status or "",
                view.audience.targetable_status or "",
                count(view.audience.retention_in_days),
                moment(view.audience.created_at),
                ", ".join(view.exports),
            )
            for view in views
        ),
        numbers=("Users", "Days kept"),
        texts=("Filled by",),
        empty="The service has no audience that can be filled. cdp export add NAME --create-audience NAME",
    )


def status(view: AudienceStatus) -> Iterator[RenderableType]:
    audience = view.audience
    yield Details(
        view.export,
        (
            ("Audience", f"{audience.name} ({view.audience_id})" if audience else view.audience_id),
            ("In the ledger", _claims(view)),
            ("Users matched", _users(view)),
            ("Upload", (audience.upload_status or "") if audience else ""),
            ("Targetable", (audience.targetable_status or "") if audience else ""),
            ("Days kept", count(audience.retention_in_days) if audience else ""),
            ("Made", moment(audience.created_at) if audience else ""),
        ),
    )
    if audience and audience.warning:
        yield Text(f"• {plain(said(audience.warning))}", style="yellow")
    for each in view.drift:
        yield Text(f"• {plain(said(each.message))}", style="red")
    if view.drift and audience:
        yield Text.assemble((_("Next: "), "bold"), f"cdp export resync {quoted(view.export)}")
    elif view.drift:
        command = f"cdp export edit {quoted(view.export)} --leave-members --set …"
        yield Text.assemble((_("Next: "), "bold"), _("{command}, then run it").format(command=command))
    yield from _trend(view.trend)


def _users(view: AudienceStatus) -> str:
    if view.audience is None:
        return _("unknown: the service does not know the audience")
    size = view.audience.approximate_number_users
    return _("not told") if size is None else _("about {number}").format(number=count(size))


def _trend(points: Sequence[TrendPoint]) -> Iterator[RenderableType]:
    if not points:
        return
    sizes = [point.approximate_number_users for point in points if point.approximate_number_users is not None]
    if len(sizes) > 1:
        yield Text.assemble(_("Users over the runs: "), (sparkline(sizes[-_MOST_POINTS:]), "cyan"))
    yield Listing(
        ("Run", "At", "Accepted", "In the ledger", "Users", "Targetable"),
        (
            (
                point.run,
                moment(point.at),
                count(point.accepted),
                count(point.claims),
                count(point.approximate_number_users),
                point.targetable_status or "",
            )
            for point in reversed(points[-_SHOWN_RUNS:])
        ),
        numbers=("Accepted", "In the ledger", "Users"),
    )


def _claims(view: AudienceStatus) -> str:
    own = counted(view.claims, "digest", "digests")
    if not view.claims_of_others:
        return own
    others = counted(view.claims_of_others, "digest", "digests")
    return _("{own}; of other exports: {others}").format(own=own, others=others)


def sparkline(numbers: Sequence[int]) -> str:
    """One bar for each number, the largest the full height."""
    most = max(numbers) or 1
    return "".join(_BARS[round((len(_BARS) - 1) * number / most)] for number in numbers)
