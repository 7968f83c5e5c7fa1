"""Drift: when what a service says of an audience cannot be what the ledger says.

A service tells little: a rounded size, a status, sometimes when the audience was made. Only what cannot be
otherwise is drift: a size says nothing while an upload is being processed, nor how many of the members were
matched.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from cdp_core.model.delivery import Audience
from cdp_core.model.sentence import Sentence

# Clocks differ: the service's and ours.
TOLERANCE = timedelta(minutes=10)
# Peers speak of 24 to 48 hours until an upload is processed.
PROCESSED_AFTER = timedelta(hours=48)
# Peers speak of 13 months without activity.
EXPIRES_AFTER = timedelta(days=395)
# A size is rounded, and matching has its ups and downs: only less than half is no chance.
LEAST_SHARE = 0.5


class DriftKind(StrEnum):
    EMPTIED = "emptied"
    EXPIRED = "expired"
    RECREATED = "re-created"
    SHRUNK = "shrunk"
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """`message` is a sentence for people."""

    kind: DriftKind
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the service said of the audience at `at`, when the ledger held `claims` digests; None where that
    was not kept yet: one export's claims say nothing of an audience that others feed."""

    at: datetime
    audience: Audience
    claims: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known here of an audience: `claims` digests that the ledger holds, the moment of the first
    commit and of the last change that the service took, and the readings so far, the oldest first."""

    claims: int
    first_commit: datetime | None = None
    last_change: datetime | None = None
    readings: tuple[Reading, ...] = ()


def drift(audience: Audience, known: Known, *, now: datetime) -> tuple[Drift, ...]:
    """How what the service says now differs from what must be; nothing where it may be so."""
    return tuple(_drift(audience, known, now)) if known.claims else ()


def gone(known: Known) -> Drift:
    """The service does not know the audience any more."""
    return Drift(
        kind=DriftKind.GONE,
        message=Sentence(
            "The service does not know the audience; the ledger holds {number} digests for it.",
            one="The service does not know the audience; the ledger holds {number} digest for it.",
            number=known.claims,
        ),
    )


def _drift(audience: Audience, known: Known, now: datetime) -> Iterator[Drift]:
    created, first = audience.created_at, known.first_commit
    if created is not None and first is not None and created > first + TOLERANCE:
        yield Drift(
            kind=DriftKind.RECREATED,
            message=Sentence(
                "The service made the audience on {made}, after the first members had been sent to it on "
                "{first}: it is another one.",
                made=f"{created:%Y-%m-%d %H:%M} UTC",
                first=f"{first:%Y-%m-%d %H:%M} UTC",
            ),
        )
    if audience.holds_nobody:
        if _must_hold_somebody(known, now):
            yield _emptied(known, now)
        return
    if (before := _last_size(known)) is not None and _is_less(audience, before, known):
        yield Drift(
            kind=DriftKind.SHRUNK,
            message=Sentence(
                "The service counts {users} users; on {day} it counted {then}, when the ledger held {held} "
                "digests. It holds {claims} now.",
                users=audience.approximate_number_users or 0,
                day=f"{before.at:%Y-%m-%d}",
                then=before.audience.approximate_number_users or 0,
                held=before.claims or 0,
                claims=known.claims,
            ),
        )


def _must_hold_somebody(known: Known, now: datetime) -> bool:
    """A service may need a while to say that something was uploaded; once said, it stays so."""
    if any(reading.audience.holds_nobody is False for reading in known.readings):
        return True
    return known.last_change is not None and now - known.last_change > PROCESSED_AFTER


def _emptied(known: Known, now: datetime) -> Drift:
    last = known.last_change
    if last is not None and now - last > EXPIRES_AFTER:
        return Drift(
            kind=DriftKind.EXPIRED,
            message=Sentence(
                "The audience holds nobody, and the ledger {claims} digests. Nothing was changed in it since "
                "{day}: most likely it has expired.",
                claims=known.claims,
                day=f"{last:%Y-%m-%d}",
            ),
        )
    return Drift(
        kind=DriftKind.EMPTIED,
        message=Sentence(
            "The audience holds nobody, and the ledger {claims} digests: somebody else has emptied it.",
            claims=known.claims,
        ),
    )


def _last_size(known: Known) -> Reading | None:
    sized = [
        reading
        for reading in known.readings
        if reading.claims is not None and reading.audience.approximate_number_users
    ]
    return sized[-1] if sized else None


def _is_less(audience: Audience, before: Reading, known: Known) -> bool:
    size, then = audience.approximate_number_users, before.audience.approximate_number_users
    if size is None or not then or not before.claims or audience.upload_status is None:
        return False
    if audience.upload_status.upper() != "COMPLETE":
        return False
    expected = then * min(1.0, known.claims / before.claims)
    return size < LEAST_SHARE * expected
