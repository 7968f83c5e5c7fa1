"""A stand-in for the service, written from its manual (README.md) and knowing nothing of the client.

What the manual does not allow is refused: an unknown key of a body, a digest that is none, a parameter that a
route does not take. So a slip of the client shows in its tests, and not at the service.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cdp_core.simulate import (
    Answer,
    App,
    Fault,
    FaultKind,
    Limit,
    Refusal,
    Request,
    Route,
    json_answer,
    json_object,
    running,
)

DEMO_KEY = "demo-key"
LIST = "newsletter"
LARGEST_BATCH = 1_000
PAGE = 2
_DIGEST = re.compile(r"[0-9a-f]{64}")

# What only this service gets wrong, beside what any does (`cdp_core.simulate.FAULT_KINDS`).
FAULTS = (
    FaultKind(
        about="200 with an answer for nobody, whatever was sent",
        fault=Fault(name="no-answers", route="subscribers", status=200, body='{"answers": []}'),
        options=("applies",),
    ),
)


@dataclass
class MailList:
    """A list at the service, by its id."""

    id: str
    name: str
    description: str = ""
    open: bool = True
    created_at: str = "2026-01-01T00:00:00+00:00"
    subscribers: set[str] = field(default_factory=set)

    def shown(self) -> dict[str, Any]:
        told = {name: getattr(self, name) for name in ("id", "name", "description", "open", "created_at")}
        return {**told, "subscribers": len(self.subscribers)}


class MailerStandIn:
    """The service's account with its lists; `app` is what is served.

    Refused one by one are the digests in `refused`, with their reasons, and of all others one in
    `refuse_every` (0: none): which, the digest decides, so that it is the same ones each time.
    """

    def __init__(
        self,
        *,
        key: str = DEMO_KEY,
        rate_limit: bool = True,
        refuse_every: int = 0,
        latency: float = 0.0,
        seed: int | None = None,
    ) -> None:
        self.lists = {LIST: MailList(id=LIST, name="Newsletter")}
        self.refused: dict[str, str] = {}
        self._key = key
        self._refuse_every = refuse_every
        self._answered = 0
        self._lock = threading.Lock()
        limit = Limit(name="key", per_second=10, key=lambda _: "the one key", retry_after=True)
        self.app = App(
            self._routes(),
            name="Mailer",
            limits=[limit] if rate_limit else [],
            admit=self._admit,
            refuse=self._refuse,
            latency=latency,
            seed=seed,
            fault_kinds=FAULTS,
            state=self._state,
        )

    def members(self, list_id: str = LIST) -> set[bytes]:
        """Whom a list holds: 32-byte digests."""
        with self._lock:
            return {bytes.fromhex(digest) for digest in self.lists[list_id].subscribers}

    def _routes(self) -> Iterator[Route]:
        every, one = "/v1/lists", "/v1/lists/{list_id}"
        yield Route(name="account", method="GET", pattern="/v1/account", handler=self._account, query=())
        yield Route(name="lists", method="GET", pattern=every, handler=self._page, query=("after",))
        yield Route(name="create", method="POST", pattern=every, handler=self._create, takes="json", query=())
        yield Route(name="show", method="GET", pattern=one, handler=self._show, query=())
        yield Route(
            name="subscribers",
            method="POST",
            pattern=f"{one}/subscribers",
            handler=self._subscribers,
            takes="json",
            query=(),
        )

    def _admit(self, request: Request) -> None:
        if request.headers.get("x-mailer-key") != self._key:
            raise Refusal(401, "the key is not one of ours", code="bad_key")

    def _refuse(self, _request: Request, refusal: Refusal) -> Answer:
        error = {"message": refusal.message, "code": refusal.code or "refused"}
        told = {"error": error, "request_id": self._request_id()}
        return json_answer(told, status=refusal.status, headers=refusal.headers)

    def _account(self, _request: Request) -> Answer:
        return json_answer({"name": "Flower shop", "plan": "Business"})

    def _page(self, request: Request) -> Answer:
        after = request.query().get("after", "")
        with self._lock:
            found = [one.shown() for id_, one in sorted(self.lists.items()) if id_ > after]
        more = len(found) > PAGE
        return json_answer({"lists": found[:PAGE], "after": found[PAGE - 1]["id"] if more else None})

    def _create(self, request: Request) -> Answer:
        given = json_object(request, "name", "description")
        name, description = given.get("name"), given.get("description", "")
        if not isinstance(name, str) or not 1 <= len(name) <= 100 or not isinstance(description, str):
            raise Refusal(400, "a list has a name of 1 to 100 characters")
        with self._lock:
            made = MailList(
                id=f"list-{len(self.lists) + 1}",
                name=name,
                description=description,
                created_at=datetime.fromtimestamp(self.app.clock.time(), UTC).isoformat(),
            )
            self.lists[made.id] = made
            return json_answer(made.shown(), status=201)

    def _show(self, request: Request) -> Answer:
        with self._lock:
            return json_answer(self._list(request).shown())

    def _subscribers(self, request: Request) -> Answer:
        given = json_object(request, "action", "emails")
        action, digests = given.get("action"), given.get("emails")
        if action not in ("subscribe", "unsubscribe"):
            raise Refusal(400, "the action is subscribe or unsubscribe")
        if not isinstance(digests, list) or not 1 <= len(digests) <= LARGEST_BATCH:
            raise Refusal(400, f"emails are a list of 1 to {LARGEST_BATCH} digests")
        if not all(isinstance(each, str) and _DIGEST.fullmatch(each) for each in digests):
            raise Refusal(400, "each of emails is a SHA-256 in 64 lower-case hexadecimal digits")
        with self._lock:
            found = self._list(request)
            if not found.open:
                raise Refusal(403, "the list takes nobody by the API", code="closed")
            answers = [self._changed(found, action, digest) for digest in digests]
        told = {"answers": answers, "request_id": self._request_id()}
        return json_answer(told, items=len(digests))

    def _changed(self, found: MailList, action: str, digest: str) -> dict[str, str]:
        if action == "unsubscribe":
            found.subscribers.discard(digest)
        elif reason := self._reason(digest):
            return {"status": "refused", "reason": reason}
        else:
            found.subscribers.add(digest)
        return {"status": "accepted"}

    def _reason(self, digest: str) -> str:
        if digest in self.refused:
            return self.refused[digest]
        return "hard bounce" if is_refused(digest, self._refuse_every) else ""

    def _list(self, request: Request) -> MailList:
        found = self.lists.get(request.arguments["list_id"])
        if found is None:
            raise Refusal(404, "there is no such list", code="no_list")
        return found

    def _request_id(self) -> str:
        with self._lock:
            self._answered += 1
            return f"m-{self._answered}"

    def _state(self) -> dict[str, Any]:
        with self._lock:
            return {
                id_: {**one.shown(), "subscribers": sorted(one.subscribers)}
                for id_, one in self.lists.items()
            }


def is_refused(digest: str, every: int) -> bool:
    """Whether a digest is among the one in so many that are refused."""
    return bool(every) and int(digest, 16) % every == 0


@contextmanager
def mailer_stand_in(**options: Any) -> Iterator[tuple[MailerStandIn, str]]:
    """A stand-in for as long as the block lasts, and its URL; `options` are those of `MailerStandIn`."""
    made = MailerStandIn(**options)
    with running(made.app) as server:
        yield made, server.url
