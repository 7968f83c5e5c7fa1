"""The one place where HTTP answers of the Marketing API become answers, receipts or faults.

A 200 can carry a failure, a failure need not be JSON, and what was lost on the way has an unknown
outcome. Each row of the table of answers is a row of `test_snapchat_answers.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import requests

from cdp_core import (
    AudienceGone,
    CredentialsRejected,
    DestinationFault,
    RightsRefused,
    ServiceFailed,
    Throttled,
    quoted,
    retry_after,
)

# Service codes that speak of rights or of the audience, never of the data sent: E3004 is "not found
# or no access", so the status decides where there is one that says which.
_CODE_FAULTS: Mapping[str, type[DestinationFault]] = {
    "E3002": RightsRefused,
    "E3003": AudienceGone,
    "E3004": RightsRefused,
}
_STATUS_FAULTS: Mapping[int, type[DestinationFault]] = {
    401: CredentialsRejected,
    403: RightsRefused,
    404: AudienceGone,
    410: AudienceGone,
    # The service gave up waiting for the request: nothing is wrong with what it holds.
    408: ServiceFailed,
}
_CODE = re.compile(r"\bE\d{4}\b")
_LONGEST_REQUEST_ID = 100


class Refused(DestinationFault):
    """The service does not take what the request holds. For a batch this becomes a receipt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A successful answer's document, with what identifies it to the service's support."""

    status: int
    request_id: str
    document: Mapping[str, Any]


def read_answer(
    response: requests.Response, *, clock: Callable[[], float], has_status: bool = True
) -> Answer:
    """The answer, where the service says of every part that it succeeded.

    `has_status` is False for the one call whose example shows no `request_status`. Raises the fault
    that the answer means, and `Refused` for one that concerns the content.
    """
    status = response.status_code
    document = _object(response.content)
    if status == 429:
        raise Throttled(
            _message(response, document),
            http_status=status,
            request_id=_request_id(document),
            retry_after=retry_after(response.headers, clock()),
        )
    if not 200 <= status < 300:
        raise _fault(response, document, _fault_of_status(status, document))
    if document is None:
        raise _fault(response, document, ServiceFailed)
    return _succeeded(response, document, has_status=has_status)


def _succeeded(response: requests.Response, document: Mapping[str, Any], *, has_status: bool) -> Answer:
    """The answer of a 2xx, whose body has the last word."""
    words = {word.casefold() for word in _statuses(document)}
    if "error" in words:
        raise _fault(response, document, _CODE_FAULTS.get(_code(document), Refused))
    # A word that nobody knows is no success: the outcome is open.
    stated = "request_status" in document
    if words - {"success"} or (has_status and not stated):
        raise _fault(response, document, ServiceFailed)
    return Answer(status=response.status_code, request_id=_request_id(document), document=document)


def _fault_of_status(status: int, document: Mapping[str, Any] | None) -> type[DestinationFault]:
    if status in _STATUS_FAULTS:
        return _STATUS_FAULTS[status]
    if 400 <= status < 500:
        return _CODE_FAULTS.get(_code(document), Refused)
    return ServiceFailed


def _fault(
    response: requests.Response, document: Mapping[str, Any] | None, kind: type[DestinationFault]
) -> DestinationFault:
    return kind(
        _message(response, document),
        http_status=response.status_code,
        request_id=_request_id(document),
    )


def _statuses(value: Any) -> Iterator[str]:
    """Every `request_status` and `sub_request_status`, however deep."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name in ("request_status", "sub_request_status"):
                yield str(inner)
            else:
                yield from _statuses(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _statuses(inner)


def _reasons(value: Any) -> Iterator[str]:
    """Every reason for a failure, outermost first."""
    if isinstance(value, Mapping):
        for name in ("debug_message", "display_message", "sub_request_error_reason"):
            if isinstance(value.get(name), str):
                yield value[name]
        for inner in value.values():
            yield from _reasons(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _reasons(inner)


def _code(document: Mapping[str, Any] | None) -> str:
    """The service's code for a failure, from its field or from a reason; empty where there is none."""
    if document is None:
        return ""
    if isinstance(document.get("error_code"), str):
        return str(document["error_code"]).upper()
    found = _CODE.search(" ".join(_reasons(document)))
    return found[0] if found else ""


def _message(response: requests.Response, document: Mapping[str, Any] | None) -> str:
    said = next(_reasons(document), "") if document is not None else _plain_text(response)
    code = _code(document)
    if code and code not in said:
        said = f"{said} ({code})"
    if not said:
        said = "the answer does not say whether it succeeded" if response.ok else "no reason given"
    return quoted(f"Snapchat answered {response.status_code}: {said}")


def _plain_text(response: requests.Response) -> str:
    text = response.content[:2000].decode("utf-8", "replace").strip()
    return "a page that is not JSON" if text.startswith("<") else text


def _request_id(document: Mapping[str, Any] | None) -> str:
    return quoted(str((document or {}).get("request_id") or ""))[:_LONGEST_REQUEST_ID]


def _object(content: bytes) -> Mapping[str, Any] | None:
    """None where the content is no JSON object. An exception would carry the content along."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None
