"""Answers of services, and templates: outcomes or faults of the contract, fit to be shown."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import requests
from hypothesis import strategies as st
from requests_oauthlib import OAuth2Session

from cdp_core import ConnectionContext, DestinationFault, Secret, SignInFault, Token, quoted
from cdp_core.contract.schemas import load_settings
from cdp_core.oauth import client_tokens
from cdp_snapchat import identity
from cdp_snapchat.answers import read_answer
from cdp_snapchat.client import SnapchatClient
from cdp_snapchat.schemas import ConnectionSettings as SnapchatSettings
from cdp_snapchat.token_endpoint import TokenEndpoint
from cdp_webhook.answers import AnswerRules, receipt, status_ranges
from cdp_webhook.template import Values, body_of, checked_path, filled, path
from fuzzing import documents, fuzzed, texts

WORDS = (
    *("request_status", "SUCCESS", "ERROR", "request_id", "segments", "segment", "users", "user", "paging"),
    *(
        "next_link",
        "number_uploaded_users",
        "debug_message",
        "E3002",
        "me",
        "id",
        "organizations",
        "adaccounts",
    ),
    *(
        "access_token",
        "expires_in",
        "refresh_token",
        "scope",
        "error",
        "errors",
        "result",
        "digest",
        "reason",
    ),
)
bodies = st.one_of(documents(WORDS).map(lambda each: json.dumps(each).encode()), st.binary(max_size=80))
headers = texts("120", "1.5", "Fri, 27 Nov 2026 02:00:00 GMT", "0")
statuses = st.sampled_from([200, 201, 204, 302, 400, 401, 403, 404, 408, 410, 422, 429, 500, 503])


def answer(status: int, body: bytes, retry_after: str = "") -> requests.Response:
    made = requests.Response()
    made.status_code, made._content = status, body
    made.request = requests.Request("GET", "https://api.example/").prepare()
    if retry_after:
        made.headers["Retry-After"] = retry_after
    return made


def harmless(text: str) -> None:
    assert text.isprintable(), text


def told(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except DestinationFault as fault:
        harmless(fault.message)
        harmless(fault.request_id)
        wait = getattr(fault, "retry_after", None)
        assert wait is None or 0 <= wait <= 3600
        return None


@fuzzed(statuses, bodies, headers)
def test_an_answer_of_snapchat(status: int, body: bytes, retry_after: str) -> None:
    found = told(lambda: read_answer(answer(status, body, retry_after), clock=lambda: 0.0))
    if found is not None:
        harmless(found.request_id)


class Answering(requests.Session):
    """A service that gives the same answers to everybody, one after another."""

    def __init__(self, answers: list[tuple[int, bytes]]) -> None:
        super().__init__()
        self._answers = answers
        self.asked: list[str] = []

    def request(self, method: Any, url: Any, *_: Any, **__: Any) -> requests.Response:
        self.asked.append(str(url))
        return answer(*self._answers[len(self.asked) % len(self._answers)])


ME = b'{"me": {"id": "1", "display_name": "A"}}'
PAGE = {"request_status": "SUCCESS", "request_id": "1", "paging": {"next_link": "https://evil.example/x"}}
LISTED = {
    "organizations": [{"organization": {"id": "o", "name": "\x1b[2J"}}],
    "adaccounts": [{"adaccount": {"id": "../x", "name": "A"}}],
    "segments": [{"segment": {"id": "1", "name": "A"}}],
}
pages = st.builds(
    lambda one, other: json.dumps({**PAGE, **LISTED, **one, **other}).encode(),
    st.sampled_from([{}, {"paging": {}}]),
    st.dictionaries(st.sampled_from(WORDS), documents(WORDS), max_size=2),
)


@fuzzed(st.lists(st.tuples(st.just(200) | statuses, st.just(ME) | pages | bodies), min_size=1, max_size=4))
def test_who_one_is_at_snapchat(answers: list[tuple[int, bytes]]) -> None:
    given = {"client_id": "c", "client_secret": Secret("s"), "api_url": "https://api.example/v1"}
    settings = load_settings(SnapchatSettings, given, what="it")
    http = Answering(answers)
    connection = ConnectionContext(settings=settings, http=http, clock=lambda: 0.0)
    found = told(lambda: identity.who_am_i(connection))
    if found is not None:
        harmless("".join([found.name, *found.details, *found.details.values(), *found.lacking]))
    told(lambda: list(SnapchatClient.over(connection).segments("../.."))[:5])
    assert {urlsplit(url).netloc for url in http.asked} == {"api.example"}


SNAPCHAT = load_settings(SnapchatSettings, {"client_id": "c", "client_secret": Secret("s")}, what="it")


@fuzzed(statuses, bodies, st.dictionaries(st.sampled_from(WORDS), documents(WORDS), max_size=4))
def test_an_answer_of_a_token_endpoint(status: int, body: bytes, document: dict[str, Any]) -> None:
    endpoint = TokenEndpoint(SNAPCHAT, clock=lambda: 0.0)
    kept = Token(access=Secret("a"), refresh=Secret("r"), expires_at=None, scope="")
    for content in (body, json.dumps({"token_type": "Bearer", "access_token": "a", **document}).encode()):
        said = answer(status, content)
        found = client_tokens._read(said, ("secret",))
        if isinstance(found, SignInFault):
            harmless(found.message)
        else:
            client_tokens._seconds(found.get("expires_in"))
        with mock.patch.object(OAuth2Session, "request", return_value=said):
            signed_in(lambda: endpoint.for_code("code", "http://127.0.0.1/cb"))
            signed_in(lambda: endpoint.refreshed(kept))


def signed_in(ask: Callable[[], Token]) -> None:
    """With a token, or a fault that says why not."""
    try:
        assert isinstance(ask(), Token)
    except SignInFault as fault:
        harmless(fault.message)


RULES = AnswerRules(
    success_statuses=status_ranges("200-299"),
    success_path="result",
    success_value="SUCCESS",
    accepted_path="users.id",
    refused_path="errors",
    refused_key="digest",
    refused_reason="reason",
    message_path="error",
    request_id_path="id",
    secrets=("s3cret",),
)
DIGESTS = ("a" * 64, "b" * 64)
results = st.dictionaries(st.sampled_from(WORDS), documents((*WORDS, *DIGESTS, 1)), max_size=5).map(
    lambda each: json.dumps({"result": "SUCCESS", **each}).encode()
)


@fuzzed(st.just(200) | statuses, bodies | results, headers)
def test_an_answer_to_a_webhook(status: int, body: bytes, retry_after: str) -> None:
    said = answer(status, body, retry_after)
    found = told(lambda: receipt(said, RULES, digests=DIGESTS, clock=lambda: 0.0))
    if found is not None:
        harmless(found.message + found.request_id + "".join(found.refused.values()))
        assert set(found.refused) <= {0, 1}


TEMPLATES = (
    '{"list": "$audience_id", "hashes": "$digests", "n": "$count"}',
    '{"users": {"$each": {"id": "$digest", "of": ["$kind", "x-$operation"]}}, "price": "5 $$"}',
)
values = texts("7", "..", "a/b", "$digests")


@fuzzed(texts(*TEMPLATES), values)
def test_a_template_of_a_body(template: str, value: str) -> None:
    with suppress(ValueError):
        document = body_of(template)
        made = filled(document, Values(audience_id=value, kind=value, operation="add", digests=DIGESTS))
        assert json.loads(made) is not None


@fuzzed(texts("/lists/$audience_id/members?op=$operation", "/a/%2e%2e/b"), values)
def test_a_template_of_a_path(template: str, value: str) -> None:
    with suppress(ValueError):
        checked_path(template)
        made = path(template, Values(audience_id=value, kind=value, operation=value))
        url = requests.Request("GET", f"https://api.example/v1{made}").prepare().url or ""
        assert url.startswith("https://api.example/v1/")


@fuzzed(texts("\x1b]8;;http://evil\x07click\x1b]8;;\x07", "a@b.de " + "a" * 64, "Bearer abc"))
def test_words_of_a_service(said: str) -> None:
    harmless(quoted(said, ("abc",)))
    assert not re.search(r"\b[0-9a-f]{64}\b|\w@\w", quoted(said))
