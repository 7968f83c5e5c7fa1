"""What the facade hands on of the workspace itself: ledgers, backups, roles, suppressions, checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from cdp_core.model.access import Opinion, Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerView:
    """What an audience holds: claims by export and kind, in so many files, of which some may be encrypted;
    `place` is where they lie, `differing` and `strangers` are files."""

    audience: str
    place: str
    claims: Mapping[str, Mapping[str, int]]
    files: int
    encrypted: int
    differing: tuple[str, ...]
    strangers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MigratedState:
    """A state that was moved to a server, or would be (`dry_run`): rows of each table, and how many secrets
    went along from the `vault` of before. `aside` is where the old file lies."""

    state: str
    before: str
    aside: str | None
    tables: Mapping[str, int]
    secrets: int
    vault: str
    ledger: str
    ledger_is_local: bool
    dry_run: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedLedgers:
    """Where ledgers and plans lie now, and where their old files stay; `lost` plans were gone before."""

    place: str
    before: str
    files: int
    plans: int
    lost: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MendedLedger:
    """A ledger after it was rebuilt from so many runs, or given up; its claims `before` and `after`.
    `lost` are sentences on what receipts could not tell; `aside` is the folder of the files `moved`."""

    audience: str
    runs: int
    before: int
    after: int
    lost: tuple[str, ...] = ()
    aside: str | None = None
    moved: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ResealedLedgers:
    """How many ledger files and plans were written anew, encrypted or plain. `spoilt` plans, which nothing
    could read, were taken away; `aside` is the folder of files that were moved out of use before, which
    are as they were."""

    encrypted: bool
    files: int
    plans: int
    spoilt: int
    aside: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantedRole:
    """A role and what it holds for: the workspace, or one connection or segment (`about` is its name), and
    the group that it is through, if any. `known`: somebody declares it, here and now."""

    role: str
    scope: Scope
    about: str
    group: str | None
    known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessView:
    """Whether a person may do something, every opinion on it, and the roles that would have the action.
    `granted` is all that the person holds, by themselves and through groups. `personal`: nobody does it in
    another's name."""

    person: str
    action: str
    object: str
    roles: tuple[str, ...]
    granted: tuple[GrantedRole, ...]
    allowed: bool
    opinions: tuple[Opinion, ...]
    roles_with_it: tuple[str, ...]
    personal: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupView:
    """A backup's file: what it holds, in rows of the state, files and bytes, and how many plans,
    and results of static segments, were lost before. `digest` is SHA-256 of the list of its
    parts, `audit_head` the audit log's head in it."""

    file: str
    made_at: datetime
    rows: int
    files: int
    size: int
    lost_plans: int
    lost_results: int
    vault: str
    audit_head: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoredView:
    """A workspace that was brought back: from which backup, and of how many audiences how many claims are
    perhaps there from now on. `secrets`: whether what the vault held is there, as far as one can see."""

    workspace: str
    backup: BackupView
    audiences: int
    claims: int
    secrets: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantView:
    """What was granted to a person or a group (`kind`): `roles` for the whole workspace, `granted` all of it.
    `can_act` is whether this machine knows a login, or a group, of that name."""

    person: str
    roles: tuple[str, ...]
    can_act: bool = True
    kind: Literal["person", "group"] = "person"
    granted: tuple[GrantedRole, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleView:
    """`declared_by` is empty for the core's own."""

    key: str
    label: str
    actions: tuple[str, ...]
    declared_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whoami:
    name: str
    real: str
    roles: tuple[str, ...]
    granted: tuple[GrantedRole, ...]
    actions: tuple[str, ...]
    workspace: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of `cdp doctor`: `state` is ok, warning or error."""

    name: str
    state: str
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressionView:
    """Somebody who is never sent. `digest` is the beginning of it; `is_new` whether this act added it."""

    kind: str
    digest: str
    note: str
    added_by: str
    added_at: datetime
    is_new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressionsView:
    """How many there are of each kind, and the newest of them."""

    kinds: Mapping[str, int]
    newest: tuple[SuppressionView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadLine:
    """A line of a list that holds nobody, without what it holds."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportView:
    """What became of a list: `read = added + known + empty + malformed`; `lines` are the first of the
    malformed, and `kinds` counts the persons by kind."""

    read: int
    added: int
    known: int
    empty: int
    malformed: int
    lines: tuple[UnreadLine, ...]
    kinds: Mapping[str, int]
