"""What connections look like: in a list, one by itself, one that was just added, asked or signed in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType
from rich.text import Text

from cdp_core.cli.language import _, marked, said
from cdp_core.cli.render.tables import Details, Listing
from cdp_core.cli.render.words import duration, moment, names, plain, quoted, settings

if TYPE_CHECKING:
    from cdp_core.app.views import ConnectionView


def connections(views: Iterable[ConnectionView]) -> Listing:
    return Listing(
        ("Connection", "Type", "Service", "Consent", "Export user", "Shared with", "Exports"),
        (
            (
                view.name,
                view.label,
                _service(view),
                _consent(view),
                view.export_user or "",
                names(view.shared_with),
                names(view.exports),
            )
            for view in views
        ),
        texts=("Consent", "Shared with", "Exports"),
        empty="No connections. An Administrator adds one: cdp connection add TYPE --name NAME",
    )


_SERVICE = {
    "new": marked("not signed in"),
    "connected": marked("connected"),
    "reconnect": marked("sign in again"),
}
_SERVICE_STYLES = {"new": "yellow", "connected": "green", "reconnect": "red"}


def _service(view: ConnectionView) -> Text:
    """Nothing is shown to whom the connection's state is none of their business."""
    state = view.status or ""
    if view.answered and state != "reconnect":
        return Text(_("answers"), style="green")
    if state == "new" and not view.signs_in:
        return Text(_("not asked yet"), style=_SERVICE_STYLES[state])
    return Text(_(_SERVICE.get(state, state)), style=_SERVICE_STYLES.get(state, ""))


def _consent(view: ConnectionView) -> Text:
    if view.status is None:
        return Text("")
    if view.consent_asked:
        return Text(_("missing: {titles}").format(titles="; ".join(view.consent_asked)), style="red")
    return Text(_("agreed"), style="green")


def connection(view: ConnectionView) -> Details:
    identity = dict(view.identity or {})
    fields: list[tuple[str, str | Text]] = [
        (marked("Type"), f"{view.label} ({view.type})"),
        (marked("Service"), _service(view)),
        (marked("Signed in as"), identity.pop("name", "")),
        *((f"  {_(label) if label in _IDENTITY else label}", value) for label, value in identity.items()),
        (marked("Export user"), view.export_user or ""),
        (marked("Consent"), _consent(view)),
    ]
    for record in view.consents:
        agreed = _("version {version} ({language}), {moment} by {person}").format(
            version=record.version,
            language=record.language,
            moment=moment(record.agreed_at),
            person=record.agreed_by,
        )
        if record.withdrawn_at is not None:
            ended = _("withdrawn by {person}, {moment}")
            agreed += "; " + ended.format(person=record.withdrawn_by, moment=moment(record.withdrawn_at))
        fields.append((f"  {record.title}", agreed))
    fields += settings(view.settings or {})
    fields += [
        (_TOKEN.get(name) or f"Token {name}", _told(value)) for name, value in (view.token or {}).items()
    ]
    if view.status is not None:
        fields.append((marked("Shared with"), names(view.shared_with) or _("nobody: Administrators only")))
        fields.append((marked("Used by"), names(view.exports) or _("no export")))
    return Details(view.name, fields)


def added_connection(view: ConnectionView) -> Iterator[RenderableType]:
    """A new connection, and what is to be done before something can be sent through it."""
    yield connection(view)
    yield Text(consent_sentence(view))
    if view.consent_missing:
        yield Text.assemble((_("Next: "), "bold"), f"cdp connection agree {quoted(view.name)}")
    elif view.signs_in:
        yield Text.assemble((_("Next: "), "bold"), f"cdp connection authenticate {quoted(view.name)}")


def edited_connection(view: ConnectionView) -> Iterator[RenderableType]:
    """A connection that was changed; what it signs in with may have been, too."""
    yield connection(view)
    if view.status == "connected":
        again = _("(whether the service still answers; if not, sign in again: {command})").format(
            command=f"cdp connection authenticate {quoted(view.name)}"
        )
        yield Text.assemble((_("Next: "), "bold"), f"cdp connection verify {quoted(view.name)}   {again}")


def asked_connection(view: ConnectionView) -> Iterator[RenderableType]:
    """A connection whose service has just been asked who one is, and what is lacking there."""
    yield connection(view)
    for sentence in view.lacking:
        yield Text(f"• {plain(said(sentence))}", style="yellow")
    for name, choices in view.open_choices.items():
        offered = _("• {name} is not chosen. The service offers:").format(name=name)
        yield Text(offered, style="yellow")
        for choice in choices:
            yield Text(f"    {plain(choice.value)}  {plain(choice.label)}")
        yield Text.assemble(
            (_("Next: "), "bold"),
            f"cdp connection edit {quoted(view.name)} --set {name}={plain(choices[0].value)}",
        )


def authenticated(view: ConnectionView) -> str:
    """What has come of a sign-in, or of asking a service that lets the connection in by its settings."""
    if view.signs_in:
        return _("Signed in to {service}.").format(service=plain(view.label))
    user = _("Export user: {person}").format(person=plain(view.export_user or ""))
    return f"{answer(view)} {user}"


def answer(view: ConnectionView) -> str:
    """What a service that has just been asked did, or why it was not asked."""
    if view.unasked:
        told = _("{service} was not asked: {why}.")
        return told.format(service=plain(view.label), why=plain(said(view.unasked)))
    return _("{service} answers.").format(service=plain(view.label))


def authenticated_connection(view: ConnectionView) -> Iterator[RenderableType]:
    """A connection that has just been signed in, and what it is good for."""
    yield from asked_connection(view)
    if not view.exports and not view.open_choices:
        yield Text.assemble((_("Next: "), "bold"), f"cdp export add NAME --connection {quoted(view.name)}")


def consent_sentence(view: ConnectionView) -> str:
    if view.consent_missing:
        told = _(
            "Not agreed to yet: nothing is sent through {name} until an Administrator agrees: "
            "cdp connection agree {name}"
        )
    else:
        told = _("Everything that {name} asks consent for is agreed to.")
    return told.format(name=quoted(view.name))


# What services say of who one is; the words of others are shown as they come.
_IDENTITY = (
    marked("user name"),
    marked("member status"),
    marked("organization"),
    marked("ad accounts"),
)
_TOKEN = {
    "age": marked("Token age"),
    "scope": marked("Token scope"),
    "refreshable": marked("Token refreshable"),
    "expires_in": marked("Token expires in"),
    "next_refresh_in": marked("Token next refresh in"),
    "problem": marked("Token problem"),
}


def _told(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, float):
        return duration(value)
    return moment(value) if isinstance(value, datetime) else str("" if value is None else value)
