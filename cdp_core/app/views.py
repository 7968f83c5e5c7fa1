"""What the facade hands to its faces: plain values, to be shown or written as JSON, none of them secret."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cdp_core.contract.connection import Choice
from cdp_core.contract.schemas import SettingInfo
from cdp_core.errors import CdpError, ExitStatus
from cdp_core.model.access import Opinion
from cdp_core.model.configuration import KeptResult, Match
from cdp_core.model.delivery import Audience
from cdp_core.model.gates import Finding
from cdp_core.model.journal import BatchRecord
from cdp_core.model.policy import MemberConsent, Mode, Policy
from cdp_core.model.run import Run, Shown
from cdp_core.model.schedule import DueRun
from cdp_core.model.secret import Secret
from cdp_core.rules.drift import Drift

# Of a field that people are shown, and that is in no document.
SHOWN_ONLY = {"shown_only": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentView:
    """`members` is None where the segment was not evaluated; `exports` names those that use it. `kept` is a
    static one's result."""

    id: str
    name: str
    where: str | None
    sql: str | None
    members: int | None
    exports: tuple[str, ...]
    active: bool
    kept: KeptResult | None
    created_by: str
    created_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentView:
    prompt: str
    title: str
    version: str
    digest: str
    language: str
    agreed_by: str
    agreed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionView:
    """A connection; to whom may only use it, nothing but its name and type (`settings` is None then).

    The titles in `consent_missing` are English; `consent_asked` has them in the asker's language.
    Where the service has just been asked: `lacking` are sentences on rights that the signed-in user has not,
    `open_choices` what it offers for settings that nobody has chosen yet."""

    name: str
    type: str
    label: str
    status: str | None = None
    shared_with: tuple[str, ...] = ()
    settings: Mapping[str, str] | None = None
    identity: Mapping[str, str] | None = None
    export_user: str | None = None
    consents: tuple[ConsentView, ...] = ()
    consent_missing: tuple[str, ...] = ()
    consent_asked: tuple[str, ...] = field(default=(), metadata=SHOWN_ONLY)
    exports: tuple[str, ...] = ()
    token: Mapping[str, Any] | None = None
    lacking: tuple[str, ...] = ()
    open_choices: Mapping[str, tuple[Choice, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportView:
    """`permission` is what the actor may: `edit` or `view`; `connection` is None where it has none, and
    where it is not the actor's to see: only then it is `attached` all the same. `member_consent` is what
    members are asked for: the policy's own, else the workspace's. `status` is the last run's; `shown` is how
    the export stands: `queued` where it is due and nobody has begun. `unchecked` is why the service was not
    asked about an audience that has just been named."""

    name: str
    destination: str
    connection: str | None
    attached: bool
    settings: Mapping[str, Any]
    matching: tuple[Match, ...]
    segments: tuple[str, ...]
    policy: Policy
    member_consent: MemberConsent | None
    permission: str
    status: str | None
    shown: Shown | None
    refreshed: datetime | None
    audience: str
    claims: int
    group: str | None = None
    unchecked: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """A run with how the process should end for it, what the gates say of its plan, and the mode that this
    was made in (None where there is no plan). `awaits_approval`: the plan was only looked at, and is not
    delivered before somebody else approves of it."""

    run: Run
    exit_status: ExitStatus
    gates: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    plan_folder: str | None = None
    mode: Mode | None = None
    awaits_approval: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalView:
    """A plan that needs approval: what it would send, who made it, who has approved of it, and how many
    more must until when. `digest` is what a signature is over."""

    plan: str
    export: str
    made_by: tuple[str, ...]
    made_at: datetime
    lapses_at: datetime
    people: int
    approved_by: tuple[str, ...]
    lacking: int
    added: int
    removed: int
    digest: str
    status: Shown


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelView:
    """What came of canceling: the run that was asked to end, as it stands now, and the due run that was
    waiting to be tried again and is not any more."""

    export: str
    run: Run | None
    ended: bool
    due: DueRun | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDetails:
    """A run with its batches, in the order of their numbers."""

    report: RunReport
    batches: tuple[BatchRecord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedView:
    """What was written of a run's refused digests: a row for each digest and key; `without_key` are the
    digests whose rows were not found."""

    run: str
    output: str
    rows: int
    digests: int
    without_key: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationForm:
    """What must be asked to add an export over a connection."""

    destination: str
    label: str
    settings: tuple[SettingInfo, ...]
    kinds: Mapping[str, str]  # identifier kind → required | at-least-one | optional
    fields: tuple[str, ...]  # the profile's columns
    segments: tuple[str, ...]
    audience_setting: str
    lists_audiences: bool
    creates_audiences: bool
    payload: str = "digests"  # or records: then fields of whole rows are chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAudienceForm:
    """An audience to be made at the service; it keeps members for `retention_in_days` (None: for good)."""

    name: str
    retention_in_days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AudienceView:
    """An audience at the service, with the exports that fill it; `claims` digests are in its ledger."""

    audience: Audience
    exports: tuple[str, ...]
    claims: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendPoint:
    """A run that was committed: what the service said of the audience after it, and what had been sent."""

    run: str
    at: datetime
    accepted: int
    claims: int
    approximate_number_users: int | None
    targetable_status: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AudienceStatus:
    """An export's audience as the service sees it now (None: it does not know it), beside the ledger."""

    export: str
    audience_id: str
    audience: Audience | None
    claims: int
    drift: tuple[Drift, ...]
    trend: tuple[TrendPoint, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionForm:
    """What must be asked to add a connection of a type. `complaint` says what is wrong with the answer for
    a setting, a secret or its reference among them; it is empty where nothing is."""

    type: str
    label: str
    settings: tuple[SettingInfo, ...]
    signs_in: bool
    complaint: Callable[[SettingInfo, str | Secret], str]


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
class ExportScheduleView:
    """When an export runs by itself. `follows` is `refresh`, or `own` for a recurrence of its own; `when` is
    it in words, `cron` in lines; `next` is its next moment in the recurrence's zone; `last` the newest moment
    at which it was due, with what became of it."""

    export: str
    active: bool
    attached: bool
    follows: str
    when: str
    cron: tuple[str, ...]
    timezone: str
    next: datetime | None
    paused: str | None
    last: DueRun | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleView:
    """The refresh, and the exports: `next` are the refresh's next moments, in its zone."""

    active: bool
    when: str
    cron: tuple[str, ...]
    timezone: str
    next: tuple[datetime, ...]
    set_by: str
    exports: tuple[ExportScheduleView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshView:
    """The refresh, with its next moments, in its zone."""

    active: bool
    when: str
    cron: tuple[str, ...]
    timezone: str
    next: tuple[datetime, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportGlance:
    """An export at a glance: its last run (None: never), `sizes` of its audience's ledger after the last
    runs on it, the oldest first, and when it runs next by itself."""

    export: str
    shown: Shown | None
    run: str | None
    at: datetime | None
    accepted: int
    left: int
    sizes: tuple[int, ...]
    next: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """Something that waits for somebody, and the command or the words that lead on."""

    about: str
    trouble: str
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    refresh: RefreshView
    exports: tuple[ExportGlance, ...]
    attention: tuple[Attention, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertWay:
    """A way by which a test alert was sent, as the settings name it; `fault` is what stood in its way."""

    way: str
    fault: CdpError | None


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
class AccessView:
    """Whether a person may do something, every opinion on it, and the roles that would have the action.
    `personal`: nobody does it in another's name."""

    person: str
    action: str
    object: str
    roles: tuple[str, ...]
    allowed: bool
    opinions: tuple[Opinion, ...]
    roles_with_it: tuple[str, ...]
    personal: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupView:
    """A backup's file: what it holds, in rows of the state, files and bytes, and how many plans were lost
    before. `digest` is SHA-256 of the list of its parts, `audit_head` the audit log's head in it."""

    file: str
    made_at: datetime
    rows: int
    files: int
    size: int
    lost_plans: int
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
    """`can_act` is whether this machine knows a login of that name."""

    person: str
    roles: tuple[str, ...]
    can_act: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleView:
    key: str
    label: str
    actions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Whoami:
    name: str
    real: str
    roles: tuple[str, ...]
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
