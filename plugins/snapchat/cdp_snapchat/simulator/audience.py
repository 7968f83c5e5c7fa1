"""One audience of the simulated API, which calls it a segment: its members and what it tells of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cdp_snapchat.simulator.membership import Membership
from cdp_snapchat.simulator.options import Options
from cdp_snapchat.simulator.users_body import SCHEMAS

CUSTOMER_LIST = "FIRST_PARTY"
TARGETABLE_USERS = 1000

_BEGINNING = datetime(2024, 1, 1, tzinfo=UTC).timestamp()


def rounded(users: int) -> int:
    """The approximate number: two significant digits, and 0 below what can be targeted."""
    if users < TARGETABLE_USERS:
        return 0
    unit: int = 10 ** (len(str(users)) - 2)
    return users // unit * unit


def instant(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(slots=True, kw_only=True)
class Audience:
    """`number` is its place in lists; `fresh_until` is when it begins to take users; `changed_at` is when
    the upload that is being processed came; `matched` is what the last finished processing found."""

    id: str
    number: int
    ad_account_id: str
    organization_id: str
    name: str
    description: str = ""
    source_type: str = CUSTOMER_LIST
    retention_in_days: int = 180
    created_at: float = _BEGINNING
    updated_at: float = _BEGINNING
    fresh_until: float = 0.0
    changed_at: float | None = None
    matched: int | None = None
    members: dict[str, Membership] = field(
        default_factory=lambda: {schema: Membership() for schema in SCHEMAS}
    )

    def upload(self, schema: str, digests: bytes, now: float, *, adds: bool) -> None:
        members = self.members[schema]
        (members.add if adds else members.remove)(digests)
        self.changed_at = self.updated_at = now

    def empty(self, now: float) -> None:
        for members in self.members.values():
            members.clear()
        self.changed_at = self.matched = None
        self.updated_at = now

    def process(self, now: float, options: Options) -> None:
        """Finishes the processing of the last upload, if its time has come."""
        if self.changed_at is not None and now >= self.changed_at + options.processing_seconds:
            self.matched = int(sum(map(len, self.members.values())) * options.match_rate)
            self.changed_at = None

    def as_json(self) -> dict[str, Any]:
        """The segment as the service tells of it; `process` comes first."""
        return {
            **self.created_json(),
            "status": "PENDING" if self._upload_status == "NO_UPLOAD" else "ACTIVE",
            "organization_id": self.organization_id,
            "upload_status": self._upload_status,
            "targetable_status": self._targetable_status,
            "visible_to": [f"AdAccountEntity_{self.ad_account_id}"],
        }

    def created_json(self) -> dict[str, Any]:
        """The fewer fields of the answer to its creation."""
        return {
            "updated_at": instant(self.updated_at),
            "created_at": instant(self.created_at),
            "name": self.name,
            "id": self.id,
            "ad_account_id": self.ad_account_id,
            "description": self.description,
            "status": "PENDING",
            "source_type": self.source_type,
            "retention_in_days": self.retention_in_days,
            "approximate_number_users": rounded(self.matched or 0),
        }

    @property
    def _upload_status(self) -> str:
        if self.changed_at is not None:
            return "PROCESSING"
        return "NO_UPLOAD" if self.matched is None else "COMPLETE"

    @property
    def _targetable_status(self) -> str:
        if self.matched is None:
            return "NOT_READY"
        return "READY" if self.matched >= TARGETABLE_USERS else "TOO_FEW_USERS"
