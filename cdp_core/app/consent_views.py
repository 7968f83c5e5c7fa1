"""What the facade hands on of consent: how each text stands, and what became of its end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cdp_core.errors import CdpError
from cdp_core.rules.consent import Hold


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentStandingView:
    """How the consent to one text stands for a connection. `title` is in the asker's language; version,
    language and digest (SHA-256, hexadecimal) are those of the text that was agreed to. `role_lost`: the
    person who agreed may not do so any more, which ends nothing by itself."""

    connection: str
    prompt: str
    title: str
    state: Hold
    version: str | None
    language: str | None
    digest: str | None
    agreed_by: str | None
    agreed_at: datetime | None
    role_lost: bool
    withdrawn_by: str | None
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentTextView:
    """A text as it was agreed to (None where nobody has), and as it is asked for today where that is not
    agreed to."""

    standing: ConsentStandingView
    text: str | None
    text_today: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoppedRun:
    """A run that the end of consent has met under way: whether it has `ended` by now, and how many digests
    the service had accepted from it."""

    export: str
    run: str
    ended: bool
    accepted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SentView:
    """How many members the ledger says that an export has put into its audience, over all kinds."""

    export: str
    members: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalView:
    """Consent to these `texts` has ended. `sent` is what lies in audiences all the same."""

    connection: str
    texts: tuple[str, ...]
    withdrawn_by: str
    withdrawn_at: datetime
    runs: tuple[StoppedRun, ...]
    sent: tuple[SentView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenOut:
    """Of an export's `members`, how many are `left` in the audience, and the `fault` that left them there."""

    export: str
    members: int
    left: int
    run: str | None
    fault: CdpError | None
