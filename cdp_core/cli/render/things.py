"""What the facade's views look like: segments, connections, exports, roles, plugins, audit, checks."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType
from rich.text import Text

from cdp_core.cli.language import _, marked, numerals
from cdp_core.cli.render.modes import mode_of
from cdp_core.cli.render.tables import Details, Listing, coloured
from cdp_core.cli.render.words import count, duration, moment, plain, quoted, status_word
from cdp_core.model.access import Action

if TYPE_CHECKING:
    from cdp_core.app.views import (
        Check,
        ConnectionView,
        ExportView,
        GrantView,
        LedgerView,
        MendedLedger,
        RoleView,
        SegmentView,
        Whoami,
    )
    from cdp_core.model.audit import AuditEntry, AuditVerdict
    from cdp_core.model.configuration import Match
    from cdp_core.model.policy import Policy, Region
    from cdp_core.plugins.manager import PluginReport


def _names(names: Iterable[str]) -> str:
    return ", ".join(names)


ALL_ACTS = "everything there is to do here; `cdp whoami --json` lists it"


def _acts(keys: Iterable[str]) -> str:
    return _names(Action(key).in_words for key in keys)


def segments(views: Iterable[SegmentView]) -> Listing:
    return Listing(
        ("Segment", "Condition or query", "Used by", "Added by", "Added"),
        (
            (
                view.name,
                view.where or view.sql or "",
                _names(view.exports),
                view.created_by,
                moment(view.created_at),
            )
            for view in views
        ),
        texts=("Condition or query", "Used by"),
        empty="No segments yet. cdp segment add NAME --where CONDITION",
    )


def segment(view: SegmentView) -> Details:
    return Details(
        view.name,
        (
            ("Members", count(view.members)),
            ("Condition", view.where or ""),
            ("Query", view.sql or ""),
            ("Used by", _names(view.exports) or "no export"),
            ("Added", f"{moment(view.created_at)} by {view.created_by}"),
        ),
    )


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
                _names(view.shared_with),
                _names(view.exports),
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
        fields.append((f"  {record.title}", agreed))
    fields += _settings(view.settings or {})
    fields += [
        (_TOKEN.get(name) or f"Token {name}", _told(value)) for name, value in (view.token or {}).items()
    ]
    if view.status is not None:
        fields.append((marked("Shared with"), _names(view.shared_with) or _("nobody: Administrators only")))
        fields.append((marked("Used by"), _names(view.exports) or _("no export")))
    return Details(view.name, fields)


def added_connection(view: ConnectionView, *, signs_in: bool) -> Iterator[RenderableType]:
    """A new connection, and what is to be done before something can be sent through it."""
    yield connection(view)
    yield Text(consent_sentence(view))
    if view.consent_missing:
        yield Text.assemble((_("Next: "), "bold"), f"cdp connection agree {quoted(view.name)}")
    elif signs_in:
        yield Text.assemble((_("Next: "), "bold"), f"cdp connection authenticate {quoted(view.name)}")


def asked_connection(view: ConnectionView) -> Iterator[RenderableType]:
    """A connection whose service has just been asked who one is, and what is lacking there."""
    yield connection(view)
    for sentence in view.lacking:
        yield Text(f"• {plain(sentence)}", style="yellow")
    for name, choices in view.open_choices.items():
        said = _("• {name} is not chosen. The service offers:").format(name=name)
        yield Text(said, style="yellow")
        for choice in choices:
            yield Text(f"    {plain(choice.value)}  {plain(choice.label)}")
        yield Text.assemble(
            (_("Next: "), "bold"),
            f"cdp connection edit {quoted(view.name)} --set {name}={plain(choices[0].value)}",
        )


def authenticated_connection(view: ConnectionView) -> Iterator[RenderableType]:
    """A connection that has just been signed in, and what it is good for."""
    yield from asked_connection(view)
    if not view.exports and not view.open_choices:
        yield Text.assemble((_("Next: "), "bold"), f"cdp export add NAME --connection {quoted(view.name)}")


def consent_sentence(view: ConnectionView) -> str:
    if view.consent_missing:
        said = _(
            "Not agreed to yet: nothing is sent through {name} until an Administrator agrees: "
            "cdp connection agree {name}"
        )
    else:
        said = _("Everything that {name} asks consent for is agreed to.")
    return said.format(name=quoted(view.name))


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
    return coloured(status_word(view.status)) if view.status else Text(_("never run"), style="dim")


def export(view: ExportView) -> Details:
    return Details(
        view.name,
        (
            ("Type", view.destination),
            ("Group", view.group or ""),
            ("Connection", _connection_of(view)),
            ("Segments", _names(view.segments)),
            ("Data matching", _names(_match(match) for match in view.matching)),
            *_settings(view.settings),
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
        ((view.name, _names(view.segments), view.audience) for view in views),
    )
    yield _planning(group)


def _settings(settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(_("Setting {name}").format(name=name), str(value)) for name, value in settings.items()]


def _match(match: Match) -> str:
    return _("{kind} from {field}").format(kind=match.kind, field=match.field)


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
    ]


_ON_AUDIENCE_SIZE = {
    "skip": marked("skip the run"),
    "warn": marked("warn"),
    "fail": marked("stop the run"),
}


def ledger(view: LedgerView) -> Iterator[RenderableType]:
    """An audience's claims, and what is wrong with its files."""
    yield Listing(
        ("Export", "Identifier", "Members"),
        (
            (export, kind, count(number))
            for export, kinds in view.claims.items()
            for kind, number in kinds.items()
        ),
        numbers=("Members",),
        empty=f"Nothing was put into {plain(view.audience)}.",
    )
    if view.encrypted:
        yield Text(f"Encrypted: {view.encrypted} of {view.files} files.")
    if "://" in view.place:
        yield Text(f"They lie at {plain(view.place)}")
    for path in view.differing:
        yield Text(f"• {plain(path)}", style="red")
    for path in view.strangers:
        yield Text(f"• {plain(path)}: not written by cdp", style="yellow")
    if view.differing:
        yield Text.assemble((_("Next: "), "bold"), "cdp ledger rebuild")


def mended_ledger(view: MendedLedger) -> Iterator[RenderableType]:
    yield Text(f"The ledger of {plain(view.audience)} held {view.before:,} claims and holds {view.after:,}.")
    for sentence in view.lost:
        yield Text(f"• {plain(sentence)}", style="yellow")
    if view.aside:
        yield Text(f"Moved to {plain(view.aside)}:")
        for name in view.moved:
            yield Text(f"  {plain(name)}")


def plugins(reports: Iterable[PluginReport]) -> Listing:
    styles = {"loaded": "green", "disabled": "dim"}
    return Listing(
        ("Plugin", "Distribution", "Version", "State", "Hooks", "Why"),
        (
            (
                report.name,
                report.distribution,
                report.version,
                Text(str(report.status), style=styles.get(str(report.status), "red")),
                _names(hook.removeprefix("cdp_") for hook in report.hooks),
                report.reason,
            )
            for report in reports
        ),
        texts=("Hooks", "Why"),
        empty="No plugins are installed.",
    )


def grants(views: Iterable[GrantView]) -> Listing:
    return Listing(
        ("Person", "Roles"), ((view.person, _names(view.roles)) for view in views), texts=("Roles",)
    )


def roles(views: Iterable[RoleView]) -> Listing:
    return Listing(
        ("Role", "Means", "May"),
        ((view.key, view.label, _acts(view.actions)) for view in views),
        texts=("May",),
    )


def person(view: Whoami) -> Details:
    acting = f"{view.name} (in truth {view.real})" if view.name != view.real else view.name
    return Details(
        acting,
        (
            ("Roles", _names(view.roles) or "none: ask an Administrator for one"),
            ("May", ALL_ACTS if len(view.actions) == len(Action) else _acts(view.actions)),
            ("Workspace", view.workspace),
        ),
    )


def audit(entries: Iterable[AuditEntry]) -> Listing:
    return Listing(
        ("Number", "When", "Who", "Act", "On", "Outcome", "Details"),
        (
            (
                str(entry.seq),
                moment(entry.at),
                entry.actor if entry.actor == entry.real else f"{entry.actor} (in truth {entry.real})",
                entry.action,
                entry.object,
                entry.outcome,
                _names(f"{name}={value}" for name, value in entry.details.items()),
            )
            for entry in entries
        ),
        numbers=("Number",),
        texts=("On", "Details"),
        empty="No entries.",
    )


def checks(found: Iterable[Check]) -> Listing:
    marks = {"ok": ("ok", "green"), "warning": ("warning", "yellow"), "error": ("error", "red")}
    return Listing(
        ("Check", "State", "Found", "What to do"),
        ((check.name, Text(*marks[check.state]), check.message, check.hint) for check in found),
        texts=("Found", "What to do"),
    )


def workspace(document: Mapping[str, Any], *, found_from_here: bool) -> Iterator[RenderableType]:
    """A workspace that has just been made, and how later commands find it."""
    yield Details(
        f"Workspace {document['workspace']}",
        (
            ("Profiles", document["profiles"]),
            ("Key", document["key"]),
            ("Secrets", "the system's keyring" if document["vault"] == "keyring" else "an encrypted file"),
            ("Ledger", "encrypted" if document["encrypted_ledger"] else ""),
            ("Open to the group", document["group"] or ""),
            ("Administrator", document["administrator"]),
        ),
    )
    if not found_from_here:
        yield Text(f"Name it in later commands: cdp --workspace {shlex.quote(document['workspace'])} …")
    yield Text.assemble(
        (_("Next: "), "bold"), 'cdp segment add "Loyal customers" --where "lifetime_value > 500"'
    )


def verdict(found: AuditVerdict) -> Details:
    whole = Text("holds together", style="green") if found.ok else Text("does not hold together", style="red")
    holds = (found.first_bad or 1) - 1
    return Details(
        "Audit log",
        (
            ("State", whole),
            # Of a broken log it is not known how many entries there were.
            ("Entries", count(found.entries) if found.ok else ""),
            ("Holds up to", "" if found.ok else f"entry {count(holds)}" if holds else "no entry"),
            ("Newest digest", found.head),
            ("First bad entry", count(found.first_bad)),
            ("Because", found.problem),
        ),
    )
