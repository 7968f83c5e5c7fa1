"""What exports look like: in a list, one by itself, and those that were just added."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.text import Text

from cdp_core.cli.language import _, marked, numerals
from cdp_core.cli.render.modes import mode_of
from cdp_core.cli.render.tables import Details, Listing, coloured
from cdp_core.cli.render.words import count, moment, names, quoted, settings, shown_word

if TYPE_CHECKING:
    from cdp_core.app.views import ExportView
    from cdp_core.model.configuration import Match
    from cdp_core.model.policy import Approval, Policy, Region


_MAY = {"edit": marked("edit"), "view": marked("view")}


def exports(views: Iterable[ExportView]) -> Listing:
    return Listing(
        ("Export", "Group", "Type", "Mode", "Connection", "Status", "Refreshed", "You may"),
        (
            (
                view.name,
                view.group or "",
                view.destination,
                str(view.policy.mode),
                _connection_of(view),
                _export_status(view),
                moment(view.refreshed),
                _(_MAY.get(view.permission, view.permission)),
            )
            for view in views
        ),
        texts=("Group",),
        empty="No exports yet. cdp export add NAME --connection NAME",
    )


def _connection_of(view: ExportView) -> str | Text:
    if view.connection is None and view.attached:
        return Text(_("not shared with you"), style="dim")
    return view.connection or Text(_("No connection"), style="yellow")


def _export_status(view: ExportView) -> Text:
    return coloured(shown_word(view.shown)) if view.shown else Text(_("never run"), style="dim")


def export(view: ExportView) -> Details:
    return Details(
        view.name,
        (
            ("Type", view.destination),
            ("Group", view.group or ""),
            ("Connection", _connection_of(view)),
            ("Segments", names(view.segments)),
            ("Data matching", names(_match(match) for match in view.matching)),
            *_chosen(view.policy),
            *settings(view.settings),
            ("Mode", mode_of(view.policy)),
            ("Member consent", _member_consent(view)),
            *_rules(view.policy),
            (
                "Members in the audience",
                _("{number} put there by this export").format(number=count(view.claims)),
            ),
            ("Status", _export_status(view)),
            ("Refreshed", moment(view.refreshed)),
            ("You may", _(_MAY.get(view.permission, view.permission))),
        ),
    )


def added_export(view: ExportView) -> Iterator[RenderableType]:
    """A new export, and how to see what it would do."""
    yield export(view)
    yield _planning(view.name)


def _planning(name: str) -> Text:
    nothing = _("(nothing is sent yet)")
    return Text.assemble((_("Next: "), "bold"), f"cdp export plan {quoted(name)}   {nothing}")


def added_exports(group: str, views: tuple[ExportView, ...]) -> Iterator[RenderableType]:
    """The exports of a group that were added, each with the audience that was made for it."""
    if not views:
        return
    yield Listing(
        ("Export", "Segment", "New audience"),
        ((view.name, names(view.segments), view.audience) for view in views),
    )
    yield _planning(group)


def _match(match: Match) -> str:
    return _("{kind} from {field}").format(kind=match.kind, field=match.field)


def _chosen(policy: Policy) -> Iterator[tuple[str, str]]:
    if policy.fields:
        yield (
            marked("Fields sent as they are"),
            names(
                each.field
                if each.field == each.column
                else _("{field} as {column}").format(field=each.field, column=each.column)
                for each in policy.fields
            ),
        )


def _member_consent(view: ExportView) -> str:
    if view.member_consent is None:
        return _("not asked for")
    granted = _(" or ").join(view.member_consent.granted)
    asked = _("{field} is {values}").format(field=view.member_consent.field, values=granted)
    return asked if view.policy.consent else f"{asked} (cdp.toml)"


def _region(region: Region) -> Iterator[tuple[str, str]]:
    sources = [_("from {field}").format(field=region.field)] if region.field else []
    sources += [region.default] if region.default else []
    if sources:
        yield marked("Country of phone numbers"), _(", else ").join(sources)


def _rules(policy: Policy) -> list[tuple[str, str]]:
    gates = policy.gates
    share = numerals(f"{gates.max_shrink * 100:.3g}")
    return [
        *_region(policy.region),
        (
            marked("One run takes out"),
            _("at most {share} % of the members it has put there").format(share=share),
        ),
        (marked("Too small or large"), _(_ON_AUDIENCE_SIZE[gates.on_audience_size])),
        *_approval(policy.approval),
    ]


def _approval(rule: Approval | None) -> Iterator[tuple[str, str]]:
    if rule is None:
        return
    when = []
    if rule.added_over is not None:
        when.append(_("more than {number} are added").format(number=count(rule.added_over)))
    if rule.removed_over is not None:
        when.append(_("more than {number} are taken out").format(number=count(rule.removed_over)))
    if rule.removed_share is not None:
        share = numerals(f"{rule.removed_share * 100:.3g}")
        when.append(_("more than {share} % are taken out").format(share=share))
    people = (
        _("1 other person")
        if rule.people == 1
        else _("{number} other people").format(number=count(rule.people))
    )
    yield (
        marked("Needs the approval of"),
        _("{people}, where {conditions}").format(people=people, conditions=_(" or ").join(when))
        if when
        else people,
    )


_ON_AUDIENCE_SIZE = {
    "skip": marked("skip the run"),
    "warn": marked("warn"),
    "fail": marked("stop the run"),
}
