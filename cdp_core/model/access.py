"""Who acts, in which role, and what an act is called."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal


class Action(StrEnum):
    """Every act of the facade; the same words stand in the audit log."""

    WORKSPACE_INIT = "workspace.init"
    WORKSPACE_CHECK = "workspace.check"
    WHOAMI = "whoami"
    SEGMENT_LIST = "segment.list"
    SEGMENT_SHOW = "segment.show"
    SEGMENT_ADD = "segment.add"
    SEGMENT_REMOVE = "segment.remove"
    CONNECTION_TYPES = "connection.types"
    CONNECTION_LIST = "connection.list"
    CONNECTION_SHOW = "connection.show"
    CONNECTION_ADD = "connection.add"
    CONNECTION_EDIT = "connection.edit"
    CONNECTION_SHARE = "connection.share"
    CONNECTION_VERIFY = "connection.verify"
    CONNECTION_AGREE = "connection.agree"
    CONNECTION_AUTHENTICATE = "connection.authenticate"
    CONNECTION_EXPORT_USER = "connection.export-user"
    CONNECTION_REMOVE = "connection.remove"
    EXPORT_OPTIONS = "export.options"
    EXPORT_LIST = "export.list"
    EXPORT_SHOW = "export.show"
    EXPORT_ADD = "export.add"
    EXPORT_EDIT = "export.edit"
    EXPORT_DUPLICATE = "export.duplicate"
    EXPORT_DETACH = "export.detach"
    EXPORT_ATTACH = "export.attach"
    EXPORT_REMOVE = "export.remove"
    EXPORT_PLAN = "export.plan"
    EXPORT_RUN = "export.run"
    EXPORT_HISTORY = "export.history"
    ROLE_LIST = "role.list"
    ROLE_GRANT = "role.grant"
    ROLE_REVOKE = "role.revoke"
    PLUGIN_LIST = "plugin.list"
    PLUGIN_DISABLE = "plugin.disable"
    PLUGIN_ENABLE = "plugin.enable"
    AUDIT_LIST = "audit.list"
    AUDIT_VERIFY = "audit.verify"


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A named set of actions; `includes` names the roles whose actions it has too."""

    key: str
    label: str
    actions: frozenset[Action] = frozenset()
    includes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A person and the roles granted to them; `real` is who sits at the keyboard.

    The two names differ when an Administrator acts as somebody else (`--as`), and for a run that
    nobody started, which happens in the export user's name.
    """

    name: str
    real: str
    roles: frozenset[str] = frozenset()

    @property
    def is_real(self) -> bool:
        return self.name == self.real


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """What an act is about. `shared_with` (roles and people) is the sharing of the connection that
    it is, or that it goes through; None where no connection is concerned."""

    kind: Literal["workspace", "segment", "connection", "export", "role", "plugin", "audit"]
    name: str = ""
    shared_with: frozenset[str] | None = None


Verdict = Literal["allow", "deny", "abstain"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """One voice on whether an actor may act, with its reason and whose voice it is."""

    verdict: Verdict
    reason: str
    by: str = "core"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """All opinions together: allowed if at least one allows and none denies."""

    allowed: bool
    reason: str
    opinions: tuple[Opinion, ...] = field(default=())
