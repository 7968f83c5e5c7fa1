"""The faults that are Snapchat's own, beside those that any service has."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from cdp_core.simulate import Answer, Fault, FaultKind, Request
from cdp_snapchat.simulator.envelopes import NO_ACCESS, NO_PERMISSION

FOREIGN_HOST = "https://elsewhere.example"
# Every route of the API, and none of the sign-in's.
API_ROUTES = "me|*-*"


def _within_success(request_status: str, reason: str) -> str:
    failed = {"sub_request_status": "ERROR", "sub_request_error_reason": reason}
    request_id = "98e2a602-0000-4000-8000-000000000000"
    return json.dumps({"request_status": request_status, "request_id": request_id, "users": [failed]})


_NO_ENTITY = (
    f"Error code: {NO_ACCESS}, message: Entity does not exist or you do not have permission to access it"
)
_BAD_DATA = "Invalid user data"


def _json_changed(change: Callable[[Any], Any]) -> Callable[[Request, Answer], Answer]:
    """Alters each value of a JSON answer, innermost first."""

    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            return change({key: walk(inner) for key, inner in value.items()})
        if isinstance(value, list):
            return [walk(inner) for inner in value]
        return value

    def alter(_request: Request, answer: Answer) -> Answer:
        if answer.content_type != "application/json":
            return answer
        return replace(answer, body=json.dumps(walk(answer.json())).encode())

    return alter


def _foreign_next_link(value: dict[str, Any]) -> dict[str, Any]:
    if "next_link" not in value:
        return value
    link = urlsplit(value["next_link"])
    return {**value, "next_link": f"{FOREIGN_HOST}{link.path}?{link.query}"}


def _numeric_ids(value: dict[str, Any]) -> dict[str, Any]:
    identifier = str(value.get("id", ""))
    return {**value, "id": int(identifier)} if identifier.isdigit() else value


def _unknown_values(value: dict[str, Any]) -> dict[str, Any]:
    if "id" not in value:
        return value
    changed = dict(value, something_new={"since": 2030})
    for name in ("upload_status", "targetable_status"):
        if name in value:
            changed[name] = "SOMETHING_NEW"
    return changed


def _other_case(value: dict[str, Any]) -> dict[str, Any]:
    names = ("request_status", "sub_request_status", "upload_status", "targetable_status", "status")
    return {**value, **{name: value[name].swapcase() for name in names if name in value}}


def _sent_back(**changed: str | None) -> Callable[[Request, Answer], Answer]:
    """Alters the parameters with which the browser is sent back; None takes one out."""

    def alter(_request: Request, answer: Answer) -> Answer:
        address, _, query = answer.headers.get("Location", "").partition("?")
        parameters: dict[str, str | None] = {name: values[0] for name, values in parse_qs(query).items()}
        kept = {name: value for name, value in (parameters | changed).items() if value is not None}
        return replace(answer, headers={**answer.headers, "Location": f"{address}?{urlencode(kept)}"})

    return alter


SNAPCHAT_FAULTS = (
    FaultKind(
        about="the user does not agree: sent back with error=access_denied",
        fault=Fault(
            name="access-denied", route="authorize", alter=_sent_back(error="access_denied", code=None)
        ),
    ),
    FaultKind(
        about="sent back with a state that was not the client's",
        fault=Fault(name="wrong-state", route="authorize", alter=_sent_back(state="not-the-clients")),
    ),
    FaultKind(
        about="the grant is refused for good (RFC 6749 invalid_grant)",
        fault=Fault(name="invalid-grant", route="token", status=400, body='{"error":"invalid_grant"}'),
    ),
    FaultKind(
        about="401 with the bare word unauthorized",
        fault=Fault(
            name="unauthorized",
            route=API_ROUTES,
            status=401,
            body="unauthorized",
            content_type="text/plain; charset=utf-8",
        ),
    ),
    FaultKind(about=f"403 with {NO_PERMISSION}", fault=Fault(name="forbidden", route=API_ROUTES, status=403)),
    FaultKind(about="404", fault=Fault(name="not-found", route="*-*", status=404)),
    FaultKind(about="410", fault=Fault(name="gone", route="*-*", status=410)),
    FaultKind(
        about=f"200 that carries an ERROR with {NO_ACCESS}",
        fault=Fault(
            name="error-in-200", route="*-users", status=200, body=_within_success("ERROR", _NO_ENTITY)
        ),
    ),
    FaultKind(
        about="200 whose request_status is SUCCESS while the sub-request's is ERROR",
        fault=Fault(
            name="sub-error-in-200", route="*-users", status=200, body=_within_success("SUCCESS", _NO_ENTITY)
        ),
    ),
    FaultKind(
        about="200 that carries an ERROR whose reason is the data",
        fault=Fault(
            name="data-error-in-200", route="*-users", status=200, body=_within_success("ERROR", _BAD_DATA)
        ),
    ),
    FaultKind(
        about="a next_link to another host",
        fault=Fault(name="foreign-next-link", route="list-*", alter=_json_changed(_foreign_next_link)),
    ),
    FaultKind(
        about="numeric ids come as numbers instead of text",
        fault=Fault(name="numeric-ids", route=API_ROUTES, alter=_json_changed(_numeric_ids)),
    ),
    FaultKind(
        about="fields and status words that nobody knows yet",
        fault=Fault(name="unknown-values", route=API_ROUTES, alter=_json_changed(_unknown_values)),
    ),
    FaultKind(
        about="status words in the other case",
        fault=Fault(name="other-case", route=API_ROUTES, alter=_json_changed(_other_case)),
    ),
)
