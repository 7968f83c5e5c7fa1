"""The settings of a connection to the service and of an export to one of its lists, and its limits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import marshmallow
from cdp_core import ApiKey, SecretField, Sentence, ServiceUrl, SettingsSchema, TransportSettings
from marshmallow import fields, validate

API_URL = "https://api.mailer.example"
KEY_HEADER = "X-Mailer-Key"
BATCH_LIMIT = 1_000
REQUESTS_PER_SECOND = 10
# Seconds without a sign of an answer.
PATIENCE = 60.0

_LIST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NO_LIST = Sentence(
    "A list's id has 1 to 64 letters, digits, hyphens and underscores: it is the end of the list's address.",
    in_language={
        "nl": "De id van een lijst heeft 1 tot 64 letters, cijfers, streepjes en lage streepjes: het is het "
        "einde van het adres van de lijst.",
        "da": "En listes id har 1 til 64 bogstaver, cifre, bindestreger og understreger: det er slutningen "
        "af listens adresse.",
    },
)


def origin(settings: Mapping[str, Any]) -> str:
    return str(settings["api_url"]).strip().rstrip("/")


def credentials(settings: Mapping[str, Any]) -> ApiKey:
    """The core puts the key on requests to the API's own origin, and on no others."""
    return ApiKey(name=KEY_HEADER, key=settings["api_key"])


def _check_list_id(value: str) -> None:
    if not _LIST_ID.fullmatch(value):
        raise marshmallow.ValidationError(_NO_LIST)


class ConnectionSettings(TransportSettings):
    """Who one is at the service: whoever has the key is let in."""

    api_key = SecretField(
        required=True,
        metadata={
            "label": "API key",
            "help": "From the page Settings, API keys of your Mailer account.",
            "example": "env:MAILER_KEY",
            "nl": {
                "label": "API-sleutel",
                "help": "Van de pagina Instellingen, API-sleutels van uw Mailer-account.",
            },
            "da": {
                "label": "API-nøgle",
                "help": "Fra siden Indstillinger, API-nøgler på din Mailer-konto.",
            },
        },
    )
    api_url = fields.String(
        load_default=API_URL,
        validate=ServiceUrl(),
        metadata={
            "label": "API URL",
            "help": "Where the API is; another one only to try against a stand-in.",
            "example": API_URL,
            "advanced": True,
            "nl": {
                "label": "API-URL",
                "help": "Waar de API is; een andere alleen om met een vervanger te proberen.",
            },
            "da": {
                "label": "API-URL",
                "help": "Hvor API'en er; en anden kun for at prøve med en stedfortræder.",
            },
        },
    )


class ExportSettings(SettingsSchema):
    """Which list an export fills, and in how large requests."""

    list_id = fields.String(
        required=True,
        validate=_check_list_id,
        metadata={
            "label": "List ID",
            "help": "The end of the list's address in Mailer, or pick one from those that there are.",
            "example": "newsletter",
            "nl": {
                "label": "Lijst-id",
                "help": "Het einde van het adres van de lijst in Mailer, of kies er een uit die er zijn.",
            },
            "da": {
                "label": "Liste-id",
                "help": "Slutningen af listens adresse i Mailer, eller vælg en af dem, der er.",
            },
        },
    )
    batch_size = fields.Integer(
        load_default=BATCH_LIMIT,
        validate=validate.Range(min=1, max=BATCH_LIMIT),
        metadata={
            "label": "Batch size",
            "help": "Digests in one request, at most 1,000.",
            "example": "500",
            "advanced": True,
            "nl": {"label": "Batchgrootte", "help": "Digests in één aanvraag, hoogstens 1.000."},
            "da": {"label": "Batchstørrelse", "help": "Digests i én anmodning, højst 1.000."},
        },
    )
