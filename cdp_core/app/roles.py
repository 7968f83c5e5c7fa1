"""Roles: granted to people and groups, for the whole workspace or for one connection or segment alone."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, Literal

from cdp_core.app.desk import Desk, act
from cdp_core.app.export_runs import ExportRuns
from cdp_core.app.workspace_views import AccessView, GrantedRole, GrantView, RoleView
from cdp_core.errors import Code, InvalidFault, NotAllowedFault, UsageFault
from cdp_core.model.access import Action, Grant, Resource
from cdp_core.model.names import checked_name
from cdp_core.rules.access import PERSONAL_ACTIONS, actions_of, all_roles, core_opinion
from cdp_core.runner.rights import about_connection
from cdp_core.store.logins import is_group, is_login


class Roles:
    def __init__(self, desk: Desk, exports: ExportRuns) -> None:
        self.desk = desk
        self._exports = exports

    def resource(self, name: str, arguments: Mapping[str, Any]) -> Resource:
        return Resource(kind="role", name=name)

    @act(Action.ROLE_GRANT)
    def grant(
        self,
        person: str,
        *,
        role: str,
        group: bool = False,
        connection: str | None = None,
        segment: str | None = None,
    ) -> GrantView:
        """Give a person (their login on this machine) a role, or the `group` of that name: for the whole
        workspace, or for one connection or segment alone."""
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
        checked_name(person, "group" if group else "person")
        given = self._grant(person, key, group=group, connection=connection, segment=segment)
        if key == "administrator" and given.scope != "workspace":
            raise InvalidFault(
                Code.SETTING_INVALID,
                "an Administrator's role holds for the whole workspace",
                where=f"{given.scope} {connection or segment}",
                hint="grant contributor, or a role of cdp.toml: [roles.NAME] allows = […]",
            )
        self._require_own(given)
        self.desk.state.grants.give(given, by=self.desk.actor.real, at=self.desk.now())
        self._note(given, connection or segment)
        return self._view(person, group=group)

    @act(Action.ROLE_REVOKE)
    def revoke(
        self,
        person: str,
        *,
        role: str,
        group: bool = False,
        connection: str | None = None,
        segment: str | None = None,
        agreed: bool = False,
    ) -> GrantView:
        """Take a role from a person or a group; the last Administrator whom this machine knows cannot be
        removed. Whoever has the role by themselves alone counts there: a group's people may change, and so
        may what `cdp.toml` and plugins declare.

        Raises `UsageFault` where one takes one's own Administrator's role and has not `agreed` to that.
        """
        key = role.lower()
        taken = self._grant(person, key, group=group, connection=connection, segment=segment)
        if not self.desk.state.grants.has(taken):
            about = f" for the {taken.scope} {connection or segment}" if taken.about else ""
            raise InvalidFault(
                Code.NOT_FOUND,
                f"{'the group ' if group else ''}{person} does not have the role {role!r}{about}",
                hint="see `cdp role list`",
            )
        self._require_own(taken)
        if key == "administrator":
            self._require_others(taken, agreed=agreed)
        self.desk.state.grants.take(taken)
        self._note(taken, connection or segment)
        return self._view(person, group=group)

    def _grant(
        self, holder: str, role: str, *, group: bool, connection: str | None, segment: str | None
    ) -> Grant:
        state, kind = self.desk.state, _kind(group=group)
        if connection is not None and segment is not None:
            raise UsageFault(
                Code.USAGE,
                "a role is granted for one connection or for one segment",
                hint="grant it twice: once with --connection, once with --segment",
            )
        if connection is not None:
            about = state.connections.get(connection).id
            return Grant(holder=holder, role=role, holder_kind=kind, scope="connection", about=about)
        if segment is not None:
            about = state.segments.get(segment).id
            return Grant(holder=holder, role=role, holder_kind=kind, scope="segment", about=about)
        return Grant(holder=holder, role=role, holder_kind=kind)

    def _note(self, grant: Grant, about: str | None) -> None:
        self.desk.note(role=grant.role)
        if grant.holder_kind == "group":
            self.desk.note(group=True)
        if about is not None:
            self.desk.note(**{grant.scope: about})

    def _require_own(self, grant: Grant) -> None:
        """Who may grant roles without being an Administrator, by a role of `cdp.toml` or a plugin, hands on
        no more than they have: no connection either that is not shared with them."""
        roles, actor = self.desk.catalog.roles, self.desk.actor
        if "administrator" in all_roles(actor.roles, roles):
            return
        given = actions_of({grant.role}, roles)
        more = given - actions_of(actor.roles, roles)
        if grant.scope == "connection" and Action.CONNECTION_SHARE not in actions_of(actor.roles, roles):
            about = about_connection(self.desk.state.connections.by_id(grant.about))
            more |= {each for each in given if core_opinion(actor, each, about, roles).verdict != "allow"}
        if more:
            raise NotAllowedFault(
                Code.NOT_ALLOWED,
                f"the role {grant.role} may do what {actor.name} may not: {', '.join(sorted(more)[:3])}",
                where=f"role {grant.role}",
                hint="ask an Administrator",
            )

    def _require_others(self, taken: Grant, *, agreed: bool) -> None:
        grants, me = self.desk.state.grants, self.desk.actor.real
        if taken.holder_kind == "person":
            others = [
                name
                for name, held in grants.all().items()
                if "administrator" in held and name != taken.holder
            ]
            if not any(map(is_login, others)):
                unknown = f"; no login here is called {', '.join(others)}" if others else ""
                raise NotAllowedFault(
                    Code.LAST_ADMINISTRATOR,
                    f"{taken.holder} is the last Administrator who can act{unknown}",
                    where=f"person {taken.holder}",
                    hint="grant somebody else the role first, by name and not through a group: "
                    "cdp role grant PERSON administrator",
                )
        mine = [grant for grant in grants.actor(me).grants if grant.role == "administrator"]
        if mine == [taken] and not agreed:
            raise UsageFault(
                Code.NOT_AGREED_TO_ACT,
                "You take your own Administrator's role: only another Administrator can give it back.",
                where=f"{taken.holder_kind} {taken.holder}",
                hint="add --yes",
            )

    @act(Action.ROLE_EXPLAIN)
    def explain(self, person: str, *, action: str, about: str = "") -> AccessView:
        """Whether a person may do something, and why: every opinion with its reason. `about` is the name of
        an export, a connection or a segment, where the action is about one."""
        try:
            asked = Action(action)
        except ValueError:
            near = difflib.get_close_matches(action, list(Action), n=3)
            raise InvalidFault(
                Code.NOT_FOUND,
                f"there is no action {action!r}",
                hint=f"did you mean {', '.join(near)}?" if near else "cdp role list --known names them all",
            ) from None
        catalog = self.desk.catalog
        actor = self.desk.state.grants.actor(person)
        decision = catalog.authorize(actor, asked, self._about(asked, about))
        return AccessView(
            person=person,
            action=str(asked),
            object=about,
            roles=tuple(sorted(actor.roles)),
            granted=granted_roles(self.desk, actor.grants),
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
        if kind in ("connection", "consent") and name:
            return about_connection(state.connections.get(name))
        if kind == "segment" and name:
            found = state.segments.get(name)
            return Resource(kind="segment", name=name, segment_ids=frozenset({found.id}))
        return Resource(kind="workspace", name=name)

    @act(Action.ROLE_LIST)
    def list(self) -> tuple[GrantView, ...]:
        """Every person and group that has been granted something, people first."""
        holders = dict.fromkeys((grant.holder_kind, grant.holder) for grant in self.desk.state.grants.every())
        return tuple(self._view(holder, group=kind == "group") for kind, holder in holders)

    @act(Action.ROLE_LIST)
    def known(self) -> tuple[RoleView, ...]:
        """Every role there is, with its actions."""
        roles = self.desk.catalog.roles
        return tuple(
            RoleView(
                key=role.key,
                label=role.label,
                actions=tuple(sorted(str(action) for action in actions_of({role.key}, roles))),
                declared_by=role.declared_by,
            )
            for role in sorted(roles.values(), key=lambda role: len(all_roles({role.key}, roles)))
        )

    def _view(self, holder: str, *, group: bool) -> GrantView:
        kind = _kind(group=group)
        theirs = tuple(
            grant
            for grant in self.desk.state.grants.every()
            if grant.holder == holder and grant.holder_kind == kind
        )
        return GrantView(
            person=holder,
            roles=tuple(sorted(grant.role for grant in theirs if grant.scope == "workspace")),
            can_act=is_group(holder) if group else is_login(holder),
            kind=kind,
            granted=granted_roles(self.desk, theirs),
        )


def _kind(*, group: bool) -> Literal["person", "group"]:
    return "group" if group else "person"


def granted_roles(desk: Desk, grants: tuple[Grant, ...]) -> tuple[GrantedRole, ...]:
    """Grants with the names of what they are about."""
    state = desk.state
    names = {each.id: each.name for each in state.connections.all()}
    names |= {each.id: each.name for each in state.segments.all()}
    return tuple(
        GrantedRole(
            role=grant.role,
            scope=grant.scope,
            about=names.get(grant.about, ""),
            group=grant.holder if grant.holder_kind == "group" else None,
            known=grant.role in desk.catalog.roles,
        )
        for grant in grants
    )
