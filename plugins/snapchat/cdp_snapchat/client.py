"""The calls of Snapchat's Marketing API that audiences need, over the session that the core hands in.

Each call is made once: answers become faults next door (`answers`), and waiting and trying again are
the core's.
"""

from __future__ import annotations

import json
from binascii import hexlify
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import requests

from cdp_core import (
    AudienceGone,
    ConnectionContext,
    DigestBlock,
    Operation,
    Receipt,
    ServiceFailed,
    Transport,
    lost_on_the_way,
)
from cdp_snapchat.answers import Answer, Refused, read_answer

LARGEST_PAGE = 1000
DIGEST_SIZE = 32
METHODS = {Operation.ADD: "POST", Operation.REMOVE: "DELETE"}
_PIECE = 1024
_BETWEEN = b'"],["'


def users_body(schema: str, digests: DigestBlock) -> bytes:
    """The body that adds or removes users: one schema, and one digest in each row.

    100,000 digests take 5 ms where `json.dumps` takes 70. Piece by piece, because pieces of this size
    stay in the processor's cache; in one go the same takes twice as long.
    """
    if not len(digests):
        raise ValueError("a request needs at least one digest")
    raw, step = memoryview(digests.bytes), _PIECE * DIGEST_SIZE
    pieces = [
        hexlify(raw[at : at + step], b"|", DIGEST_SIZE).replace(b"|", _BETWEEN)
        for at in range(0, len(raw), step)
    ]
    pieces[0] = f'{{"users":[{{"schema":["{schema}"],"data":[["'.encode("ascii") + pieces[0]
    pieces[-1] += b'"]]}]}'
    return _BETWEEN.join(pieces)


class SnapchatClient:
    """Safe to use from several threads. `api_url` is the base, with the version; `timeout` are the seconds
    until a connection stands, and without a sign of the answer."""

    def __init__(
        self,
        http: requests.Session,
        *,
        api_url: str,
        timeout: tuple[float, float],
        clock: Callable[[], float],
    ) -> None:
        self._http = http
        self._base = api_url.rstrip("/")
        self._timeout = timeout
        self._clock = clock

    @classmethod
    def over(cls, connection: ConnectionContext) -> SnapchatClient:
        settings = connection.settings
        return cls(
            connection.http,
            api_url=settings["api_url"],
            timeout=(Transport.of(settings).connect_timeout, settings["timeout"]),
            clock=connection.clock,
        )

    def me(self) -> Mapping[str, Any]:
        """The signed-in user; the one answer whose example has no `request_status`."""
        answer = read_answer(self._send("GET", "/me"), clock=self._clock, has_status=False)
        me = answer.document.get("me")
        if not isinstance(me, Mapping):
            raise ServiceFailed("Snapchat's answer names no user", http_status=answer.status)
        return me

    def organizations(self) -> Iterator[Mapping[str, Any]]:
        return self._pages("/me/organizations", "organization")

    def ad_accounts(self, organization_id: str) -> Iterator[Mapping[str, Any]]:
        return self._pages(f"/organizations/{_part(organization_id)}/adaccounts", "adaccount")

    def segments(self, ad_account_id: str) -> Iterator[Mapping[str, Any]]:
        return self._pages(f"/adaccounts/{_part(ad_account_id)}/segments", "segment")

    def segment(self, segment_id: str) -> Mapping[str, Any]:
        return self._one(self._call("GET", f"/segments/{_part(segment_id)}"), "segment")

    def create_segment(
        self, ad_account_id: str, *, name: str, description: str, retention_in_days: int
    ) -> Mapping[str, Any]:
        """A new customer list, without users. Raises `Refused` where the service does not take it."""
        segment = {
            "name": name,
            "description": description,
            "source_type": "FIRST_PARTY",
            "retention_in_days": retention_in_days,
            "ad_account_id": ad_account_id,
        }
        body = json.dumps({"segments": [segment]}).encode()
        return self._one(self._call("POST", f"/adaccounts/{_part(ad_account_id)}/segments", body), "segment")

    def change_users(
        self, segment_id: str, operation: Operation, schema: str, digests: DigestBlock
    ) -> Receipt:
        """What the service answered to one batch: taken whole, or refused whole with its reason."""
        path = f"/segments/{_part(segment_id)}/users"
        try:
            answer = self._call(METHODS[operation], path, users_body(schema, digests))
        except Refused as refused:
            return _refusal(refused)
        counted = _counted(answer)
        differs = counted is not None and counted != len(digests)
        return Receipt(
            accepted=True,
            request_id=answer.request_id,
            http_status=answer.status,
            message=f"Snapchat counted {counted} of {len(digests)} users" if differs else "",
        )

    def remove_all_users(self, segment_id: str) -> Receipt:
        """What the service answered to emptying a segment."""
        try:
            answer = self._call("DELETE", f"/segments/{_part(segment_id)}/all_users")
        except Refused as refused:
            return _refusal(refused)
        return Receipt(accepted=True, request_id=answer.request_id, http_status=answer.status)

    def _pages(self, path: str, kind: str) -> Iterator[Mapping[str, Any]]:
        """Every entity of a list, page after page."""
        url, seen = f"{self._base}{path}?limit={LARGEST_PAGE}", set[str]()
        while url:
            seen.add(url)
            answer = self._call("GET", url)
            yield from _entities(answer, kind)
            url = self._next(answer, seen)

    def _next(self, answer: Answer, seen: set[str]) -> str:
        """The next page's URL, empty at the end; refused where it would take the token elsewhere."""
        paging = answer.document.get("paging")
        link = paging.get("next_link") if isinstance(paging, Mapping) else None
        if not link:
            return ""
        url = urljoin(f"{self._base}/", str(link))
        if not _same_origin(url, self._base):
            raise ServiceFailed(
                "Snapchat's next page is on another host than the API: it is not followed",
                http_status=answer.status,
                request_id=answer.request_id,
            )
        if url in seen:
            raise ServiceFailed(
                "Snapchat's pages go in a circle", http_status=answer.status, request_id=answer.request_id
            )
        return url

    def _one(self, answer: Answer, kind: str) -> Mapping[str, Any]:
        for entity in _entities(answer, kind):
            return entity
        raise AudienceGone(
            f"Snapchat's answer holds no {kind}", http_status=answer.status, request_id=answer.request_id
        )

    def _call(self, method: str, path: str, body: bytes | None = None) -> Answer:
        return read_answer(self._send(method, path, body), clock=self._clock)

    def _send(self, method: str, path: str, body: bytes | None = None) -> requests.Response:
        url = path if path.startswith(self._base) else f"{self._base}{path}"
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            return self._http.request(
                method, url, data=body, headers=headers, timeout=self._timeout, allow_redirects=False
            )
        except requests.RequestException as failure:
            lost = lost_on_the_way(failure, urlsplit(self._base).netloc)
        # Raised here, unchained: the frames below hold the request's headers, and so the token.
        raise lost


def _refusal(refused: Refused) -> Receipt:
    return Receipt(
        accepted=False,
        request_id=refused.request_id,
        http_status=refused.http_status,
        message=refused.message,
    )


def _entities(answer: Answer, kind: str) -> Iterator[Mapping[str, Any]]:
    """The entities of a list's envelope: `{"segments": [{"segment": {…}}]}`."""
    listed = answer.document.get(f"{kind}s")
    if not isinstance(listed, list):
        raise ServiceFailed(
            f"Snapchat's answer holds no list of {kind}s",
            http_status=answer.status,
            request_id=answer.request_id,
        )
    for item in listed:
        if isinstance(item, Mapping) and isinstance(item.get(kind), Mapping):
            yield item[kind]


def _counted(answer: Answer) -> int | None:
    """How many users the service says that it took; None where it does not say."""
    listed = answer.document.get("users")
    users = (
        [item.get("user") for item in listed if isinstance(item, Mapping)] if isinstance(listed, list) else []
    )
    counts = [user.get("number_uploaded_users") for user in users if isinstance(user, Mapping)]
    known = [count for count in counts if isinstance(count, int)]
    return sum(known) if known else None


def _part(identifier: str) -> str:
    """An id as one part of a path, whatever it holds."""
    return quote(identifier, safe="")


def _same_origin(url: str, base: str) -> bool:
    try:
        one, other = urlsplit(url), urlsplit(base)
        return (one.scheme, one.hostname, one.port) == (other.scheme, other.hostname, other.port)
    except ValueError:
        return False
