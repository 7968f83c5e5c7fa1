"""What consent on record looks like: how each text stands, the texts themselves, and what came of its end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.text import Text

from cdp_core.cli.language import _, marked
from cdp_core.cli.render.tables import Details, Listing
from cdp_core.cli.render.words import count, counted, moment, plain, plain_lines, quoted

if TYPE_CHECKING:
    from cdp_core.app.consent_views import ConsentStandingView, ConsentTextView, TakenOut, WithdrawalView

_WORDS = {
    "holds": marked("holds"),
    "changed": marked("the text has changed: agree again"),
    "withdrawn": marked("withdrawn"),
    "missing": marked("nobody has agreed"),
    "not-asked": marked("not asked for any more"),
}
_STYLES = {"holds": "green", "changed": "yellow", "withdrawn": "red", "missing": "red", "not-asked": "dim"}


def standings(views: Iterable[ConsentStandingView]) -> Listing:
    return Listing(
        ("Connection", "Text", "State", "Agreed by", "When", "Version", "Language", "Remark"),
        (
            (
                view.connection,
                view.title,
                _state(view),
                view.agreed_by or "",
                moment(view.agreed_at),
                view.version or "",
                view.language or "",
                _remark(view),
            )
            for view in views
        ),
        texts=("Text", "Remark"),
        empty="No connections, and so no consent. cdp connection add TYPE --name NAME",
    )


def _state(view: ConsentStandingView) -> Text:
    return Text(_(_WORDS[view.state]), style=_STYLES[view.state])


def _remark(view: ConsentStandingView) -> str:
    if view.withdrawn_at is not None:
        told = _("withdrawn by {person}, {moment}")
        return told.format(person=plain(view.withdrawn_by), moment=moment(view.withdrawn_at))
    if view.role_lost:
        return _("{person} may not agree to it any more").format(person=plain(view.agreed_by))
    return ""


def texts_agreed_to(views: Sequence[ConsentTextView]) -> Iterator[RenderableType]:
    """Each text under what is known of it."""
    for view in views:
        standing = view.standing
        yield Details(
            standing.title,
            (
                (marked("State"), _state(standing)),
                (marked("Agreed by"), standing.agreed_by or ""),
                (marked("When"), moment(standing.agreed_at)),
                (marked("Version"), standing.version or ""),
                (marked("Language"), standing.language or ""),
                (marked("Digest"), standing.digest or ""),
                (marked("Remark"), _remark(standing)),
            ),
        )
        if view.text is not None:
            yield Text(f"\n{plain_lines(view.text)}\n")
        if view.text_today is not None and view.text_today != view.text:
            heading = _("As it reads today:") if view.text is not None else _("It reads:")
            yield Text(f"\n{heading}\n\n{plain_lines(view.text_today)}\n")


def withdrawal(view: WithdrawalView) -> Iterator[RenderableType]:
    """What has ended with the consent."""
    name = quoted(view.connection)
    if view.texts:
        told = _("The consent of connection {name} is withdrawn: nothing is sent through it any more.")
    else:
        told = _("The consent of connection {name} was withdrawn before.")
    yield Text(told.format(name=name))
    for run in view.runs:
        if run.ended:
            told = _("Run {run} of {export} has ended; {accepted} digests had been accepted.")
        else:
            told = _("Run {run} of {export} is ending; {accepted} digests are known to be accepted.")
        yield Text(
            told.format(run=plain(run.run), export=quoted(run.export), accepted=count(run.accepted)),
            style="" if run.ended else "yellow",
        )


def left(view: WithdrawalView, taken: Sequence[TakenOut]) -> Iterator[RenderableType]:
    """What became of what was sent."""
    for each in taken:
        if each.fault is None:
            told = _("{export}: {members}, taken out but for those that exports elsewhere hold.")
            yield Text(told.format(export=quoted(each.export), members=counted(each.members, "member")))
    done = {each.export for each in taken if each.fault is None}
    staying = [each for each in view.sent if each.export not in done]
    for sent in staying:
        told = _("{export}: {members}, left in the audience.")
        yield Text(told.format(export=quoted(sent.export), members=counted(sent.members, "member")))
    if staying:
        command = f"cdp consent withdraw {quoted(view.connection)} --remove --yes"
        yield Text.assemble((_("To take them out: "), "bold"), command)
