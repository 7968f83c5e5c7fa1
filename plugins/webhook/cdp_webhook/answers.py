"""The one place where a service's HTTP answers become receipts or faults, by the connection's settings."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import requests

from cdp_core import (
    AudienceGone,
    CredentialsRejected,
    DestinationFault,
    Receipt,
    RightsRefused,
    Secret,
    ServiceFailed,
    Throttled,
    quoted,
    retry_after,
)
from cdp_webhook.complaints import complaint

_STATUS_FAULTS: Mapping[int, type[DestinationFault]] = {
    401: CredentialsRejected,
    403: RightsRefused,
    404: AudienceGone,
    408: ServiceFailed,
    410: AudienceGone,
}
_LONGEST_REQUEST_ID = 100
_MISSING = object()


class Refused(DestinationFault):
    """The service does not take what the request holds. For a batch this becomes a receipt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRules:
    """How an answer reads. Paths lead into its JSON, by names and places with dots between
    (`result.errors.0.text`); an empty one says that the service does not tell."""

    success_statuses: tuple[range, ...]
    success_path: str = ""
    success_value: str = ""
    accepted_path: str = ""
    refused_path: str = ""
    refused_key: str = ""
    refused_reason: str = ""
    message_path: str = ""
    request_id_path: str = ""
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> AnswerRules:
        names = set(cls.__dataclass_fields__) - {"success_statuses", "secrets"}
        return cls(
            success_statuses=status_ranges(settings["success_statuses"]),
            secrets=tuple(each.reveal() for each in settings.values() if isinstance(each, Secret)),
            **{name: str(settings.get(name) or "") for name in names},
        )

    def told(self, document: Any, path: str) -> str:
        """A value of the answer in words, fit to be shown, without what a service echoes of our secrets."""
        found = at(document, path) if path else _MISSING
        return "" if found is _MISSING or found is None else quoted(str(found), self.secrets)


def status_ranges(text: str) -> tuple[range, ...]:
    """`200-299,304` as ranges; raises `ValueError` with a sentence where it is not that."""
    found = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*([2-3]\d\d)(?:\s*-\s*([2-3]\d\d))?\s*", part)
        if match is None:
            raise ValueError(
                complaint(
                    "Statuses read 200-299, or 200,202: numbers from 200 to 399.",
                    nl="Statussen luiden 200-299, of 200,202: getallen van 200 tot en met 399.",
                    da="Statusser lyder 200-299, eller 200,202: tal fra 200 til 399.",
                )
            )
        found.append(range(int(match[1]), int(match[2] or match[1]) + 1))
    return tuple(found)


def document_of(response: requests.Response) -> Any:
    """The answer's JSON, None where it has none. An exception would carry the content along."""
    try:
        return json.loads(response.content)
    except (ValueError, RecursionError):
        return None


def at(document: Any, path: str) -> Any:
    """What a path leads to; `_MISSING` where it leads nowhere."""
    for part in path.split("."):
        if isinstance(document, Mapping) and part in document:
            document = document[part]
        elif isinstance(document, list) and part.isdecimal() and int(part) < len(document):
            document = document[int(part)]
        else:
            return _MISSING
    return document


def number_at(document: Any, path: str) -> int | None:
    found = at(document, path) if path else _MISSING
    if isinstance(found, str) and found.isdecimal():
        return int(found)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def succeeded(
    response: requests.Response, rules: AnswerRules, *, clock: Callable[[], float], shape: bool = True
) -> Any:
    """The document of an answer that tells of success. Raises the fault that it means otherwise, and
    `Refused` for one that concerns the content. Without `shape` the status alone is looked at."""
    status, document = response.status_code, document_of(response)

    def fault(kind: type[DestinationFault], said: str = "") -> DestinationFault:
        return kind(
            _message(response, document, rules, said),
            http_status=status,
            request_id=_request_id(document, rules),
        )

    if status == 429:
        raise Throttled(
            _message(response, document, rules),
            request_id=_request_id(document, rules),
            retry_after=retry_after(response.headers, clock()),
        )
    if not any(status in statuses for statuses in rules.success_statuses):
        if 300 <= status < 400:
            raise fault(ServiceFailed, "a redirect, which is not followed")
        default = Refused if 400 <= status < 500 else ServiceFailed
        raise fault(_STATUS_FAULTS.get(status, default))
    if shape and rules.success_path:
        stated = at(document, rules.success_path)
        if stated is _MISSING:
            raise fault(ServiceFailed, "the answer does not say whether it succeeded")
        if _as_text(stated) != rules.success_value:
            raise fault(Refused)
    return document


def receipt(
    response: requests.Response,
    rules: AnswerRules,
    *,
    digests: Sequence[str],
    clock: Callable[[], float],
) -> Receipt:
    """What the service answered to a batch of these digests (hexadecimal), and no more than it said."""
    try:
        document = succeeded(response, rules, clock=clock)
    except Refused as refusal:
        return Receipt(
            accepted=False,
            request_id=refusal.request_id,
            http_status=refusal.http_status,
            message=refusal.message,
        )
    refused = _refused(document, rules, digests, response)
    counted = number_at(document, rules.accepted_path)
    differs = counted is not None and counted != len(digests) - len(refused)
    return Receipt(
        accepted=True,
        request_id=_request_id(document, rules),
        http_status=response.status_code,
        message=f"the service counted {counted} of {len(digests)} records" if differs else "",
        refused=refused,
    )


def _refused(
    document: Any, rules: AnswerRules, digests: Sequence[str], response: requests.Response
) -> dict[int, str]:
    """The places of the records that the service does not take, with its reasons."""
    listed = at(document, rules.refused_path) if rules.refused_path else _MISSING
    if listed is _MISSING or listed is None:
        return {}
    places = {digest: place for place, digest in enumerate(digests)}
    found: dict[int, str] = {}
    for entry in listed if isinstance(listed, list) else [listed]:
        place = _place(at(entry, rules.refused_key) if rules.refused_key else entry, places, len(digests))
        if place is None:
            # To take it for a success would claim more than the service said.
            raise ServiceFailed(
                "the answer names refused records that were not in the request: see refused_path and "
                "refused_key",
                http_status=response.status_code,
                request_id=_request_id(document, rules),
            )
        reason = rules.told(entry, rules.refused_reason)
        found[place] = reason or f"the service answered {response.status_code} and refused this record"
    return found


def _place(named: Any, places: Mapping[str, int], count: int) -> int | None:
    """Of a record that is named by its digest, or by its place from 0."""
    if isinstance(named, str) and named.lower() in places:
        return places[named.lower()]
    if isinstance(named, int) and not isinstance(named, bool) and 0 <= named < count:
        return named
    return None


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _message(response: requests.Response, document: Any, rules: AnswerRules, said: str = "") -> str:
    said = said or rules.told(document, rules.message_path)
    return quoted(f"the service answered {response.status_code}" + (f": {said}" if said else ""))


def _request_id(document: Any, rules: AnswerRules) -> str:
    return rules.told(document, rules.request_id_path)[:_LONGEST_REQUEST_ID]
