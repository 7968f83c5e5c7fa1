"""What the facade hands on of runs: reports, plans that wait, schedules, and how everything stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cdp_core.errors import CdpError, ExitStatus
from cdp_core.model.gates import Finding
from cdp_core.model.journal import BatchRecord
from cdp_core.model.policy import Mode
from cdp_core.model.run import Run, Shown
from cdp_core.model.schedule import DueRun


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
    """An export at a glance: its last run (None: never), when it runs next by itself, and in `sizes` its
    digests in the ledger after its last runs, the oldest first."""

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
