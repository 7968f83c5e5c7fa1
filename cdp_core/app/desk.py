"""The desk that every act passes: who acts, may they, and the entry in the audit log.

`@act(Action.X)` on a facade method does all three. An act that changes or sends something leaves an
entry before it begins and one when it ends, so that a killed process leaves a trace too; an act that
only looks leaves one.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Concatenate, ParamSpec, Protocol, Self, TypeVar

from cdp_core.errors import CdpError, Code, NotAllowedFault
from cdp_core.model.access import Action, Resource
from cdp_core.model.configuration import Connection
from cdp_core.model.names import as_typed
from cdp_core.plugins.catalog import Catalog
from cdp_core.rules.access import OF_WHOLE_ROWS, PERSONAL_ACTIONS, actions_of, all_roles, granted_here
from cdp_core.runner.rights import about_connection
from cdp_core.store.logins import login
from cdp_core.store.state import State

P = ParamSpec("P")
R = TypeVar("R")

LOOKING = frozenset(
    {
        Action.WHOAMI,
        Action.WORKSPACE_CHECK,
        Action.STATUS_SHOW,
        Action.ALERT_LIST,
        Action.PROFILES_LINT,
        Action.SEGMENT_LIST,
        Action.SEGMENT_SHOW,
        Action.CONNECTION_TYPES,
        Action.CONNECTION_LIST,
        Action.CONNECTION_SHOW,
        Action.CONSENT_LIST,
        Action.CONSENT_SHOW,
        Action.EXPORT_OPTIONS,
        Action.EXPORT_LIST,
        Action.EXPORT_SHOW,
        Action.EXPORT_HISTORY,
        Action.EXPORT_APPROVALS,
        Action.EXPORT_STATUS,
        Action.CONNECTION_AUDIENCES,
        Action.EXPORT_SHOW_RUN,
        Action.EXPLAIN,
        Action.ERASURE_LOOK,
        Action.ERASURE_SHOW,
        Action.ERASURE_LIST,
        Action.CONSENT_WITHDRAWALS,
        Action.SUPPRESSION_LIST,
        Action.LEDGER_SHOW,
        Action.SCHEDULE_SHOW,
        Action.CONFIG_SCHEMA,
        Action.CONFIG_EXPORT,
        Action.CONFIG_DIFF,
        Action.ROLE_LIST,
        Action.ROLE_EXPLAIN,
        Action.PLUGIN_LIST,
        Action.AUDIT_LIST,
        Action.AUDIT_HEAD,
        Action.AUDIT_VERIFY,
    }
)


class Desk:
    """Knows the actor; decides and audits each act."""

    def __init__(self, state: State, catalog: Catalog, *, act_as: str | None = None) -> None:
        self.state = state
        self.catalog = catalog
        self._notes: list[dict[str, Any]] = []
        real = login()
        self.actor = state.grants.actor(real)
        if act_as and act_as != real:
            if "administrator" not in all_roles(self.actor.roles, catalog.roles):
                self._write(Action.WHOAMI, act_as, "denied", {"reason": "--as is the Administrator's"})
                raise NotAllowedFault(
                    Code.NOT_ALLOWED,
                    f"{real} may not act as {act_as}: that is the Administrator's",
                    where=f"--as {act_as}",
                    hint="leave out --as, or ask an Administrator",
                )
            self.actor = state.grants.actor(act_as, real=real)

    @classmethod
    def in_name_of(cls, person: str, state: State, catalog: Catalog) -> Self:
        """For a run that nobody starts: the export user acts, with the roles that they have today."""
        desk = cls(state, catalog)
        desk.actor = state.grants.actor(person, real=desk.actor.real)
        return desk

    def now(self) -> datetime:
        return datetime.now(UTC)

    def note(self, **details: Any) -> None:
        """Add to the audit entry of the act under way; never a secret or a raw identifier."""
        if self._notes:
            self._notes[-1].update(details)

    def may(self, action: Action, resource: Resource) -> bool:
        """Whether the actor may do this; that it was asked leaves no trace."""
        return self.catalog.authorize(self.actor, action, resource).allowed

    def sees(self, connection: Connection) -> bool:
        """Whether the actor may know of it: Administrators of all, others of those shared with them."""
        about = about_connection(connection)
        if not self.may(Action.CONNECTION_LIST, about):
            return False
        scoped = granted_here(self.actor, Action.CONNECTION_LIST, about)
        held = all_roles({*self.actor.roles, *(grant.role for grant in scoped)}, self.catalog.roles)
        if "administrator" in held or any(grant.scope == "connection" for grant in scoped):
            return True
        return bool(connection.shared_with & (held | {self.actor.name}))

    def require(self, action: Action, resource: Resource) -> None:
        """Raise `NotAllowedFault`, and leave a trace, unless the actor may do this."""
        decision = self.catalog.authorize(self.actor, action, resource)
        if not decision.allowed:
            self._write(action, resource.name, "denied", {"reason": decision.reason})
            raise NotAllowedFault(
                Code.NOT_ALLOWED,
                f"{self.actor.name} may not {action.in_words}: {decision.reason}",
                where=_named(resource),
                hint=self._way_out(action, resource),
            )
        if action in PERSONAL_ACTIONS and not self.actor.is_real:
            self._write(action, resource.name, "denied", {"reason": "acting as somebody else"})
            raise NotAllowedFault(
                Code.REAL_PERSON_NEEDED,
                f"only the real person may {action.in_words}; {self.actor.real} acts as {self.actor.name}",
                where=_named(resource),
                hint="leave out --as",
            )

    def perform(self, action: Action, resource: Resource, deed: Callable[[], R]) -> R:
        self.require(action, resource)
        if action not in LOOKING:
            self._write(action, resource.name, "begun", {})
        self._notes.append({})
        try:
            result = deed()
        except BaseException as fault:
            reason = type(fault).__name__
            if isinstance(fault, CdpError):
                reason = str(fault.code)
                fault.where = fault.where or _named(resource)
            self._write(action, resource.name, "failed", {**self._notes.pop(), "reason": reason})
            raise
        self._write(action, resource.name, "done", self._notes.pop())
        return result

    def _way_out(self, action: Action, resource: Resource) -> str:
        name = as_typed(self.actor.name)
        if resource.payload == "records" and action in OF_WHOLE_ROWS:
            return f"an Administrator does it, or makes you one: cdp role grant {name} administrator"
        if resource.shared_with is not None and action in actions_of(self.actor.roles, self.catalog.roles):
            return f"an Administrator shares the connection: cdp connection share NAME --with {name}"
        known = "`cdp role list --known` shows them"
        return f"an Administrator grants a role: cdp role grant {name} ROLE ({known})"

    def _write(self, action: Action, name: str, outcome: str, details: Mapping[str, Any]) -> None:
        self.state.audit.append(
            at=self.now(),
            actor=self.actor.name,
            real=self.actor.real,
            action=str(action),
            object=name,
            outcome=outcome,
            details=dict(details),
        )


def _named(resource: Resource) -> str:
    return f"{resource.kind} {resource.name}".strip()


class Room(Protocol):
    """A part of the facade: its desk, and what an act on one of its things is about."""

    desk: Desk

    def resource(self, name: str, arguments: Mapping[str, Any]) -> Resource: ...


S = TypeVar("S", bound=Room)


def act(action: Action) -> Callable[[Callable[Concatenate[S, P], R]], Callable[Concatenate[S, P], R]]:
    """Make a facade method an act. Its first argument, if it has one that may be given by its place, is the
    name of what it acts on."""

    def wrap(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
        places = [
            each.name
            for each in list(inspect.signature(method).parameters.values())[1:]
            if each.kind is not each.KEYWORD_ONLY
        ]

        @functools.wraps(method)
        def acting(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
            name = str(args[0] if args else kwargs.get(places[0], "")) if places else ""
            resource = self.resource(name, kwargs)
            return self.desk.perform(action, resource, lambda: method(self, *args, **kwargs))

        acting.action = action  # type: ignore[attr-defined]
        return acting

    return wrap
