"""What the facade's other views look like: segments, ledgers, roles, plugins, audit, checks."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType
from rich.text import Text

from cdp_core.cli.language import _
from cdp_core.cli.render.tables import Details, Listing
from cdp_core.cli.render.words import count, counted, moment, names, plain, quoted
from cdp_core.model.access import Action
from cdp_core.model.names import as_typed

if TYPE_CHECKING:
    from cdp_core.app.run_views import AlertWay
    from cdp_core.app.views import SegmentView
    from cdp_core.app.workspace_views import (
        AccessView,
        Check,
        GrantedRole,
        GrantView,
        LedgerView,
        MendedLedger,
        RoleView,
        Whoami,
    )
    from cdp_core.model.alert import Alert
    from cdp_core.model.audit import AuditEntry, AuditVerdict
    from cdp_core.model.retention import Purged
    from cdp_core.plugins.manager import PluginReport


ALL_ACTS = "everything there is to do here; `cdp whoami --json` lists it"


def purged(view: Purged) -> Iterator[RenderableType]:
    what = "Would go" if view.dry_run else "Gone"
    yield Listing(
        ("What", what),
        ((name.replace("_", " "), count(number)) for name, number in view.counts().items()),
        numbers=(what,),
    )
    for audience, why in view.skipped.items():
        yield Text(f"Nothing of {plain(audience)}, this time: {plain(why)}", style="yellow")


def _acts(keys: Iterable[str]) -> str:
    return names(Action(key).in_words for key in keys)


def segments(views: Iterable[SegmentView]) -> Listing:
    return Listing(
        ("Segment", "State", "Condition or query", "Used by", "Added by", "Added"),
        (
            (
                view.name,
                _state(view),
                view.where or view.sql or "",
                names(view.exports),
                view.created_by,
                moment(view.created_at),
            )
            for view in views
        ),
        texts=("Condition or query", "Used by"),
        empty="No segments yet. cdp segment add NAME --where CONDITION",
    )


def _state(view: SegmentView) -> str:
    kind = _("dynamic") if view.kept is None else _("static")
    return kind if view.active else _("{kind}, inactive").format(kind=kind)


def _kept(view: SegmentView) -> str:
    if view.kept is None:
        return ""
    return _("{number} keys of {moment}, by {person}").format(
        number=count(view.kept.members), moment=moment(view.kept.at), person=plain(view.kept.by)
    )


def segment(view: SegmentView) -> Details:
    return Details(
        view.name,
        (
            ("State", _state(view)),
            ("Members", count(view.members)),
            ("Kept", _kept(view)),
            ("Condition", view.where or ""),
            ("Query", view.sql or ""),
            ("Used by", names(view.exports) or "no export"),
            ("Added", f"{moment(view.created_at)} by {view.created_by}"),
        ),
    )


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
        name = next(iter(view.claims), "EXPORT")
        yield Text.assemble((_("Next: "), "bold"), f"cdp ledger rebuild {as_typed(name)}")


def mended_ledger(view: MendedLedger) -> Iterator[RenderableType]:
    yield Text(f"The ledger of {plain(view.audience)} held {view.before:,} claims and holds {view.after:,}.")
    for sentence in view.lost:
        yield Text(f"• {plain(sentence)}", style="yellow")
    if view.aside:
        yield Text(f"Moved to {plain(view.aside)}:")
        for name in view.moved:
            yield Text(f"  {plain(name)}")


def alerts(found: Iterable[Alert]) -> Listing:
    return Listing(
        ("At", "Kind", "Export", "Message", "Still to be sent by"),
        ((moment(each.at), str(each.kind), each.export, each.message, names(each.waiting)) for each in found),
        texts=("Message", "Still to be sent by"),
        empty="No alerts. Where they go stands in cdp.toml, under [alerts]; try it: cdp alerts test",
    )


def alert_ways(ways: Iterable[AlertWay]) -> Listing:
    return Listing(
        ("Way", "Test"),
        (
            (each.way, Text("not sent", style="red") if each.fault else Text("sent", style="green"))
            for each in ways
        ),
        texts=("Way",),
    )


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
                names(hook.removeprefix("cdp_") for hook in report.hooks),
                report.reason,
            )
            for report in reports
        ),
        texts=("Hooks", "Why"),
        empty="No plugins are installed.",
    )


def access(view: AccessView) -> Iterator[RenderableType]:
    """Whether somebody may do something, and whose voices say so."""
    what = f"{view.action} {quoted(view.object)}" if view.object else view.action
    yield Details(
        f"{view.person} {'may' if view.allowed else 'may not'} do this: {what}",
        (
            ("Roles of the person", granted(view.granted) or "none"),
            ("Roles that include it", names(view.roles_with_it)),
            ("In another's name", "nobody: it is a person's own" if view.personal else ""),
        ),
    )
    yield Listing(
        ("Says", "Whose voice", "Because"),
        ((opinion.verdict, opinion.by, opinion.reason) for opinion in view.opinions),
        texts=("Because",),
    )


def grants(views: Iterable[GrantView]) -> Listing:
    return Listing(
        ("Person", "Roles"),
        (
            (f"{view.person} (group)", granted(view.granted, within=view.person))
            if view.kind == "group"
            else (view.person, granted(view.granted))
            for view in views
        ),
        texts=("Roles",),
    )


def granted(roles: Iterable[GrantedRole], *, within: str = "") -> str:
    """Roles with what they hold for, and the group that they are through, unless that is spoken of."""
    return names(dict.fromkeys(_granted(role, within) for role in roles))


def _granted(role: GrantedRole, within: str) -> str:
    about = "" if role.scope == "workspace" else f" for the {role.scope} {quoted(role.about)}"
    group = f" through the group {plain(role.group)}" if role.group and role.group != within else ""
    return f"{plain(role.role)}{'' if role.known else ' (nothing declares it)'}{about}{group}"


def roles(views: Iterable[RoleView]) -> Listing:
    return Listing(
        ("Role", "Means", "Declared by", "May"),
        ((view.key, view.label, view.declared_by, _acts(view.actions)) for view in views),
        texts=("Declared by", "May"),
    )


def person(view: Whoami) -> Details:
    acting = f"{view.name} (in truth {view.real})" if view.name != view.real else view.name
    return Details(
        acting,
        (
            ("Roles", granted(view.granted) or "none: ask an Administrator for one"),
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
                names(f"{name}={value}" for name, value in entry.details.items()),
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


def _secrets(vault: str) -> str:
    """Where they lie, in words."""
    if vault == "state":
        return _("sealed in the shared state")
    return _("the system's keyring") if vault == "keyring" else _("an encrypted file")


def workspace(
    document: Mapping[str, Any], *, found_from_here: bool, ledger_is_elsewhere: bool
) -> Iterator[RenderableType]:
    """A workspace that has just been made, and how later commands find it; or one that joins a state."""
    joined = document["segments"] or document["exports"]
    yield Details(
        f"Workspace {document['workspace']}",
        (
            ("Profiles", document["profiles"]),
            ("Key", document["key"]),
            ("State", document["state"] if document["vault"] == "state" else ""),
            ("Secrets", _secrets(document["vault"])),
            ("Ledger", _("encrypted") if document["encrypted_ledger"] else ""),
            ("Open to the group", document["group"] or ""),
            ("Administrator", document["administrator"]),
        ),
    )
    if not found_from_here:
        yield Text(f"Name it in later commands: cdp --workspace {shlex.quote(document['workspace'])} …")
    if joined:
        segments, exports = counted(document["segments"], "segment"), counted(document["exports"], "export")
        yield Text(f"The state was there before, with {segments} and {exports}.")
    if ledger_is_elsewhere:
        yield Text(
            "Its ledger lies on another machine. Nothing can be sent from here until both reach it; there: "
            "cdp ledger move --to URL",
            style="yellow",
        )
    following = "cdp status" if joined else 'cdp segment add "Loyal customers" --where "lifetime_value > 500"'
    yield Text.assemble((_("Next: "), "bold"), following)


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
