"""What the facade hands to its faces: plain values, to be shown or written as JSON, none of them secret.

Here segments, connections, exports and audiences; runs and schedules are in `run_views`, the workspace's
own things in `workspace_views`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cdp_core.contract.connection import Choice
from cdp_core.contract.schemas import SettingInfo
from cdp_core.model.configuration import KeptResult, Match
from cdp_core.model.delivery import Audience
from cdp_core.model.policy import MemberConsent, Policy
from cdp_core.model.run import Shown
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
    withdrawn_by: str | None = None
    withdrawn_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionView:
    """A connection; to whom may only use it, nothing but its name and type (`settings` is None then).

    The titles in `consent_missing` are English; `consent_asked` has them in the asker's language.
    Where the service has just been asked: `lacking` are sentences on rights that the signed-in user has not,
    `open_choices` what it offers for settings that nobody has chosen yet, `answered` whether it did, and
    `unasked` why it was not asked after all, where the settings name no way to. Without `signs_in` its
    settings alone let it in."""

    name: str
    type: str
    label: str
    signs_in: bool = True
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
    answered: bool = False
    unasked: str = ""
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
    """An export's audience as the service sees it now (None: it does not know it), beside the ledger: the
    export's own claims on it, and those of other exports, which may be on the same people."""

    export: str
    audience_id: str
    audience: Audience | None
    claims: int
    claims_of_others: int
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
