"""The settings of a Snapchat connection and of an export over it: declared here, and nowhere else.

Prompts, flags, help and the reference page are made from these fields' metadata. Labels are those of
the model system's pages ("Snapchat Audience ID").
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import marshmallow
from marshmallow import fields, validate

from cdp_core import SecretField, Sentence, ServiceUrl, SettingsSchema, TransportSettings, origin_of

API_URL = "https://adsapi.snapchat.com/v1"
ACCOUNTS_URL = "https://accounts.snapchat.com/login/oauth2"
REDIRECT_URI = "http://127.0.0.1:8721/callback"
BATCH_LIMIT = 100_000
REQUESTS_AT_ONCE = 4
MOST_REQUESTS_AT_ONCE = 8
# What the service calls each kind of identifier; one request carries one of them.
SCHEMAS = {"EMAIL": "EMAIL_SHA256", "PHONE": "PHONE_SHA256", "MOBILE_AD_ID": "MOBILE_AD_ID_SHA256"}
# With fewer people matched, no ad is shown to an audience.
SMALLEST_AUDIENCE = 1_000
WHILE_EMPTIED = Sentence(
    "Until it is filled again and Snapchat has processed the upload, which takes 24 to 48 hours, no ad "
    "reaches anybody through it.",
    in_language={
        "nl": "Totdat hij weer is gevuld en Snapchat de upload heeft verwerkt, wat 24 tot 48 uur duurt, "
        "bereikt geen enkele advertentie er iemand mee.",
        "da": "Indtil den er fyldt igen, og Snapchat har behandlet uploaden, hvilket tager 24 til 48 timer, "
        "når ingen annonce nogen gennem den.",
    },
)
# Peers saw new audiences refuse users for several seconds.
NEWBORN_SECONDS = 60.0
ANSWER_TIMEOUT = 300.0

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_AUDIENCE_ID = re.compile(r"[0-9]{1,20}")

_SPACES = Sentence(
    "Give the client id as Snapchat shows it, without spaces.",
    in_language={
        "nl": "Geef de client-id zoals Snapchat die toont, zonder spaties.",
        "da": "Angiv klient-id'et, som Snapchat viser det, uden mellemrum.",
    },
)
_NO_AD_ACCOUNT = Sentence(
    "An ad account's id looks like 8adc3db7-8148-4fbf-999c-8d2266369d74.",
    in_language={
        "nl": "De id van een advertentieaccount ziet eruit als 8adc3db7-8148-4fbf-999c-8d2266369d74.",
        "da": "En annoncekontos id ser ud som 8adc3db7-8148-4fbf-999c-8d2266369d74.",
    },
)
_NO_AUDIENCE = Sentence(
    "An audience's id is a number, such as 5677923948298240.",
    in_language={
        "nl": "De id van een doelgroep is een getal, zoals 5677923948298240.",
        "da": "En målgruppes id er et tal, såsom 5677923948298240.",
    },
)
_AD_ACCOUNT_INSTEAD = Sentence(
    "That is an ad account's or organization's id; an audience's is a number, such as 5677923948298240.",
    in_language={
        "nl": "Dat is de id van een advertentieaccount of organisatie; die van een doelgroep is een getal, "
        "zoals 5677923948298240.",
        "da": "Det er en annoncekontos eller organisations id; en målgruppes er et tal, såsom "
        "5677923948298240.",
    },
)


class _Matches(validate.Validator):
    """Accepts what is of a pattern as a whole; else says a sentence that may be said in other languages."""

    def __init__(self, pattern: re.Pattern[str], complaint: str) -> None:
        self._pattern, self._complaint = pattern, complaint

    def __call__(self, value: str) -> str:
        if not self._pattern.fullmatch(value):
            raise marshmallow.ValidationError(self._complaint)
        return value


class _Trimmed(SettingsSchema):
    """Settings are pasted from web pages: the white space around them is nobody's wish."""

    @marshmallow.pre_load
    def _trim(self, values: Mapping[str, Any], **_: Any) -> dict[str, Any]:
        return {name: value.strip() if isinstance(value, str) else value for name, value in values.items()}


class ConnectionSettings(_Trimmed, TransportSettings):
    """How to reach Snapchat's Marketing API as a registered OAuth app."""

    client_id = fields.String(
        required=True,
        validate=_Matches(re.compile(r"\S+"), _SPACES),
        metadata={
            "label": "Client ID",
            "help": "Client ID of your OAuth app, from Business Details in Snapchat's Business Manager.",
            "example": "0b3c1f6e-5c0f-4f0e-9a5b-6d2b5d1f7a10",
            "nl": {
                "label": "Client-id",
                "help": "Client-id van uw OAuth-app, uit Business Details in Business Manager van Snapchat.",
            },
            "da": {
                "label": "Klient-id",
                "help": "Klient-id for din OAuth-app, fra Business Details i Snapchats Business Manager.",
            },
        },
    )
    client_secret = SecretField(
        required=True,
        metadata={
            "label": "Client secret",
            "help": "Client secret of the same app; Snapchat shows it once, when the app is made.",
            "example": "env:SNAPCHAT_CLIENT_SECRET",
            "nl": {
                "label": "Clientgeheim",
                "help": "Clientgeheim van dezelfde app; Snapchat toont het één keer, wanneer de app "
                "wordt gemaakt.",
            },
            "da": {
                "label": "Klienthemmelighed",
                "help": "Klienthemmelighed for samme app; Snapchat viser den én gang, når appen oprettes.",
            },
        },
    )
    redirect_uri = fields.String(
        load_default=REDIRECT_URI,
        validate=ServiceUrl(),
        metadata={
            "label": "Redirect URI",
            "help": "Exactly as registered with the app. A loopback address with its port is listened on "
            "(port 0: any free one, where the service allows that); for any other, you paste the URL.",
            "example": REDIRECT_URI,
            "nl": {
                "label": "Omleidings-URI",
                "help": "Precies zoals bij de app geregistreerd. Op een loopback-adres met poort wordt "
                "geluisterd (poort 0: een vrije poort, als de service dat toestaat); bij elk "
                "ander adres plakt u de URL.",
            },
            "da": {
                "label": "Omdirigerings-URI",
                "help": "Præcis som registreret med appen. Der lyttes på en loopback-adresse med port "
                "(port 0: en ledig port, hvor tjenesten tillader det); ved enhver anden adresse"
                " indsætter du URL'en.",
            },
        },
    )
    ad_account_id = fields.String(
        load_default=None,
        allow_none=True,
        validate=_Matches(_UUID, _NO_AD_ACCOUNT),
        metadata={
            "label": "Ad account",
            "help": "The ad account whose audiences are filled. Sign-in offers those that you reach.",
            "example": "8adc3db7-8148-4fbf-999c-8d2266369d74",
            "advanced": True,
            "nl": {
                "label": "Advertentieaccount",
                "help": "Het advertentieaccount waarvan de doelgroepen worden gevuld. Bij het aanmelden kunt "
                "u kiezen uit de accounts die u bereikt.",
            },
            "da": {
                "label": "Annoncekonto",
                "help": "Den annoncekonto, hvis målgrupper fyldes. Ved login kan du vælge mellem de konti, "
                "du har adgang til.",
            },
        },
    )
    api_url = fields.String(
        load_default=API_URL,
        validate=ServiceUrl(),
        metadata={
            "label": "API URL",
            "help": "Base of the Marketing API; another one for a simulator.",
            "example": API_URL,
            "nl": {
                "label": "API-URL",
                "help": "Basis van de Marketing API; een andere voor een simulator.",
            },
            "da": {
                "label": "API-URL",
                "help": "Basis for Marketing API; en anden til en simulator.",
            },
            "advanced": True,
        },
    )
    accounts_url = fields.String(
        load_default=ACCOUNTS_URL,
        validate=ServiceUrl(),
        metadata={
            "label": "Accounts URL",
            "help": "Base of the sign-in and token addresses; another one for a simulator.",
            "example": ACCOUNTS_URL,
            "nl": {
                "label": "Accounts-URL",
                "help": "Basis van de adressen voor aanmelding en tokens; een andere voor een simulator.",
            },
            "da": {
                "label": "Konto-URL",
                "help": "Basis for adresserne til login og tokens; en anden til en simulator.",
            },
            "advanced": True,
        },
    )
    timeout = fields.Float(
        load_default=ANSWER_TIMEOUT,
        validate=validate.Range(min=1, max=3600),
        metadata={
            "label": "Time-out",
            "help": "Seconds without a sign of the service's answer before a request counts as lost.",
            "example": "300",
            "nl": {
                "label": "Time-out",
                "help": "Seconden zonder teken van antwoord van de service waarna een aanvraag als "
                "verloren geldt.",
            },
            "da": {
                "label": "Timeout",
                "help": "Sekunder uden tegn på svar fra tjenesten, før en anmodning regnes for tabt.",
            },
            "advanced": True,
        },
    )


class ExportSettings(_Trimmed):
    """Which audience an export fills, and in how large requests."""

    audience_id = fields.String(
        required=True,
        metadata={
            "label": "Snapchat Audience ID",
            "help": "Number of an existing customer list, from its page under Audiences in Ads Manager.",
            "example": "5677923948298240",
            "nl": {
                "label": "Snapchat-doelgroep-id",
                "help": "Nummer van een bestaande klantenlijst, van de pagina ervan onder Doelgroepen "
                "in Ads Manager.",
            },
            "da": {
                "label": "Snapchat Audience-id",
                "help": "Nummer på en eksisterende kundeliste, fra dens side under Målgrupper i Ads Manager.",
            },
        },
    )
    batch_size = fields.Integer(
        load_default=BATCH_LIMIT,
        validate=validate.Range(min=1, max=BATCH_LIMIT),
        metadata={
            "label": "Batch size",
            "help": "Digests in one request, at most 100,000.",
            "example": "100000",
            "nl": {
                "label": "Batchgrootte",
                "help": "Digests in één aanvraag, hoogstens 100.000.",
            },
            "da": {
                "label": "Batchstørrelse",
                "help": "Digests i én anmodning, højst 100.000.",
            },
            "advanced": True,
        },
    )

    requests_at_once = fields.Integer(
        load_default=REQUESTS_AT_ONCE,
        validate=validate.Range(min=1, max=MOST_REQUESTS_AT_ONCE),
        metadata={
            "label": "Requests at once",
            "help": "How many requests are under way at once, 1 to 8; each holds a batch in memory.",
            "example": "4",
            "advanced": True,
            "nl": {
                "label": "Aanvragen tegelijk",
                "help": "Hoeveel aanvragen tegelijk onderweg zijn, 1 tot 8; elke houdt een batch in het "
                "geheugen.",
            },
            "da": {
                "label": "Anmodninger ad gangen",
                "help": "Hvor mange anmodninger der er undervejs ad gangen, 1 til 8; hver holder en batch i "
                "hukommelsen.",
            },
        },
    )

    @marshmallow.pre_load
    def _number_as_text(self, values: Mapping[str, Any], **_: Any) -> dict[str, Any]:
        # An id without quotes in a TOML or JSON file is a number, and means the same.
        given = values.get("audience_id")
        is_number = isinstance(given, int) and not isinstance(given, bool)
        return {**values, "audience_id": str(given)} if is_number else dict(values)

    @marshmallow.validates("audience_id")
    def _check_audience_id(self, value: str, **_: Any) -> None:
        if _UUID.fullmatch(value):
            raise marshmallow.ValidationError(_AD_ACCOUNT_INSTEAD)
        if not _AUDIENCE_ID.fullmatch(value):
            raise marshmallow.ValidationError(_NO_AUDIENCE)


def origin(settings: Mapping[str, Any]) -> str:
    """Scheme, host and port of the API: what keeps a simulator's audience apart from the real one."""
    return origin_of(str(settings["api_url"]))


def app(settings: Mapping[str, Any]) -> str:
    """The app whose rate limit connections share: its client id, at its API."""
    return f"{origin(settings)}/{settings['client_id']}"
