"""A list at the service, as the core's delivery sees it.

Nothing here retries, waits, stores or logs: the core does, so that each attempt is journaled and counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

import requests
from cdp_core import (
    Audience,
    Batch,
    ConnectionContext,
    Destination,
    DestinationContext,
    NewAudience,
    Operation,
    Receipt,
    Sentence,
    ServiceFailed,
    ServiceIdentity,
    Transport,
    lost_on_the_way,
    quoted,
)

from cdp_mailer.answers import Refused, document, receipt
from cdp_mailer.settings import PATIENCE, origin

_ACTIONS = {Operation.ADD: "subscribe", Operation.REMOVE: "unsubscribe"}


class MailingList(Destination):
    """One list, by the id in the export's settings."""

    def __init__(self, context: DestinationContext) -> None:
        self._service = _Service(context.connection)
        # There is none where lists are listed or made.
        self._id = str(context.settings.get("list_id", ""))

    def verify(self) -> Audience:
        """Raises `ValueError` for a list that people join by themselves alone."""
        found = self._service.asked("GET", _path(self._id))
        if found.get("open") is False:
            raise ValueError(
                Sentence(
                    "The Mailer list {name} takes nobody by the API: its owner can open it in its settings.",
                    in_language={
                        "nl": "De Mailer-lijst {name} neemt niemand via de API aan: de eigenaar kan de lijst "
                        "openen in de instellingen ervan.",
                        "da": "Mailer-listen {name} tager ingen imod via API'en: dens ejer kan åbne den i "
                        "dens indstillinger.",
                    },
                    name=quoted(str(found.get("name") or self._id)),
                )
            )
        return self._audience(found)

    def audiences(self) -> Iterator[Audience]:
        after = ""
        while True:
            page = self._service.asked("GET", "/v1/lists", params={"after": after} if after else None)
            for found in _objects(page.get("lists")):
                yield self._audience(found)
            following = str(page.get("after") or "")
            if not following:
                return
            if following <= after:
                # Pages go by the lists' ids: one that does not go on would be asked for without end.
                raise ServiceFailed("the service's pages of lists do not end")
            after = following

    def create_audience(self, request: NewAudience) -> Audience:
        if request.retention_in_days is not None:
            raise ValueError("Mailer keeps the members of a list for good: leave out how many days.")
        wanted = {"name": request.name, "description": request.description}
        try:
            return self._audience(self._service.asked("POST", "/v1/lists", json=wanted))
        except Refused as refused:
            raise ValueError(refused.message) from None

    def deliver(self, batch: Batch) -> Receipt:
        body = {"action": _ACTIONS[batch.operation], "emails": [digest.hex() for digest in batch.digests]}
        answer = self._service.send("POST", f"{_path(self._id)}/subscribers", json=body)
        return receipt(answer, len(batch.digests), self._service.secrets)

    def audience_status(self) -> Audience:
        return self._audience(self._service.asked("GET", _path(self._id)))

    def _audience(self, found: Mapping[str, Any]) -> Audience:
        count = found.get("subscribers")
        size = count if isinstance(count, int) and not isinstance(count, bool) else None
        return Audience(
            id=quoted(str(found.get("id") or self._id)),
            name=quoted(str(found.get("name") or "")),
            origin=self._service.origin,
            description=quoted(str(found.get("description") or "")),
            approximate_number_users=size,
            created_at=_moment(found.get("created_at")),
            holds_nobody=None if size is None else size == 0,
        )


def who_am_i(connection: ConnectionContext) -> ServiceIdentity:
    """Whose the key is."""
    account = _Service(connection).asked("GET", "/v1/account")
    return ServiceIdentity(
        name=quoted(str(account.get("name") or "")),
        details={"plan": quoted(str(account.get("plan") or ""))},
    )


class _Service:
    """Sends each request once; safe to use from several threads, as the session is."""

    def __init__(self, connection: ConnectionContext) -> None:
        self.origin = origin(connection.settings)
        self.secrets = [connection.settings["api_key"].reveal()]
        self._http = connection.http
        self._timeout = (Transport.of(connection.settings).connect_timeout, PATIENCE)

    def asked(self, method: str, path: str, **content: Any) -> Mapping[str, Any]:
        return document(self.send(method, path, **content), self.secrets)

    def send(self, method: str, path: str, **content: Any) -> requests.Response:
        try:
            return self._http.request(
                method, f"{self.origin}{path}", timeout=self._timeout, allow_redirects=False, **content
            )
        except requests.RequestException as failure:
            lost = lost_on_the_way(failure, urlsplit(self.origin).netloc)
        # Raised here, unchained: the frames below hold the request's headers, and so the key.
        raise lost


def _path(list_id: str) -> str:
    return f"/v1/lists/{quote(list_id, safe='')}"


def _objects(listed: Any) -> Iterator[Mapping[str, Any]]:
    for each in listed if isinstance(listed, list) else ():
        if isinstance(each, Mapping):
            yield each


def _moment(value: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found if found.tzinfo else None
