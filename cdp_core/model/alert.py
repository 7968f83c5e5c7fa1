"""Alerts: what somebody is told of when nobody is looking, once for each change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

WEBHOOK = "webhook"


class AlertKind(StrEnum):
    """`gate` and `reconnect` are failures that somebody has to look into, or to sign in for; `missed` are
    moments that no scheduler ran; `unusual` is an audience far from its usual size."""

    FAILED = "failed"
    RECONNECT = "reconnect"
    GATE = "gate"
    RECOVERED = "recovered"
    MISSED = "missed"
    UNUSUAL = "unusual"
    TEST = "test"


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
    its audience is of an unusual size."""

    trouble: str = ""
    unusual: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertSettings:
    """Where alerts go. `urls` are references to Apprise's URLs, `webhook` is a URL or a reference to one, and
    `webhook_secret` one to the key that signs what is posted there; an audience is unusual that is larger or
    smaller by more than `unusual_share` than it usually is."""

    urls: tuple[str, ...] = ()
    webhook: str | None = None
    webhook_secret: str | None = None
    unusual_share: float = 0.3

    @property
    def ways(self) -> tuple[str, ...]:
        """Their names, which are kept and shown: the webhook's is not its URL, which may be a secret."""
        return (*self.urls, *((WEBHOOK,) if self.webhook else ()))
