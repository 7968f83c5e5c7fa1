"""The words of the simulated API: its envelopes, its errors, and how its lists are cut into pages."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from html import escape
from typing import Any
from urllib.parse import urlencode

from cdp_core.simulate import Answer, Refusal, Request, json_answer, text_answer
from cdp_snapchat.simulator.world import World

ACCOUNTS = "/login/oauth2"
API = "/v1"
SMALLEST_PAGE = 50
LARGEST_PAGE = 1000

NO_PERMISSION = "E3002"
NOT_FOUND = "E3003"
NO_ACCESS = "E3004"
IMMUTABLE = "E2023"

_CODES = {403: NO_PERMISSION, 404: NOT_FOUND}
_DISPLAY = "We're sorry, but the requested resource is not available at this time"

Entries = Sequence[tuple[int, dict[str, Any]]]


class Envelopes:
    """Renders answers; each has a request id of its own."""

    def __init__(self, world: World) -> None:
        self._world = world

    def entities(
        self,
        kind: str,
        entities: Sequence[dict[str, Any]],
        *,
        word: str = "success",
        paging: dict[str, str] | None = None,
        items: int = 0,
    ) -> Answer:
        """`kind` is the singular; `word` is success in the case that the service's own example has."""
        wrapped = [{"sub_request_status": word, kind: entity} for entity in entities]
        answer = {"request_status": word, "request_id": self._world.uuid(), f"{kind}s": wrapped}
        return json_answer(answer if paging is None else {**answer, "paging": paging}, items=items)

    def listing(self, request: Request, kind: str, entries: Entries) -> Answer:
        """The page of `entries` (place, entity) that the request asks for. Raises `Refusal` (400)."""
        query = request.query()
        limit = _limit(query.get("limit", str(SMALLEST_PAGE)))
        after = _place(request.path, query["cursor"]) if "cursor" in query else 0
        rest = [(place, entity) for place, entity in entries if place > after]
        paging = {}
        if len(rest) > limit:
            cursor = _cursor(request.path, rest[limit - 1][0])
            parameters = urlencode({"cursor": cursor, "limit": limit})
            paging = {"next_link": f"{request.base_url}{request.path}?{parameters}"}
        return self.entities(kind, [entity for _, entity in rest[:limit]], paging=paging)

    def failed_within(self, key: str) -> Answer:
        """A failure that comes with status 200."""
        message = "Entity does not exist or you do not have permission to access it"
        reason = f"Error code: {NO_ACCESS}, message: {message}"
        failed = {"sub_request_status": "ERROR", "sub_request_error_reason": reason}
        return json_answer({"request_status": "ERROR", "request_id": self._world.uuid(), key: [failed]})

    def refuse(self, request: Request, refusal: Refusal) -> Answer:
        """A refusal in the words of the part of the service that was asked."""
        # 415 is not among the service's statuses: what it cannot read is a bad request.
        status = 400 if refusal.status == 415 else refusal.status
        if request.path.startswith(ACCOUNTS):
            return _refuse_sign_in(request, refusal, status)
        if status == 401:
            return text_answer("unauthorized", status=401)
        error = {
            "request_status": "ERROR",
            "request_id": self._world.uuid(),
            "debug_message": "Caller does not have permission" if status == 403 else refusal.message,
            "display_message": _DISPLAY,
        }
        code = refusal.code or _CODES.get(status, "")
        return json_answer(
            error | ({"error_code": code} if code else {}), status=status, headers=refusal.headers
        )


def _refuse_sign_in(request: Request, refusal: Refusal, status: int) -> Answer:
    if request.path.endswith("/authorize"):
        # Nobody is sent back to an address that may not be the app's (RFC 6749, 4.1.2.1).
        page = f"<!doctype html><title>Sign-in</title><h1>Sign-in failed</h1><p>{escape(refusal.message)}"
        return text_answer(page, status=status, content_type="text/html; charset=utf-8")
    error = {"error": refusal.code or "invalid_request", "error_description": refusal.message}
    return json_answer(error, status=status, headers={"Cache-Control": "no-store", **refusal.headers})


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit() and SMALLEST_PAGE <= int(text) <= LARGEST_PAGE):
        raise Refusal(400, f"limit must be between {SMALLEST_PAGE} and {LARGEST_PAGE}")
    return int(text)


def _cursor(path: str, place: int) -> str:
    return base64.urlsafe_b64encode(f"{place} {path}".encode()).decode("ascii")


def _place(path: str, cursor: str) -> int:
    """Where the page before ended. Raises `Refusal` (400) for a cursor of another list, or made up."""
    try:
        place, _, of_path = base64.b64decode(cursor, altchars=b"-_", validate=True).decode().partition(" ")
        if of_path == path:
            return int(place)
    except (binascii.Error, ValueError):
        pass
    raise Refusal(400, "the cursor is not one of this list")
