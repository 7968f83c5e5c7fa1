"""The settings of a webhook connection and of an export over it: declared here, and nowhere else.

The connection describes the service: where requests go, what is in them, and how its answers read. An export
over it only names its audience. So who may add connections decides what leaves and where to.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import marshmallow
from marshmallow import fields, validate

from cdp_core import (
    ApiKey,
    BasicAuth,
    BearerToken,
    ClientCredentials,
    Credentials,
    Rate,
    SecretField,
    ServiceUrl,
    SettingsSchema,
    TransportSettings,
)
from cdp_webhook import words
from cdp_webhook.answers import status_ranges
from cdp_webhook.complaints import complaint
from cdp_webhook.template import body_of, checked_path

KINDS = ("EMAIL", "PHONE", "MOBILE_AD_ID")
BATCH_LIMIT = 100_000
BATCH_SIZE = 10_000
REQUESTS_AT_ONCE = 4
MOST_REQUESTS_AT_ONCE = 8
REQUESTS_PER_SECOND = 5.0
ANSWER_TIMEOUT = 300.0
METHODS = ("POST", "PUT", "PATCH", "DELETE")
# What each way to authenticate needs.
NEEDS: Mapping[str, tuple[str, ...]] = {
    "none": (),
    "basic": ("username", "password"),
    "bearer": ("token",),
    "api-key": ("api_key",),
    "client-credentials": ("token_url", "client_id", "client_secret"),
}
# The session's own, or the credentials' place.
_NOT_FIXED = frozenset(
    {"authorization", "connection", "content-length", "content-type", "cookie", "host", "transfer-encoding"}
)
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_NO_HEADERS = complaint(
    'It is not a JSON object of texts, such as {{"Api-Version": "2026-01"}}.',
    nl='Het is geen JSON-object met teksten, zoals {{"Api-Version": "2026-01"}}.',
    da='Det er ikke et JSON-objekt med tekster, såsom {{"Api-Version": "2026-01"}}.',
)
_NO_AUDIENCE = complaint(
    "An audience's id has 1 to 200 characters, none of them white, and is not . or .. itself.",
    nl="De id van een doelgroep heeft 1 tot 200 tekens, zonder witruimte, en is niet . of .. zelf.",
    da="En målgruppes id har 1 til 200 tegn, uden mellemrum, og er ikke selv . eller ..",
)
_TOGETHER = complaint(
    "success_path and success_value are given together.",
    nl="success_path en success_value worden samen gegeven.",
    da="success_path og success_value angives sammen.",
)
_AUDIENCE_ID = re.compile(r"[^\s\x00-\x1f\x7f]{1,200}\Z")


def origin(settings: Mapping[str, Any]) -> str:
    """The API's address: an audience there is not the same as one of that id under another address."""
    return str(settings["api_url"]).strip().rstrip("/")


def rate(settings: Mapping[str, Any]) -> Rate:
    return Rate(requests_per_second=float(settings["requests_per_second"]))


def credentials(settings: Mapping[str, Any]) -> Credentials | None:
    """What requests to the service carry, by the setting `auth`."""
    auth = settings["auth"]
    if auth == "basic":
        return BasicAuth(username=settings["username"], password=settings["password"])
    if auth == "bearer":
        return BearerToken(token=settings["token"])
    if auth == "api-key":
        return ApiKey(name=settings["api_key_name"], key=settings["api_key"], place=settings["api_key_place"])
    if auth == "client-credentials":
        return ClientCredentials(
            token_url=settings["token_url"],
            client_id=settings["client_id"],
            client_secret=settings["client_secret"],
            scope=settings["scope"],
            in_body=settings["client_in_body"],
        )
    return None


def kind_names(text: str) -> dict[str, str]:
    """What the service calls each kind; raises `ValueError` with a sentence where the text is not that."""
    found: dict[str, str] = {}
    for part in filter(None, (each.strip() for each in text.split(","))):
        kind, sign, name = (each.strip() for each in part.partition("="))
        if not sign or not name or kind not in KINDS or kind in found:
            raise ValueError(
                complaint(
                    "It reads KIND=NAME,KIND=NAME, with each of {kinds} once at most.",
                    nl="Het luidt SOORT=NAAM,SOORT=NAAM, met elk van {kinds} hoogstens één keer.",
                    da="Det lyder SLAGS=NAVN,SLAGS=NAVN, med hver af {kinds} højst én gang.",
                    kinds=", ".join(KINDS),
                )
            )
        found[kind] = name
    return found


def fixed_headers(text: str) -> dict[str, str]:
    """Headers of every request; raises `ValueError` with a sentence where the text is no object of them."""
    if not text:
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError(_NO_HEADERS) from None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise ValueError(_NO_HEADERS)
    for name, value in found.items():
        if name.lower() in _NOT_FIXED:
            raise ValueError(
                complaint(
                    "{name} is not set here; credentials have settings of their own.",
                    nl="{name} wordt niet hier ingesteld; referenties hebben eigen instellingen.",
                    da="{name} angives ikke her; legitimation har sine egne indstillinger.",
                    name=name,
                )
            )
        if not _HEADER_NAME.fullmatch(name) or not value.isprintable() or not value.isascii():
            raise ValueError(
                complaint(
                    "A header has a name without white space, and a value of plain characters.",
                    nl="Een header heeft een naam zonder witruimte, en een waarde van gewone tekens.",
                    da="En header har et navn uden mellemrum og en værdi af almindelige tegn.",
                )
            )
    return found


def _reads(read: Callable[[str], object]) -> Callable[[str], None]:
    """A check of a text setting by whatever reads it; an empty one is not set."""

    def check(value: str) -> None:
        if not value:
            return
        try:
            read(value)
        except ValueError as wrong:
            raise marshmallow.ValidationError(wrong.args[0]) from None

    return check


def _no_colon(value: str) -> None:
    if ":" in value:
        raise ValueError(
            complaint(
                "A user name holds no colon.",
                nl="Een gebruikersnaam heeft geen dubbele punt.",
                da="Et brugernavn har intet kolon.",
            )
        )


def _text(name: str, default: str | None = "", **options: Any) -> fields.String:
    """A text setting; without a default it is required."""
    need: dict[str, Any] = {"required": True} if default is None else {"load_default": default}
    return fields.String(metadata=words.of(name), **need, **options)


def _check_audience_id(value: str) -> None:
    if not _AUDIENCE_ID.match(value) or value in (".", ".."):
        raise marshmallow.ValidationError(_NO_AUDIENCE)


class _Trimmed(SettingsSchema):
    """Settings are pasted from web pages: the white space around them is nobody's wish."""

    @marshmallow.pre_load
    def _trim(self, values: Mapping[str, Any], **_: Any) -> dict[str, Any]:
        return {name: value.strip() if isinstance(value, str) else value for name, value in values.items()}


class ConnectionSettings(_Trimmed, TransportSettings):
    """Where a service is, who one is there, what requests look like, and how answers read."""

    api_url = _text("api_url", None, validate=ServiceUrl())
    auth = _text("auth", "none", validate=validate.OneOf(tuple(NEEDS)))
    username = _text("username", validate=_reads(_no_colon))
    password = SecretField(load_default=None, metadata=words.of("password"))
    token = SecretField(load_default=None, metadata=words.of("token"))
    api_key = SecretField(load_default=None, metadata=words.of("api_key"))
    token_url = _text("token_url", validate=lambda value: ServiceUrl()(value) if value else value)
    client_id = _text("client_id")
    client_secret = SecretField(load_default=None, metadata=words.of("client_secret"))
    add_path = _text("add_path", None, validate=_reads(checked_path))
    add_body = _text("add_body", None, validate=_reads(body_of))
    api_key_name = _text("api_key_name", "X-Api-Key", validate=validate.Regexp(_HEADER_NAME))
    api_key_place = _text("api_key_place", "header", validate=validate.OneOf(("header", "query")))
    scope = _text("scope")
    client_in_body = fields.Boolean(load_default=False, metadata=words.of("client_in_body"))
    add_method = _text("add_method", "POST", validate=validate.OneOf(METHODS))
    remove_method = _text("remove_method", "DELETE", validate=validate.OneOf(METHODS))
    remove_path = _text("remove_path", validate=_reads(checked_path))
    remove_body = _text("remove_body", validate=_reads(body_of))
    kind_names = _text("kind_names", validate=_reads(kind_names))
    headers = _text("headers", validate=_reads(fixed_headers))
    verify_path = _text(
        "verify_path", validate=_reads(lambda value: checked_path(value, placeholders=frozenset()))
    )
    verify_name_path = _text("verify_name_path")
    audience_path = _text(
        "audience_path",
        validate=_reads(lambda value: checked_path(value, placeholders=frozenset({"audience_id"}))),
    )
    audience_name_path = _text("audience_name_path")
    audience_size_path = _text("audience_size_path")
    success_statuses = _text("success_statuses", "200-299", validate=_reads(status_ranges))
    success_path = _text("success_path")
    success_value = _text("success_value")
    accepted_path = _text("accepted_path")
    refused_path = _text("refused_path")
    refused_key = _text("refused_key")
    refused_reason = _text("refused_reason")
    message_path = _text("message_path")
    request_id_path = _text("request_id_path")
    requests_per_second = fields.Float(
        load_default=REQUESTS_PER_SECOND,
        validate=validate.Range(min=0.01, max=1000),
        metadata=words.of("requests_per_second"),
    )
    timeout = fields.Float(
        load_default=ANSWER_TIMEOUT,
        validate=validate.Range(min=1, max=3600),
        metadata=words.of("timeout"),
    )

    @marshmallow.validates_schema
    def _check_auth(self, values: Mapping[str, Any], **_: Any) -> None:
        auth = values.get("auth", "none")
        lacking = {name: [_needed(auth)] for name in NEEDS[auth] if not values.get(name)}
        if lacking:
            raise marshmallow.ValidationError(lacking)

    @marshmallow.validates_schema
    def _check_success(self, values: Mapping[str, Any], **_: Any) -> None:
        if bool(values.get("success_path")) != bool(values.get("success_value")):
            raise marshmallow.ValidationError({"success_value": [_TOGETHER]})


class ExportSettings(_Trimmed):
    """Which audience an export fills, and in how large requests."""

    audience_id = _text(
        "audience_id",
        None,
        validate=_check_audience_id,
    )
    batch_size = fields.Integer(
        load_default=BATCH_SIZE,
        validate=validate.Range(min=1, max=BATCH_LIMIT),
        metadata=words.of("batch_size"),
    )
    requests_at_once = fields.Integer(
        load_default=REQUESTS_AT_ONCE,
        validate=validate.Range(min=1, max=MOST_REQUESTS_AT_ONCE),
        metadata=words.of("requests_at_once"),
    )

    @marshmallow.pre_load
    def _number_as_text(self, values: Mapping[str, Any], **_: Any) -> dict[str, Any]:
        # An id without quotes in a TOML or JSON file is a number, and means the same.
        given = values.get("audience_id")
        is_number = isinstance(given, int) and not isinstance(given, bool)
        return {**values, "audience_id": str(given)} if is_number else dict(values)


def _needed(auth: str) -> str:
    return complaint(
        "auth={auth} needs it.", nl="auth={auth} heeft het nodig.", da="auth={auth} kræver det.", auth=auth
    )
