"""What schedules look like: the refresh with its next times, and the exports with theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import RenderableType

from cdp_core.cli.language import _, marked
from cdp_core.cli.render.moments import in_zone, recurring
from cdp_core.cli.render.tables import Details, Listing
from cdp_core.cli.render.words import moment, plain
from cdp_core.model.schedule import DueOutcome, DueRun

if TYPE_CHECKING:
    from cdp_core.app.run_views import ExportScheduleView, ScheduleView

_OUTCOMES = {
    DueOutcome.RUNNING: marked("Processing"),
    DueOutcome.WAITING: marked("Waiting to be tried again"),
    DueOutcome.DONE: marked("Successful"),
    DueOutcome.SKIPPED: marked("Skipped"),
    DueOutcome.FAILED: marked("Failed"),
    DueOutcome.SUPERSEDED: marked("Left to the next time"),
}


def schedule(view: ScheduleView) -> tuple[RenderableType, ...]:
    return (
        Details(
            _("Refresh"),
            (
                ("State", _("on") if view.active else _("off")),
                ("When", recurring(view.when, view.cron, view.timezone) or _("not set")),
                *(("Next" if number == 0 else "", in_zone(each)) for number, each in enumerate(view.next)),
                ("Set by", view.set_by),
            ),
        ),
        Listing(
            ("Export", "State", "Follows", "When", "Next", "Last due", "Result", "Message"),
            (
                (
                    each.export,
                    state(each),
                    _("the refresh") if each.follows == "refresh" else _("its own times"),
                    recurring(each.when, each.cron, each.timezone),
                    in_zone(each.next),
                    moment(each.last.due_at) if each.last else "",
                    _(_OUTCOMES[each.last.outcome]) if each.last else "",
                    plain(each.paused or (each.last.message if each.last else "")),
                )
                for each in view.exports
            ),
            texts=("When", "Message"),
            empty="No exports yet.",
        ),
    )


def export_schedule(view: ExportScheduleView) -> Details:
    return Details(
        view.export,
        (
            ("State", state(view)),
            ("Follows", _("the refresh") if view.follows == "refresh" else _("its own times")),
            ("When", recurring(view.when, view.cron, view.timezone) or _("the refresh has no times")),
            ("Next", in_zone(view.next) or _("none")),
            ("Paused", plain(view.paused or "")),
            ("Last", _last(view.last)),
        ),
    )


def state(view: ExportScheduleView) -> str:
    if not view.attached:
        return _("no connection")
    if not view.active:
        return _("off")
    return _("paused") if view.paused else _("on")


def _last(last: DueRun | None) -> str:
    if last is None:
        return _("never due yet")
    missed = _(", standing for {number} missed").format(number=last.missed) if last.missed else ""
    said = f": {plain(last.message)}" if last.message else ""
    due = _("{outcome}, due {moment}").format(outcome=_(_OUTCOMES[last.outcome]), moment=moment(last.due_at))
    return f"{due}{missed}{said}"
