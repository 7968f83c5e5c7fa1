"""The picture of the plans that wait for approval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cdp_core.cli.language import _
from cdp_core.cli.render.tables import Listing
from cdp_core.cli.render.words import count, moment, plain

if TYPE_CHECKING:
    from cdp_core.app.run_views import ApprovalView


def approvals(views: Sequence[ApprovalView]) -> Listing:
    return Listing(
        ("Plan", "Export", "Made by", "Made", "Adds", "Takes out", "Approved by", "Still needs", "Lapses"),
        (
            (
                view.plan,
                plain(view.export),
                plain(" / ".join(view.made_by)),
                moment(view.made_at),
                count(view.added),
                count(view.removed),
                plain(", ".join(view.approved_by)),
                count(view.lacking),
                moment(view.lapses_at),
            )
            for view in views
        ),
        numbers=("Adds", "Takes out", "Still needs"),
        texts=("Export", "Approved by"),
        empty=_("No plan waits for approval."),
    )
