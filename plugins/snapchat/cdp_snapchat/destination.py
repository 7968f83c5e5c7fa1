"""A Snapchat audience of the customer-list kind, as the core's delivery sees it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cdp_core import (
    Audience,
    Batch,
    ConnectionContext,
    Destination,
    DestinationContext,
    NewAudience,
    Receipt,
    ServiceIdentity,
)
from cdp_snapchat.answers import Refused
from cdp_snapchat.client import SnapchatClient
from cdp_snapchat.schemas import SCHEMAS, origin
from cdp_snapchat.wording import quoted

CUSTOMER_LIST = "FIRST_PARTY"
LIFETIME_IN_DAYS = 9999
LONGEST_NAME = 375


def who_am_i(connection: ConnectionContext) -> ServiceIdentity:
    """The signed-in user, without the e-mail address: it would be kept with the connection."""
    me = SnapchatClient.over(connection).me()
    name = me.get("display_name") or me.get("snapchat_username") or me.get("id") or "an unnamed user"
    shown = {
        "user name": me.get("snapchat_username"),
        "organization": me.get("organization_id"),
        "member status": me.get("member_status"),
    }
    return ServiceIdentity(
        name=quoted(str(name)), details={label: quoted(str(value)) for label, value in shown.items() if value}
    )


class SnapchatAudience(Destination):
    """One audience, by the id in the export's settings."""

    def __init__(self, context: DestinationContext) -> None:
        self._client = SnapchatClient.over(context.connection)
        self._origin = origin(context.connection.settings)
        self._id: str = context.settings["audience_id"]

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
        return self._audience(segment)

    def audiences(self) -> Iterator[Audience]:
        """The customer lists of every ad account that the signed-in user reaches."""
        for account in self._ad_accounts():
            for segment in self._client.segments(str(account.get("id", ""))):
                if _is_customer_list(segment):
                    yield self._audience(segment)

    def create_audience(self, request: NewAudience) -> Audience:
        """Raises `ValueError` where it is not clear in which ad account, or the service refuses it."""
        if not 1 <= len(request.name) <= LONGEST_NAME:
            raise ValueError(f"A Snapchat audience's name has 1 to {LONGEST_NAME} characters.")
        accounts = list(self._ad_accounts())
        if len(accounts) != 1:
            named = ", ".join(quoted(str(account.get("name", ""))) for account in accounts) or "none"
            raise ValueError(
                "An audience is made in the one ad account that the signed-in user reaches; "
                f"reached: {named}."
            )
        retention = LIFETIME_IN_DAYS if request.retention_in_days is None else request.retention_in_days
        try:
            segment = self._client.create_segment(
                str(accounts[0].get("id", "")),
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
            yield from self._client.ad_accounts(str(organization.get("id", "")))

    def _audience(self, segment: Mapping[str, Any]) -> Audience:
        return Audience(
            id=quoted(str(segment.get("id", self._id))),
            name=quoted(str(segment.get("name", ""))),
            origin=self._origin,
            upload_status=_word(segment.get("upload_status")),
            targetable_status=_word(segment.get("targetable_status")),
            approximate_number_users=_number(segment.get("approximate_number_users")),
            retention_in_days=_number(segment.get("retention_in_days")),
            details={
                "status": _word(segment.get("status")),
                "source_type": _word(segment.get("source_type")),
                "ad_account_id": _word(segment.get("ad_account_id")),
            },
        )


def _is_customer_list(segment: Mapping[str, Any]) -> bool:
    return str(segment.get("source_type", "")).upper() == CUSTOMER_LIST


def _word(value: Any) -> str | None:
    return None if value is None else quoted(str(value))


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
