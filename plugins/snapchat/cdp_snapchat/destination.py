"""A Snapchat audience of the customer-list kind, as the core's delivery sees it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from cdp_core import (
    Audience,
    AudienceGone,
    Batch,
    Destination,
    DestinationContext,
    NewAudience,
    Receipt,
    RightsRefused,
    Sentence,
    quoted,
)
from cdp_snapchat.answers import Refused
from cdp_snapchat.client import SnapchatClient
from cdp_snapchat.schemas import SCHEMAS, SMALLEST_AUDIENCE, origin

CUSTOMER_LIST = "FIRST_PARTY"
LIFETIME_IN_DAYS = 9999
LONGEST_NAME = 375


class SnapchatAudience(Destination):
    """One audience, by the id in the export's settings."""

    def __init__(self, context: DestinationContext) -> None:
        self._client = SnapchatClient.over(context.connection)
        self._origin = origin(context.connection.settings)
        self._id: str = context.settings.get("audience_id", "")
        self._ad_account: str = context.connection.settings.get("ad_account_id") or ""

    def verify(self) -> Audience:
        """Customer lists alone take members; the service's other kinds fill themselves."""
        try:
            segment = self._client.segment(self._id)
        except Refused as refused:
            raise ValueError(refused.message) from None
        kind = segment.get("source_type")
        if kind is not None and not _is_customer_list(segment):
            raise ValueError(
                f"The Snapchat audience {quoted(str(segment.get('name', self._id)))!r} is of the kind "
                f"{quoted(str(kind))}; members can be added to customer lists ({CUSTOMER_LIST}) only."
            )
        account = segment.get("ad_account_id")
        if self._ad_account and account is not None and str(account).lower() != self._ad_account.lower():
            raise ValueError(
                f"The Snapchat audience {quoted(str(segment.get('name', self._id)))!r} is in the ad account "
                f"{quoted(str(account))}; the connection is for the ad account {self._ad_account}."
            )
        return self._audience(segment)

    def audiences(self) -> Iterator[Audience]:
        """The customer lists of the connection's ad account; where it has none, of every one in reach."""
        if self._ad_account:
            yield from self._customer_lists(self._ad_account)
            return
        for account in self._reached():
            # Of several accounts, one that is closed to the user hides none of the others.
            with suppress(RightsRefused, AudienceGone):
                yield from self._customer_lists(account)

    def create_audience(self, request: NewAudience) -> Audience:
        """Raises `ValueError` where it is not clear in which ad account, or the service refuses it."""
        if not 1 <= len(request.name) <= LONGEST_NAME:
            raise ValueError(f"A Snapchat audience's name has 1 to {LONGEST_NAME} characters.")
        retention = LIFETIME_IN_DAYS if request.retention_in_days is None else request.retention_in_days
        if not 1 <= retention <= LIFETIME_IN_DAYS:
            raise ValueError(
                f"A Snapchat audience keeps its members for 1 to {LIFETIME_IN_DAYS} days; "
                f"{LIFETIME_IN_DAYS} is for good."
            )
        account = self._ad_account or self._only_account()
        try:
            segment = self._client.create_segment(
                account,
                name=request.name,
                description=request.description,
                retention_in_days=retention,
            )
        except Refused as refused:
            raise ValueError(refused.message) from None
        return self._audience(segment)

    def deliver(self, batch: Batch) -> Receipt:
        return self._client.change_users(self._id, batch.operation, SCHEMAS[batch.kind], batch.digests)

    def remove_all(self) -> Receipt:
        return self._client.remove_all_users(self._id)

    def audience_status(self) -> Audience:
        return self._audience(self._client.segment(self._id))

    def _ad_accounts(self) -> Iterator[Mapping[str, Any]]:
        for organization in self._client.organizations():
            with suppress(RightsRefused, AudienceGone):
                yield from self._client.ad_accounts(str(organization.get("id", "")))

    def _customer_lists(self, ad_account: str) -> Iterator[Audience]:
        for segment in self._client.segments(ad_account):
            if _is_customer_list(segment):
                yield self._audience(segment)

    def _reached(self) -> list[str]:
        return [str(account.get("id", "")) for account in self._ad_accounts()]

    def _only_account(self) -> str:
        accounts = list(self._ad_accounts())
        if len(accounts) != 1:
            named = (
                "; ".join(
                    f"{quoted(str(account.get('name', '')))} ({quoted(str(account.get('id', '')))})"
                    for account in accounts
                )
                or "none"
            )
            raise ValueError(
                "Say in which ad account the audience is made: set ad_account_id on the connection. "
                f"The signed-in user reaches: {named}."
            )
        return str(accounts[0].get("id", ""))

    def _audience(self, segment: Mapping[str, Any]) -> Audience:
        size = _number(segment.get("approximate_number_users"))
        return Audience(
            id=quoted(str(segment.get("id", self._id))),
            name=quoted(str(segment.get("name", ""))),
            origin=self._origin,
            description=quoted(str(segment.get("description") or "")),
            upload_status=_word(segment.get("upload_status")),
            targetable_status=_word(segment.get("targetable_status")),
            approximate_number_users=size,
            retention_in_days=_number(segment.get("retention_in_days")),
            created_at=_moment(segment.get("created_at")),
            holds_nobody=_holds_nobody(segment.get("upload_status"), size),
            warning=_warning(segment.get("targetable_status")),
            details={
                "status": _word(segment.get("status")),
                "source_type": _word(segment.get("source_type")),
                "ad_account_id": _word(segment.get("ad_account_id")),
            },
        )


def _is_customer_list(segment: Mapping[str, Any]) -> bool:
    return str(segment.get("source_type", "")).upper() == CUSTOMER_LIST


def _holds_nobody(upload_status: Any, size: int | None) -> bool | None:
    """That nobody was matched says little: below a threshold the size is told as 0."""
    if str(upload_status).upper() == "NO_UPLOAD":
        return True
    return False if size or upload_status is not None else None


def _warning(targetable_status: Any) -> str:
    if str(targetable_status).upper() != "TOO_FEW_USERS":
        return ""
    return Sentence(
        "Fewer than {number} users are matched: no ad can be shown to the audience.",
        in_language={
            "nl": "Minder dan {number} gebruikers komen overeen: de doelgroep kan geen advertentie te zien "
            "krijgen.",
            "da": "Færre end {number} brugere stemmer overens: målgruppen kan ikke få vist nogen annonce.",
        },
        number=SMALLEST_AUDIENCE,
    )


def _moment(value: Any) -> datetime | None:
    try:
        read = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _word(value: Any) -> str | None:
    return None if value is None else quoted(str(value))


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
