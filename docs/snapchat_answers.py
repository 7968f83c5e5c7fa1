"""The part of the reference page on Snapchat that says what each answer leads to.

What an answer means is asked of the plugin itself, with such an answer; what the core then does is said here
once for each meaning, and the exit status is the code's.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import requests

from cdp_core import (
    AudienceGone,
    CredentialsRejected,
    DestinationFault,
    RightsRefused,
    ServiceFailed,
    Throttled,
)
from cdp_core.errors import Code
from cdp_snapchat.answers import Refused, read_answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequence:
    does: str
    code: Code | None
    exit_status: int
    mend: str


CONSEQUENCES: Mapping[type[DestinationFault], Consequence] = {
    Refused: Consequence(
        does="Halves the batch until the digests that Snapchat does not take stand alone; the others go "
        "through. The next run sends the bad ones again, in batches of their own.",
        code=None,
        exit_status=8,
        mend="`cdp export show-run RUN` has Snapchat's words; `cdp export rejected RUN --output FILE` writes "
        "the rows behind the digests.",
    ),
    CredentialsRejected: Consequence(
        does="Gets a newer token, once, and sends the batch again. A second such answer ends the delivery; "
        "nothing is sent over the connection until somebody has signed in again.",
        code=Code.RECONNECT,
        exit_status=Code.RECONNECT.exit_status,
        mend="`cdp connection authenticate NAME`",
    ),
    RightsRefused: Consequence(
        does="Ends the delivery, since every other batch would be refused as well.",
        code=Code.RIGHTS_REFUSED,
        exit_status=Code.RIGHTS_REFUSED.exit_status,
        mend="Have the signed-in user made at least Data Manager of the ad account, or sign in as somebody "
        "who is. `cdp connection verify NAME` says what is lacking.",
    ),
    AudienceGone: Consequence(
        does="Ends the delivery: there is nothing to send to.",
        code=Code.AUDIENCE_GONE,
        exit_status=Code.AUDIENCE_GONE.exit_status,
        mend="Look for it with `cdp connection audiences NAME`; name another one with "
        "`cdp export edit NAME --leave-members --set audience_id=…`.",
    ),
    Throttled: Consequence(
        does="Waits as long as `Retry-After` says, else with growing pauses, and sends it again; every run "
        "on the same sign-in or app goes slower. What was never taken counts as *not sent*.",
        code=Code.SERVICE_UNREACHABLE,
        exit_status=Code.SERVICE_UNREACHABLE.exit_status,
        mend="Run again later, or with fewer `requests_at_once`.",
    ),
    ServiceFailed: Consequence(
        does="Sends it again with growing pauses, which is harmless, since members are a set. What still has "
        "no answer counts as *unknown*, and the next run sends it again.",
        code=Code.SERVICE_UNREACHABLE,
        exit_status=Code.SERVICE_UNREACHABLE.exit_status,
        mend="Run again; if it goes on, look at Snapchat's status page.",
    ),
}

STATUSES = (400, 401, 403, 404, 405, 406, 408, 410, 418, 429, 500, 503)
SUB_STATUSES = {
    "E2023": "a field that cannot be changed",
    "E3002": "no permission",
    "E3003": "not found",
    "E3004": "not found, or no permission",
}


def rows() -> Iterator[tuple[str, ...]]:
    """One for each consequence, with the answers that lead to it."""
    found: dict[type[DestinationFault], list[str]] = {}
    for title, fault in _answers():
        found.setdefault(fault, []).append(title)
    for fault, follows in CONSEQUENCES.items():
        code = f"`{follows.code}`" if follows.code else ""
        answers = "; ".join(found.pop(fault))
        yield answers, follows.does, code, str(int(follows.exit_status)), follows.mend
    if found:
        raise ValueError(f"no consequence is told of {found}")


def _answers() -> Iterator[tuple[str, type[DestinationFault]]]:
    for status in STATUSES:
        yield str(status), meaning(status, {})
    yield "any other 4xx", meaning(499, {})
    yield "any other 5xx", meaning(599, None)
    yield "3xx", meaning(302, None)
    for code, said in SUB_STATUSES.items():
        in_200 = meaning(200, _failed(code))
        if in_200 is not meaning(400, _failed(code)):
            raise ValueError(f"{code} means one thing in a 200 and another in a 400")
        yield f"`{code}` ({said}), also in a 200", in_200
    yield "a 200 with any other `ERROR` in it", meaning(200, _failed(""))
    yield "a 200 without a status or with an unknown one", meaning(200, {})
    yield "a 200 that is no JSON", meaning(200, None)


def _failed(code: str) -> Mapping[str, object]:
    reason = f"Error code: {code}, message: no" if code else "no"
    return {
        "request_status": "SUCCESS",
        "users": [{"sub_request_status": "ERROR", "sub_request_error_reason": reason}],
    }


def meaning(status: int, document: Mapping[str, object] | None) -> type[DestinationFault]:
    """What the plugin makes of an answer; None is a page that is no JSON."""
    response = requests.Response()
    response.status_code = status
    response._content = b"<html>" if document is None else json.dumps(document).encode()
    try:
        read_answer(response, clock=time.time)
    except DestinationFault as fault:
        return type(fault)
    raise ValueError(f"{status} is a success")
