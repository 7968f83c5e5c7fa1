"""The one place where the service's HTTP answers become receipts, documents or faults.

What the service echoes is masked by `quoted` before anybody sees it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from typing import Any

import requests
from cdp_core import (
    AudienceGone,
    CredentialsRejected,
    DestinationFault,
    Receipt,
    RightsRefused,
    ServiceFailed,
    Throttled,
    quoted,
    retry_after,
)

_FAULTS: Mapping[int, type[DestinationFault]] = {
    401: CredentialsRejected,
    403: RightsRefused,
    404: AudienceGone,
    408: ServiceFailed,
    410: AudienceGone,
}


class Refused(DestinationFault):
    """The service does not take what the request holds. Of a batch this becomes a receipt."""


def document(response: requests.Response, secrets: Iterable[str]) -> Mapping[str, Any]:
    """The JSON object of an answer that tells of success; raises the fault that any other one means, in words
    without `secrets`, which a service may say back."""
    status, found = response.status_code, _object(response)
    if status in (200, 201):
        if found is None:
            raise ServiceFailed("the answer is not the JSON that it should be", http_status=status)
        return found
    message, request_id = _message(status, found or {}, secrets), _request_id(found or {})
    if status == 429:
        wait = retry_after(response.headers, time.time())
        raise Throttled(message, request_id=request_id, retry_after=wait)
    # A redirect is not followed: what is neither success nor a refusal says nothing of the content.
    default = Refused if 400 <= status < 500 else ServiceFailed
    raise _FAULTS.get(status, default)(message, http_status=status, request_id=request_id)


def receipt(response: requests.Response, count: int, secrets: Iterable[str]) -> Receipt:
    """What the service answered to a batch of `count` digests: one answer for each, in their order."""
    try:
        found = document(response, secrets)
    except Refused as refused:
        return Receipt(
            accepted=False,
            request_id=refused.request_id,
            http_status=refused.http_status,
            message=refused.message,
        )
    answers = found.get("answers")
    if not isinstance(answers, list) or len(answers) != count:
        # Whom it has taken is not known; to guess would claim more than the service said.
        raise ServiceFailed(
            f"the answer does not say what became of each of {count} digests",
            http_status=response.status_code,
            request_id=_request_id(found),
        )
    return Receipt(
        accepted=True,
        request_id=_request_id(found),
        http_status=response.status_code,
        refused={place: _reason(answer) for place, answer in enumerate(answers) if not _is_taken(answer)},
    )


def _is_taken(answer: Any) -> bool:
    return isinstance(answer, Mapping) and answer.get("status") == "accepted"


def _reason(answer: Any) -> str:
    said = answer.get("reason") if isinstance(answer, Mapping) else None
    return quoted(str(said)) if said else "the service refused this digest and gave no reason"


def _object(response: requests.Response) -> Mapping[str, Any] | None:
    try:
        found = json.loads(response.content)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, Mapping) else None


def _message(status: int, found: Mapping[str, Any], secrets: Iterable[str]) -> str:
    error = found.get("error")
    said = error.get("message") if isinstance(error, Mapping) else None
    return quoted(f"the service answered {status}" + (f": {said}" if said else ""), secrets)


def _request_id(found: Mapping[str, Any]) -> str:
    return quoted(str(found.get("request_id") or ""))
