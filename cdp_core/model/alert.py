"""Alerts: what somebody is told of when nobody is looking, once for each change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cdp_core.model.word import Word

WEBHOOK = "webhook"


class AlertKind(Word):
    """`meaning` says when somebody is told."""

    FAILED = "failed", "a scheduled run has failed for good: what passes by itself was tried again before"
    RECONNECT = "reconnect", "somebody has to sign in again"
    GATE = "gate", "a gate stopped a scheduled run"
    RECOVERED = "recovered", "the first scheduled run that went through after one of these"
    MISSED = "missed", "no scheduler ran an export at some of its moments; told when it is run again"
    UNUSUAL = "unusual", "an export has far more or fewer digests in the ledger than after its runs so far"
    TEST = "test", "somebody typed `cdp alerts test`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """`waiting` are the ways (as the settings name them) by which it has still to be sent."""

    id: str
    at: datetime
    kind: AlertKind
    export: str
    message: str
    hint: str = ""
    run_id: str | None = None
    waiting: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What was last said of an export: its trouble (a kind and a code; empty where it has none), and whether
    it has an unusual number of digests in the ledger."""

    trouble: str = ""
    unusual: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertSettings:
    """Where alerts go. `urls` are references to Apprise's URLs, `webhook` is a URL or a reference to one, and
    `webhook_secret` one to the key that signs what is posted there; an export is unusual that has
    more or fewer digests in the ledger, by more than `unusual_share`, than it usually has."""

    urls: tuple[str, ...] = ()
    webhook: str | None = None
    webhook_secret: str | None = None
    unusual_share: float = 0.3

    @property
    def ways(self) -> tuple[str, ...]:
        """Their names, which are kept and shown: the webhook's is not its URL, which may be a secret."""
        return (*self.urls, *((WEBHOOK,) if self.webhook else ()))
