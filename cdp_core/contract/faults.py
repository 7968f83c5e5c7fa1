"""How a destination says that a request did not go through, by what the core must do about it.

A service that answers "I do not take this batch" gives a `Receipt` with `accepted=False`: that is an
outcome. These are for everything else. Messages may quote the service, never a token.
"""

from __future__ import annotations

LONGEST_RETRY_AFTER = 3600.0


class DestinationFault(Exception):
    """The base; raise one of the classes below."""

    def __init__(self, message: str, *, http_status: int = 0, request_id: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.http_status = http_status
        self.request_id = request_id


class CredentialsRejected(DestinationFault):
    """401: the core refreshes the token once and sends the same batch again; then it stops."""


class RightsRefused(DestinationFault):
    """403: the signed-in user may not. Never sent again in this run."""


class AudienceGone(DestinationFault):
    """404 or 410: the audience is not there. Never sent again in this run."""


class Throttled(DestinationFault):
    """429: slow down, then again; `retry_after` in seconds where the service said, and no longer than
    `LONGEST_RETRY_AFTER`: a run is not kept waiting for days."""

    def __init__(
        self, message: str, *, http_status: int = 429, request_id: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(message, http_status=http_status, request_id=request_id)
        self.retry_after = None if retry_after is None else min(max(0.0, retry_after), LONGEST_RETRY_AFTER)


class ServiceFailed(DestinationFault):
    """5xx, or an answer that cannot be read: again with back-off; the outcome is unknown."""


class Unanswered(DestinationFault):
    """The request left and no answer came (cut, stalled): again with back-off; the outcome is unknown."""


class NeverSent(DestinationFault):
    """The request did not leave (no route, name not found): again with back-off; nothing happened."""


# What the same request, sent again, may get past.
AGAIN = (Throttled, ServiceFailed, Unanswered, NeverSent)
# After these the service may have done what it was asked; after the other faults it has not.
PERHAPS_DONE = (ServiceFailed, Unanswered)
