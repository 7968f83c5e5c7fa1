"""Who acts, in which role, and what an act is called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal


class Action(StrEnum):
    """Every act of the facade; the same words stand in the audit log."""

    WORKSPACE_INIT = "workspace.init"
    WORKSPACE_CHECK = "workspace.check"
    WORKSPACE_MIGRATE = "workspace.migrate"
    WORKSPACE_BACKUP = "workspace.backup"
    WORKSPACE_RESTORE = "workspace.restore"
    STATUS_SHOW = "status.show"
    ALERT_LIST = "alert.list"
    ALERT_TEST = "alert.test"
    WHOAMI = "whoami"
    PROFILES_LINT = "profiles.lint"
    SEGMENT_LIST = "segment.list"
    SEGMENT_SHOW = "segment.show"
    SEGMENT_ADD = "segment.add"
    SEGMENT_EDIT = "segment.edit"
    SEGMENT_REFRESH = "segment.refresh"
    SEGMENT_SWITCH = "segment.switch"
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
    CONNECTION_AUDIENCES = "connection.audiences"
    CONNECTION_REMOVE = "connection.remove"
    CONSENT_LIST = "consent.list"
    CONSENT_SHOW = "consent.show"
    CONSENT_WITHDRAW = "consent.withdraw"
    CONSENT_TAKE_OUT = "consent.take-out"
    EXPORT_OPTIONS = "export.options"
    EXPORT_LIST = "export.list"
    EXPORT_SHOW = "export.show"
    EXPORT_ADD = "export.add"
    EXPORT_ADD_EACH = "export.add-each"
    EXPORT_EDIT = "export.edit"
    EXPORT_DUPLICATE = "export.duplicate"
    EXPORT_DETACH = "export.detach"
    EXPORT_ATTACH = "export.attach"
    EXPORT_REMOVE = "export.remove"
    EXPORT_PLAN = "export.plan"
    EXPORT_RUN = "export.run"
    EXPORT_RESYNC = "export.resync"
    EXPORT_CANCEL = "export.cancel"
    EXPORT_APPROVE = "export.approve"
    EXPORT_REJECT = "export.reject"
    EXPORT_APPROVALS = "export.approvals"
    EXPORT_STATUS = "export.status"
    EXPORT_HISTORY = "export.history"
    EXPORT_SHOW_RUN = "export.show-run"
    EXPORT_REJECTED = "export.rejected"
    EXPLAIN = "explain"
    SUPPRESSION_ADD = "suppression.add"
    SUPPRESSION_IMPORT = "suppression.import"
    SUPPRESSION_REMOVE = "suppression.remove"
    SUPPRESSION_LIST = "suppression.list"
    ERASE = "erase"
    ERASURE_LOOK = "erasure.look"
    ERASURE_SHOW = "erasure.show"
    ERASURE_LIST = "erasure.list"
    CONSENT_WITHDRAWALS = "consent.withdrawals"
    WORKSPACE_PURGE = "workspace.purge"
    LEDGER_SHOW = "ledger.show"
    LEDGER_REBUILD = "ledger.rebuild"
    LEDGER_RESET = "ledger.reset"
    SCHEDULE_SHOW = "schedule.show"
    SCHEDULE_SET = "schedule.set"
    SCHEDULE_SWITCH = "schedule.switch"
    EXPORT_SCHEDULE = "export.schedule"
    SCHEDULER_START = "scheduler.start"
    SCHEDULER_RUN_DUE = "scheduler.run-due"
    LEDGER_ENCRYPT = "ledger.encrypt"
    LEDGER_DECRYPT = "ledger.decrypt"
    LEDGER_MOVE = "ledger.move"
    CONFIG_SCHEMA = "config.schema"
    CONFIG_EXPORT = "config.export"
    CONFIG_DIFF = "config.diff"
    CONFIG_APPLY = "config.apply"
    ROLE_LIST = "role.list"
    ROLE_EXPLAIN = "role.explain"
    ROLE_GRANT = "role.grant"
    ROLE_REVOKE = "role.revoke"
    PLUGIN_LIST = "plugin.list"
    PLUGIN_DISABLE = "plugin.disable"
    PLUGIN_ENABLE = "plugin.enable"
    AUDIT_LIST = "audit.list"
    AUDIT_EXPORT = "audit.export"
    AUDIT_HEAD = "audit.head"
    AUDIT_VERIFY = "audit.verify"

    @property
    def in_words(self) -> str:
        """What follows “may”, for people: `agree to a connection's consent texts`."""
        return _IN_WORDS[self]


_IN_WORDS: Mapping[Action, str] = {
    Action.WORKSPACE_INIT: "make a workspace",
    Action.WORKSPACE_CHECK: "look the workspace over",
    Action.WORKSPACE_BACKUP: "back the workspace up",
    Action.WORKSPACE_RESTORE: "bring a workspace back from a backup",
    Action.WORKSPACE_PURGE: "purge what is kept long enough",
    Action.ERASE: "erase a person",
    Action.ERASURE_LOOK: "see where a person would be erased",
    Action.ERASURE_SHOW: "see an erasure's receipt",
    Action.ERASURE_LIST: "list erasures",
    Action.CONSENT_WITHDRAWALS: "list withdrawn consent",
    Action.WORKSPACE_MIGRATE: "move the state to PostgreSQL",
    Action.STATUS_SHOW: "see how everything stands",
    Action.ALERT_LIST: "list alerts",
    Action.ALERT_TEST: "send a test alert",
    Action.WHOAMI: "see their own roles",
    Action.PROFILES_LINT: "look through the profiles",
    Action.SEGMENT_LIST: "list segments",
    Action.SEGMENT_SHOW: "see a segment",
    Action.SEGMENT_ADD: "add a segment",
    Action.SEGMENT_EDIT: "change a segment",
    Action.SEGMENT_REFRESH: "evaluate a static segment anew",
    Action.SEGMENT_SWITCH: "switch a segment on or off",
    Action.SEGMENT_REMOVE: "remove a segment",
    Action.CONNECTION_TYPES: "see what connections can be added",
    Action.CONNECTION_LIST: "list connections",
    Action.CONNECTION_SHOW: "see a connection",
    Action.CONNECTION_ADD: "add a connection",
    Action.CONNECTION_EDIT: "change a connection",
    Action.CONNECTION_SHARE: "share a connection",
    Action.CONNECTION_VERIFY: "try a connection",
    Action.CONNECTION_AGREE: "agree to a connection's consent texts",
    Action.CONNECTION_AUTHENTICATE: "sign in for a connection",
    Action.CONNECTION_EXPORT_USER: "become a connection's export user",
    Action.CONNECTION_AUDIENCES: "see what audiences a connection reaches",
    Action.CONNECTION_REMOVE: "remove a connection",
    Action.CONSENT_LIST: "see who has agreed to what",
    Action.CONSENT_SHOW: "read the texts that were agreed to",
    Action.CONSENT_WITHDRAW: "withdraw a connection's consent",
    Action.CONSENT_TAKE_OUT: "take out what was sent through a connection",
    Action.EXPORT_OPTIONS: "see what an export can be made of",
    Action.EXPORT_LIST: "list exports",
    Action.EXPORT_SHOW: "see an export",
    Action.EXPORT_ADD: "add an export",
    Action.EXPORT_ADD_EACH: "add an export for each segment",
    Action.EXPORT_EDIT: "change an export",
    Action.EXPORT_DUPLICATE: "duplicate an export",
    Action.EXPORT_DETACH: "detach an export",
    Action.EXPORT_ATTACH: "attach an export",
    Action.EXPORT_REMOVE: "remove an export",
    Action.EXPORT_PLAN: "plan an export",
    Action.EXPORT_RUN: "run an export",
    Action.EXPORT_RESYNC: "send an export's members again",
    Action.EXPORT_CANCEL: "cancel an export's run",
    Action.EXPORT_APPROVE: "approve of a plan",
    Action.EXPORT_REJECT: "reject a plan",
    Action.EXPORT_APPROVALS: "see which plans wait for approval",
    Action.EXPORT_STATUS: "ask the service for an audience's state",
    Action.EXPORT_HISTORY: "see an export's history",
    Action.EXPORT_SHOW_RUN: "see a run",
    Action.EXPORT_REJECTED: "write down what was refused",
    Action.EXPLAIN: "see what became of a person",
    Action.SUPPRESSION_ADD: "suppress an identifier",
    Action.SUPPRESSION_IMPORT: "import suppressions",
    Action.SUPPRESSION_REMOVE: "lift a suppression",
    Action.SUPPRESSION_LIST: "list suppressions",
    Action.LEDGER_SHOW: "see an audience's ledger",
    Action.LEDGER_REBUILD: "rebuild a ledger",
    Action.LEDGER_RESET: "give up a ledger",
    Action.SCHEDULE_SHOW: "see the schedules",
    Action.SCHEDULE_SET: "set the schedule of the refresh",
    Action.SCHEDULE_SWITCH: "switch the refresh on or off",
    Action.EXPORT_SCHEDULE: "schedule an export",
    Action.SCHEDULER_START: "start the scheduler",
    Action.SCHEDULER_RUN_DUE: "run what is due in the export users' names",
    Action.LEDGER_ENCRYPT: "encrypt the ledgers",
    Action.LEDGER_DECRYPT: "decrypt the ledgers",
    Action.LEDGER_MOVE: "move the ledgers elsewhere",
    Action.CONFIG_SCHEMA: "see what a configuration file may hold",
    Action.CONFIG_EXPORT: "write the configuration to a file",
    Action.CONFIG_DIFF: "compare the workspace with a configuration file",
    Action.CONFIG_APPLY: "apply a configuration file",
    Action.ROLE_LIST: "list roles",
    Action.ROLE_EXPLAIN: "see why somebody may do something",
    Action.ROLE_GRANT: "grant a role",
    Action.ROLE_REVOKE: "revoke a role",
    Action.PLUGIN_LIST: "list plugins",
    Action.PLUGIN_DISABLE: "disable a plugin",
    Action.PLUGIN_ENABLE: "enable a plugin",
    Action.AUDIT_LIST: "read the audit log",
    Action.AUDIT_EXPORT: "write the audit log to a file",
    Action.AUDIT_HEAD: "see the audit log's head",
    Action.AUDIT_VERIFY: "verify the audit log",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A named set of actions; `includes` names the roles whose actions it has too. `declared_by` is told to
    people: the core fills it in for roles that are none of its own."""

    key: str
    label: str
    actions: frozenset[Action] = frozenset()
    includes: frozenset[str] = frozenset()
    declared_by: str = ""


Scope = Literal["workspace", "connection", "segment"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A role that a person or a group (`holder_kind`) has been given: for the whole workspace, or for one
    connection or segment alone, of which `about` is the id."""

    holder: str
    role: str
    holder_kind: Literal["person", "group"] = "person"
    scope: Scope = "workspace"
    about: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A person and the roles granted to them; `real` is who sits at the keyboard.

    The two names differ when an Administrator acts as somebody else (`--as`), and for a run that
    nobody started, which happens in the export user's name. `roles` hold for the whole workspace; `grants`
    are all there are, through groups and for one connection or segment alone, too.
    """

    name: str
    real: str
    roles: frozenset[str] = frozenset()
    grants: tuple[Grant, ...] = ()

    @property
    def is_real(self) -> bool:
        return self.name == self.real


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """What an act is about. `shared_with` (roles and people) is the sharing of the connection that
    it is, or that it goes through; None where no connection is concerned. `payload` is what leaves by it:
    digests, or whole rows (`records`). `connection_id` is that connection, `segment_ids` the segments whose
    members are concerned."""

    kind: Literal[
        "workspace",
        "profiles",
        "segment",
        "connection",
        "export",
        "person",
        "suppression",
        "ledger",
        "schedule",
        "alert",
        "role",
        "plugin",
        "audit",
    ]
    name: str = ""
    shared_with: frozenset[str] | None = None
    payload: Literal["digests", "records"] = "digests"
    connection_id: str | None = None
    segment_ids: frozenset[str] = frozenset()


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
