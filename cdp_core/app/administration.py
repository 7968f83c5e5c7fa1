"""Roles, plugins and the audit log: the Administrator's own rooms of the facade."""

from __future__ import annotations

import dataclasses
import difflib
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cdp_core.app.desk import Desk, act
from cdp_core.app.export_runs import ExportRuns
from cdp_core.app.rows import write_whole
from cdp_core.app.workspace_views import AccessView, GrantView, RoleView
from cdp_core.errors import Code, InvalidFault, NotAllowedFault, UsageFault
from cdp_core.model.access import Action, Actor, Resource
from cdp_core.model.audit import AuditEntry, AuditHead, AuditVerdict
from cdp_core.model.names import checked_name
from cdp_core.plugins.manager import PluginReport
from cdp_core.rules.access import PERSONAL_ACTIONS, actions_of, all_roles
from cdp_core.workspace import Workspace


class Roles:
    def __init__(self, desk: Desk, exports: ExportRuns) -> None:
        self.desk = desk
        self._exports = exports

    def resource(self, name: str, arguments: Mapping[str, Any]) -> Resource:
        return Resource(kind="role", name=name)

    @act(Action.ROLE_GRANT)
    def grant(self, person: str, *, role: str) -> GrantView:
        """Give a person (their login on this machine) a role."""
        known = self.desk.catalog.roles
        key = role.lower()
        if key not in known:
            raise InvalidFault(
                Code.NOT_FOUND,
                f"there is no role {role!r}",
                hint="roles: " + ", ".join(sorted(known)),
            )
        if person in known:
            raise InvalidFault(
                Code.NAME_INVALID,
                f"{person!r} is the name of a role",
                hint="cdp role grant PERSON ROLE",
            )
        name = checked_name(person, "person")
        self.desk.state.grants.grant(name, key, by=self.desk.actor.real, at=self.desk.now())
        self.desk.note(role=key)
        return self._view(name)

    @act(Action.ROLE_REVOKE)
    def revoke(self, person: str, *, role: str, agreed: bool = False) -> GrantView:
        """Take a role from a person; the last Administrator whom this machine knows cannot be removed.

        Raises `UsageFault` where one takes one's own Administrator's role and has not `agreed` to that.
        """
        key = role.lower()
        if key not in self.desk.state.grants.of(person):
            raise InvalidFault(
                Code.NOT_FOUND, f"{person} does not have the role {role!r}", hint="see `cdp role list`"
            )
        if key == "administrator":
            self._require_others(person, agreed=agreed)
        self.desk.state.grants.revoke(person, key)
        self.desk.note(role=key)
        return self._view(person)

    def _require_others(self, person: str, *, agreed: bool) -> None:
        grants = self.desk.state.grants.all()
        others = [name for name, held in grants.items() if "administrator" in held and name != person]
        if not any(map(is_login, others)):
            unknown = f"; no login here is called {', '.join(others)}" if others else ""
            raise NotAllowedFault(
                Code.LAST_ADMINISTRATOR,
                f"{person} is the last Administrator who can act{unknown}",
                where=f"person {person}",
                hint="grant somebody else the role first: cdp role grant PERSON administrator",
            )
        if person == self.desk.actor.real and not agreed:
            raise UsageFault(
                Code.NOT_AGREED_TO_ACT,
                "You take your own Administrator's role: only another Administrator can give it back.",
                where=f"person {person}",
                hint="add --yes",
            )

    @act(Action.ROLE_EXPLAIN)
    def explain(self, person: str, *, action: str, about: str = "") -> AccessView:
        """Whether a person may do something, and why: every opinion with its reason. `about` is the name of
        an export or connection, where the action is about one."""
        try:
            asked = Action(action)
        except ValueError:
            near = difflib.get_close_matches(action, list(Action), n=3)
            raise InvalidFault(
                Code.NOT_FOUND,
                f"there is no action {action!r}",
                hint=f"did you mean {', '.join(near)}?" if near else "cdp role list --known names them all",
            ) from None
        state, catalog = self.desk.state, self.desk.catalog
        actor = Actor(name=person, real=person, roles=state.grants.of(person))
        decision = catalog.authorize(actor, asked, self._about(asked, about))
        return AccessView(
            person=person,
            action=str(asked),
            object=about,
            roles=tuple(sorted(actor.roles)),
            allowed=decision.allowed,
            opinions=decision.opinions,
            roles_with_it=tuple(
                key for key in sorted(catalog.roles) if asked in actions_of({key}, catalog.roles)
            ),
            personal=asked in PERSONAL_ACTIONS,
        )

    def _about(self, action: Action, name: str) -> Resource:
        """What an act on a thing of that name would be about."""
        state, kind = self.desk.state, action.partition(".")[0]
        if kind == "export" and name:
            return self._exports.resource(state.exports.get(name).name, {})
        if kind == "connection" and name:
            return Resource(kind="connection", name=name, shared_with=state.connections.get(name).shared_with)
        return Resource(kind="workspace", name=name)

    @act(Action.ROLE_LIST)
    def list(self) -> tuple[GrantView, ...]:
        return tuple(self._view(person) for person in sorted(self.desk.state.grants.all()))

    @act(Action.ROLE_LIST)
    def known(self) -> tuple[RoleView, ...]:
        """Every role there is, with its actions."""
        roles = self.desk.catalog.roles
        return tuple(
            RoleView(
                key=role.key,
                label=role.label,
                actions=tuple(sorted(str(action) for action in actions_of({role.key}, roles))),
            )
            for role in sorted(roles.values(), key=lambda role: len(all_roles({role.key}, roles)))
        )

    def _view(self, person: str) -> GrantView:
        roles = tuple(sorted(self.desk.state.grants.of(person)))
        return GrantView(person=person, roles=roles, can_act=is_login(person))


class Plugins:
    def __init__(self, desk: Desk, workspace: Workspace) -> None:
        self.desk = desk
        self._workspace = workspace

    def resource(self, name: str, arguments: Mapping[str, Any]) -> Resource:
        return Resource(kind="plugin", name=name)

    @act(Action.PLUGIN_LIST)
    def list(self) -> tuple[PluginReport, ...]:
        """Every plugin that is installed, and why it was skipped if it was."""
        return tuple(self.desk.catalog.manager.reports)

    @act(Action.PLUGIN_DISABLE)
    def disable(self, name: str) -> None:
        """From the next command on, the plugin is not loaded in this workspace."""
        if name not in {report.name for report in self.desk.catalog.manager.reports}:
            raise InvalidFault(
                Code.PLUGIN_UNKNOWN, f"there is no plugin {name!r}", hint="see `cdp plugins list`"
            )
        self._workspace.disable_plugin(name)

    @act(Action.PLUGIN_ENABLE)
    def enable(self, name: str) -> None:
        if name not in self._workspace.settings.disabled_plugins:
            raise InvalidFault(
                Code.PLUGIN_UNKNOWN,
                f"plugin {name!r} is not disabled in this workspace",
                hint="see `cdp plugins list`; CDP_DISABLED_PLUGINS disables plugins too",
            )
        self._workspace.enable_plugin(name)


class Audit:
    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def resource(self, name: str, arguments: Mapping[str, Any]) -> Resource:
        return Resource(kind="audit")

    @act(Action.AUDIT_LIST)
    def list(
        self,
        *,
        limit: int = 50,
        actor: str | None = None,
        action: str | None = None,
        about: str | None = None,
        outcome: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> tuple[AuditEntry, ...]:
        """The newest entries first; `about` is the name of what was acted on."""
        return tuple(
            self.desk.state.audit.entries(
                limit=limit,
                actor=actor,
                action=action,
                object=about,
                outcome=outcome,
                since=since,
                until=until,
            )
        )

    @act(Action.AUDIT_EXPORT)
    def export(
        self,
        *,
        output: str | Path | None = None,
        overwrite: bool = False,
        write: Callable[[str], object] = lambda line: None,
    ) -> int:
        """Every entry as a line of JSON, the oldest first, to a file of its owner alone, else to `write`;
        how many there are. That they were exported is the next entry."""
        lines = (_line(entry) for entry in self.desk.state.audit.all())
        if output is None:
            count = len([write(line) for line in lines])
        else:
            content = "".join(f"{line}\n" for line in lines).encode()
            write_whole(Path(output).absolute(), content, overwrite=overwrite)
            count = content.count(b"\n")
        self.desk.note(entries=count, output=None if output is None else str(Path(output).absolute()))
        return count

    @act(Action.AUDIT_HEAD)
    def head(self) -> AuditHead:
        """What, kept elsewhere, proves later that nothing was cut off or written anew."""
        found = self.desk.state.audit.head()
        if found is None:
            raise InvalidFault(
                Code.AUDIT_BROKEN,
                "the audit log is empty, though making the workspace has left an entry",
                hint="compare it with a backup",
            )
        return found

    @act(Action.AUDIT_VERIFY)
    def verify(self, *, known: AuditHead | None = None) -> AuditVerdict:
        """Whether the log holds together, no entry changed, missing or out of order; and whether it is the
        one that had the head `known`."""
        return self.desk.state.audit.verify(known)


def _line(entry: AuditEntry) -> str:
    kept = dataclasses.asdict(entry) | {"at": entry.at.astimezone(UTC).isoformat(timespec="microseconds")}
    return json.dumps(kept, ensure_ascii=False)
