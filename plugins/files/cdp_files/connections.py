"""Where files go: a connection's settings, and what may stand in them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import marshmallow
from marshmallow import fields, validate

from cdp_core import Secret, SecretField, ServiceUrl
from cdp_files.complaints import complaint
from cdp_files.settings import Trimmed, said
from cdp_files.storage import SCHEMES, root_of


def origin(settings: Mapping[str, Any]) -> str:
    """The folder's URL, and the server where S3's protocol is spoken by another one than S3."""
    parts = urlsplit(str(settings["url"]).strip())
    place = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
    endpoint = settings.get("endpoint_url")
    return f"{place} at {endpoint}" if endpoint else place


class StorageUrl(validate.Validator):
    """A folder at one of the storages, without credentials, query or fragment."""

    def __call__(self, value: str) -> str:
        try:
            parts = urlsplit(value)
            parts.port  # noqa: B018 (the property is what checks it)
            if "\0" in root_of(value):
                raise ValueError
        except ValueError:
            raise marshmallow.ValidationError(
                complaint("Not a URL.", nl="Geen URL.", da="Ikke en URL.")
            ) from None
        if parts.scheme not in SCHEMES:
            raise marshmallow.ValidationError(
                complaint(
                    "The URL begins with {known}.",
                    nl="De URL begint met {known}.",
                    da="URL'en begynder med {known}.",
                    known=", ".join(f"{each}://" for each in SCHEMES),
                )
            )
        if "@" in parts.netloc or parts.query or parts.fragment:
            raise marshmallow.ValidationError(
                complaint(
                    "The URL may hold no user name, query or fragment.",
                    nl="De URL mag geen gebruikersnaam, query of fragment bevatten.",
                    da="URL'en må ikke indeholde brugernavn, forespørgsel eller fragment.",
                )
            )
        if parts.scheme == "file" and (parts.netloc or not root_of(value).startswith("/")):
            raise marshmallow.ValidationError(
                complaint(
                    "A folder here is written file:///srv/exports, and is not / itself.",
                    nl="Een map hier wordt geschreven als file:///srv/exports, en is niet / zelf.",
                    da="En mappe her skrives file:///srv/exports, og er ikke selve /.",
                )
            )
        if parts.scheme != "file" and not parts.netloc:
            raise marshmallow.ValidationError(
                complaint(
                    "The URL names no bucket, container or host.",
                    nl="De URL noemt geen bucket, container of host.",
                    da="URL'en nævner ingen bucket, container eller vært.",
                )
            )
        if any(part in (".", "..") for part in root_of(value).split("/")):
            raise marshmallow.ValidationError(
                complaint(
                    "The URL holds no . or .. between its slashes.",
                    nl="De URL heeft geen . of .. tussen de schuine strepen.",
                    da="URL'en har ingen . eller .. mellem sine skråstreger.",
                )
            )
        return value


def _account(value: Secret) -> None:
    try:
        found = json.loads(value.reveal())
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or "private_key" not in found:
        raise marshmallow.ValidationError(
            complaint(
                "It is not a service account's key file in JSON.",
                nl="Het is geen sleutelbestand van een serviceaccount in JSON.",
                da="Det er ikke en tjenestekontos nøglefil i JSON.",
            )
        )


class ConnectionSettings(Trimmed):
    """Where files go, and who one is there. What is not set is the machine's own, where there is one."""

    url = fields.String(
        required=True,
        validate=StorageUrl(),
        metadata=said(
            "Folder",
            "Where files go: file:///folder, s3://bucket/prefix, gs://bucket/prefix, "
            "az://container/prefix or sftp://host/folder.",
            nl=(
                "Map",
                "Waar bestanden naartoe gaan: file:///map, s3://bucket/prefix, gs://bucket/prefix, "
                "az://container/prefix of sftp://host/map.",
            ),
            da=(
                "Mappe",
                "Hvor filer lægges: file:///mappe, s3://bucket/præfiks, gs://bucket/præfiks, "
                "az://container/præfiks eller sftp://vært/mappe.",
            ),
            example="s3://acme-audiences/exports",
            asked=True,
        ),
    )
    access_key_id = fields.String(
        load_default="",
        metadata=said(
            "S3 access key ID",
            "Unset: what the machine has, from its environment, files or role.",
            nl=(
                "S3-toegangssleutel-id",
                "Niet ingesteld: wat de machine heeft, uit omgeving, bestanden of rol.",
            ),
            da=("S3-adgangsnøgle-id", "Ikke angivet: hvad maskinen har, fra miljø, filer eller rolle."),
            example="AKIA…",
        ),
    )
    secret_access_key = SecretField(
        load_default=None,
        metadata=said(
            "S3 secret access key",
            "Of the same access key.",
            nl=("Geheime S3-toegangssleutel", "Van dezelfde toegangssleutel."),
            da=("Hemmelig S3-adgangsnøgle", "For samme adgangsnøgle."),
            example="env:AWS_SECRET",
        ),
    )
    endpoint_url = fields.String(
        load_default="",
        validate=lambda value: ServiceUrl()(value) if value else value,
        metadata=said(
            "S3 endpoint",
            "Another server than Amazon's that speaks S3's protocol.",
            nl=("S3-eindpunt", "Een andere server dan die van Amazon die het protocol van S3 spreekt."),
            da=("S3-slutpunkt", "En anden server end Amazons, som taler S3's protokol."),
            example="https://minio.acme.example",
        ),
    )
    region = fields.String(
        load_default="",
        metadata=said(
            "S3 region",
            "Where the bucket is, where the server wants that said.",
            nl=("S3-regio", "Waar de bucket is, als de server dat wil weten."),
            da=("S3-region", "Hvor bucketen er, hvis serveren vil vide det."),
            example="eu-west-1",
        ),
    )
    service_account = SecretField(
        load_default=None,
        validate=_account,
        metadata=said(
            "Google service account",
            "The content of its key file in JSON. Unset: what the machine has.",
            nl=(
                "Google-serviceaccount",
                "De inhoud van het sleutelbestand in JSON. Niet ingesteld: dat van de machine.",
            ),
            da=("Google-tjenestekonto", "Nøglefilens indhold i JSON. Ikke angivet: hvad maskinen har."),
            example="file:/run/secrets/gcp.json",
        ),
    )
    account_name = fields.String(
        load_default="",
        metadata=said(
            "Azure storage account",
            "The account that holds the container.",
            nl=("Azure-opslagaccount", "Het account met de container."),
            da=("Azure-lagerkonto", "Kontoen, som har containeren."),
            example="acmeaudiences",
        ),
    )
    account_key = SecretField(
        load_default=None,
        metadata=said(
            "Azure account key",
            "One of the account's two keys. Unset: what the machine has.",
            nl=(
                "Azure-accountsleutel",
                "Een van de twee sleutels van het account. Niet ingesteld: van de machine.",
            ),
            da=("Azure-kontonøgle", "En af kontoens to nøgler. Ikke angivet: hvad maskinen har."),
            example="env:AZURE_KEY",
        ),
    )
    user = fields.String(
        load_default="",
        metadata=said(
            "SFTP user",
            "Who signs in to the server.",
            nl=("SFTP-gebruiker", "Wie zich bij de server aanmeldt."),
            da=("SFTP-bruger", "Hvem der logger på serveren."),
            example="exports",
        ),
    )
    password = SecretField(
        load_default=None,
        metadata=said(
            "SFTP password",
            "Where no key signs in.",
            nl=("SFTP-wachtwoord", "Als geen sleutel aanmeldt."),
            da=("SFTP-adgangskode", "Hvor ingen nøgle logger på."),
            example="env:SFTP_PASSWORD",
        ),
    )
    private_key = SecretField(
        load_default=None,
        metadata=said(
            "SFTP private key",
            "The content of its file, without a passphrase. Unset, with no password: the SSH agent's keys.",
            nl=(
                "SFTP-privésleutel",
                "De inhoud van het bestand, zonder wachtwoordzin. Niet ingesteld en zonder wachtwoord: die "
                "van de SSH-agent.",
            ),
            da=(
                "Privat SFTP-nøgle",
                "Filens indhold, uden adgangssætning. Ikke angivet og uden adgangskode: SSH-agentens nøgler.",
            ),
            example="file:/run/secrets/id_ed25519",
        ),
    )
    known_hosts = fields.String(
        load_default="~/.ssh/known_hosts",
        metadata=said(
            "Known hosts",
            "The file with the server's key, as ssh-keyscan writes it. A server that is not in it is "
            "not let in.",
            nl=(
                "Bekende hosts",
                "Het bestand met de sleutel van de server, zoals ssh-keyscan dat schrijft. Een andere server "
                "wordt niet vertrouwd.",
            ),
            da=(
                "Kendte værter",
                "Filen med serverens nøgle, som ssh-keyscan skriver den. En anden server er der ikke "
                "tillid til.",
            ),
            example="/etc/ssh/ssh_known_hosts",
        )
        | {"path": True},
    )
