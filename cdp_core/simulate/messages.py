"""What goes in and out of a stand-in's handlers: requests, answers and refusals.

The server makes a `Request` of what came over the wire, a handler returns an `Answer` or raises a
`Refusal`, which the app renders in the words of the service that it stands in for.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl


class Refusal(Exception):
    """The stand-in does not do what was asked. `code` is the service's own word for the reason."""

    def __init__(
        self, status: int, message: str, *, code: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.headers = dict(headers or {})


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(pairs)
    if len(unique) != len(pairs):
        raise ValueError("a key is given twice in one object")
    return unique


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def strict_json(body: bytes) -> Any:
    """The JSON value of `body`: UTF-8, no key twice, no NaN or Infinity. Raises `Refusal` (400)."""
    try:
        return json.loads(
            body.decode("utf-8"), object_pairs_hook=_without_duplicates, parse_constant=_no_constant
        )
    except (ValueError, RecursionError) as error:
        # The error's own words may quote the body, which can hold what nobody should read.
        raise Refusal(400, "the body is not valid JSON") from error


def strict_parameters(text: str) -> dict[str, str]:
    """The parameters of a query or a form, each given once. Raises `Refusal` (400)."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text))
    except ValueError as error:
        raise Refusal(400, "the parameters are not well-formed") from error
    parameters = dict(pairs)
    if len(parameters) != len(pairs):
        raise Refusal(400, "a parameter is given twice")
    return parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request. Header names are lower-case; `arguments` are the pattern's, unquoted.

    `base_url` is scheme, host and port as the client knows them, for links in answers. What may
    hold a secret is kept out of `repr`.
    """

    method: str
    path: str
    base_url: str = ""
    query_string: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    arguments: Mapping[str, str] = field(default_factory=dict)

    def query(self) -> dict[str, str]:
        return strict_parameters(self.query_string)

    def json(self) -> Any:
        return strict_json(self.body)

    def form(self) -> dict[str, str]:
        try:
            return strict_parameters(self.body.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise Refusal(400, "the form is not UTF-8") from error

    @property
    def bearer(self) -> str | None:
        """The access token of the Authorization header."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() or None if scheme.lower() == "bearer" else None

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer. `items` is how many things the request brought, for the log; a `stream` is sent in
    chunks instead of `body`."""

    status: int = 200
    body: bytes = field(default=b"", repr=False)
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    stream: Iterable[bytes] | None = field(default=None, repr=False)
    items: int = 0

    def json(self) -> Any:
        return json.loads(self.body)


def json_answer(
    value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None, items: int = 0
) -> Answer:
    body = json.dumps(value, separators=(",", ":")).encode()
    return Answer(status=status, body=body, headers=dict(headers or {}), items=items)


def text_answer(text: str, *, status: int = 200, content_type: str = "text/plain; charset=utf-8") -> Answer:
    return Answer(status=status, body=text.encode(), content_type=content_type)


def redirect(location: str) -> Answer:
    return Answer(status=302, content_type="text/plain", headers={"Location": location})


def refuse_as_json(_request: Request, refusal: Refusal) -> Answer:
    """The plain rendering of a refusal, for services that have no words of their own."""
    error = {"error": refusal.message} | ({"code": refusal.code} if refusal.code else {})
    return json_answer(error, status=refusal.status, headers=refusal.headers)
