"""`cdp.toml`: read with its comments kept, validated by one schema, errors with the field and the line.

The workspace's folder is opened with it, and the runner takes the profile source and the engine's
limits from it.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import marshmallow
import tomlkit
from marshmallow import fields, validate
from tomlkit.exceptions import ParseError, TOMLKitError, UnexpectedCharError, UnexpectedEofError

from cdp_core.contract.schemas import ServiceUrl, SettingsSchema
from cdp_core.errors import Code, InvalidFault
from cdp_core.model.alert import AlertSettings
from cdp_core.model.configuration import ProfileSource
from cdp_core.model.delivery import Patience
from cdp_core.model.policy import MemberConsent
from cdp_core.rules.member_consent import member_consent

HEADING = "The workspace's settings. Edit them here or through cdp; comments are kept."

_A_REFERENCE = "Give a reference, env:NAME, file:PATH or keyring:SERVICE/NAME: it may hold a token."
_UNITS = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMG]?i?B)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceSettings:
    """What `cdp.toml` says. `memory_limit` is in bytes; None leaves it to the engine."""

    profiles: ProfileSource
    vault: Literal["keyring", "file"]
    memory_limit: int | None = None
    local_normalising: bool = True
    disabled_plugins: tuple[str, ...] = ()
    patience: Patience = field(default_factory=Patience)
    consent: MemberConsent | None = None
    retry_minutes: float = 120.0
    encrypt_ledger: bool = False
    alerts: AlertSettings = field(default_factory=AlertSettings)


_PATIENCE = Patience()


class MemorySize(fields.Field[int]):
    """A number of bytes, written for people: `400MB`, `1.5GiB`."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> int:
        found = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
        if found is None or float(found[1]) == 0:
            raise marshmallow.ValidationError('Not a size such as "400MB" or "2GB".')
        return int(
            float(found[1]) * next(n for unit, n in _UNITS.items() if unit.upper() == found[2].upper())
        )

    def _serialize(self, value: int | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        if value is None:
            return None
        return min((f"{value // size}{unit}" for unit, size in _UNITS.items() if value % size == 0), key=len)


class ProfilesSettings(SettingsSchema):
    url = fields.String(
        required=True,
        validate=validate.Length(min=1),
        metadata={
            "label": "Profiles",
            "help": "Where the customer table is; a relative path counts from the workspace.",
            "example": "/data/profiles.parquet",
        },
    )
    key = fields.String(
        required=True,
        validate=validate.Length(min=1),
        metadata={"label": "Key", "help": "The column that names a customer.", "example": "customer_id"},
    )
    options = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        load_default=dict,
        metadata={
            "label": "Options",
            "help": "What the source's reader needs beyond that.",
            "advanced": True,
        },
    )


class EngineSettings(SettingsSchema):
    memory_limit = MemorySize(
        load_default=None,
        metadata={
            "label": "Memory limit",
            "help": "The most memory that queries take. Unset: a sixteenth of what the machine, or its "
            "container, has; at least 128 MiB.",
            "example": "400MB",
        },
    )
    local_normalising = fields.Boolean(
        load_default=True,
        metadata={
            "label": "Local normalising",
            "help": "Whether identifiers that a database cannot normalise come to this process, which does, "
            "and never writes them; if not, they count as unsupported.",
        },
    )


_PATIENCE = Patience()


class DeliverySettings(SettingsSchema):
    attempts = fields.Integer(
        load_default=_PATIENCE.attempts,
        validate=validate.Range(1, 100),
        metadata={"label": "Attempts", "help": "How often a batch is tried.", "example": "7"},
    )
    first_wait = fields.Float(
        load_default=_PATIENCE.first_wait,
        validate=validate.Range(0, 3600),
        metadata={"label": "First wait", "help": "Seconds before the second attempt; then doubled."},
    )
    longest_wait = fields.Float(
        load_default=_PATIENCE.longest_wait,
        validate=validate.Range(0, 3600),
        metadata={"label": "Longest wait", "help": "Seconds between two attempts at the most."},
    )


class ConsentSettings(SettingsSchema):
    """Both or neither."""

    field = fields.String(
        load_default=None,
        validate=validate.Length(min=1),
        metadata={
            "label": "Consent field",
            "help": "The profile field that every export asks for a member's consent.",
            "example": "ads_consent",
        },
    )
    granted = fields.List(
        fields.String(),
        load_default=list,
        metadata={
            "label": "Yes-values",
            "help": "What means yes there, in any case; all else means no. An export may take fewer of them.",
            "example": '["granted", "true"]',
        },
    )

    @marshmallow.validates_schema
    def both(self, data: Mapping[str, Any], **_: Any) -> None:
        if bool(data["field"]) != any(value.strip() for value in data["granted"]):
            raise marshmallow.ValidationError(
                "A consent field and the values that mean yes belong together.",
                "granted" if data["field"] else "field",
            )


class SchedulerSettings(SettingsSchema):
    retry_minutes = fields.Float(
        load_default=120.0,
        validate=validate.Range(0, 7 * 24 * 60),
        metadata={
            "label": "Retry minutes",
            "help": "How long after it was due a scheduled run that failed for a while is tried again.",
            "example": "120",
        },
    )


class LedgerSettings(SettingsSchema):
    encrypted = fields.Boolean(
        load_default=False,
        metadata={
            "label": "Encrypted",
            "help": "Whether ledgers and plans are encrypted on the disk; `cdp ledger encrypt` and `decrypt` "
            "set it, and write anew what there is.",
        },
    )


class AlertsSettings(SettingsSchema):
    """Where alerts go; by default nowhere."""

    urls = fields.List(
        fields.String(validate=validate.Regexp(r"(env|file|keyring):.+", error=_A_REFERENCE)),
        load_default=list,
        metadata={
            "label": "Ways",
            "help": "References to URLs of Apprise, which may hold a token: chat, mail, pager.",
            "example": '["env:CDP_ALERT_URL"]',
        },
    )
    webhook = fields.String(
        load_default=None,
        validate=ServiceUrl(),
        metadata={
            "label": "Webhook",
            "help": "A URL to which each alert is posted as JSON.",
            "example": "https://alerts.example.org/cdp",
        },
    )
    webhook_secret = fields.String(
        load_default=None,
        validate=validate.Regexp(r"(env|file|keyring):.+", error=_A_REFERENCE),
        metadata={
            "label": "Webhook's key",
            "help": "A reference to the key that what is posted is signed with, by HMAC-SHA256.",
            "example": "env:CDP_ALERT_KEY",
        },
    )
    unusual_share = fields.Float(
        load_default=AlertSettings().unusual_share,
        validate=validate.Range(0.01, 10),
        metadata={
            "label": "Unusual share",
            "help": "By how much larger or smaller than usual an audience is worth an alert.",
            "example": "0.3",
        },
    )


class PluginsSettings(SettingsSchema):
    disabled = fields.List(
        fields.String(),
        load_default=list,
        metadata={"label": "Disabled plugins", "help": "Plugins that are not loaded.", "example": '["acme"]'},
    )


class VaultSettings(SettingsSchema):
    kind = fields.String(
        required=True,
        validate=validate.OneOf(("keyring", "file")),
        metadata={
            "label": "Vault",
            "help": "Where sign-in tokens lie: the system's keyring, or an encrypted file.",
            "example": "file",
        },
    )


class WorkspaceSchema(SettingsSchema):
    """The whole file; each field is one of its tables."""

    profiles = fields.Nested(ProfilesSettings, required=True)
    engine = fields.Nested(EngineSettings, load_default=lambda: EngineSettings().load({}))
    delivery = fields.Nested(DeliverySettings, load_default=lambda: DeliverySettings().load({}))
    consent = fields.Nested(ConsentSettings, load_default=lambda: ConsentSettings().load({}))
    scheduler = fields.Nested(SchedulerSettings, load_default=lambda: SchedulerSettings().load({}))
    alerts = fields.Nested(AlertsSettings, load_default=lambda: AlertsSettings().load({}))
    ledger = fields.Nested(LedgerSettings, load_default=lambda: LedgerSettings().load({}))
    plugins = fields.Nested(PluginsSettings, load_default=lambda: {"disabled": []})
    vault = fields.Nested(VaultSettings, required=True)


def parse(text: str, path: Path) -> tomlkit.TOMLDocument:
    """The file as a document that can be changed and written back; `path` is only named in faults."""
    try:
        document = tomlkit.parse(text)
    except TOMLKitError as error:
        if _ends_too_early(error, text):
            raise InvalidFault(
                Code.WORKSPACE_BROKEN,
                "cdp.toml ends too early: something that begins in it is not finished",
                where=f"{path}:{len(text.rstrip().splitlines()) or 1}",
                hint="finish or take out what its last line begins, or restore it from a copy",
            ) from None
        line = error.line if isinstance(error, ParseError) else 1
        raise InvalidFault(
            Code.WORKSPACE_BROKEN,
            f"cdp.toml is not valid TOML: {error}",
            where=f"{path}:{line}",
            hint='mend that line; `key = "value"` below a `[table]` is the form',
        ) from None
    if not any(table in document for table in WorkspaceSchema().fields):
        raise InvalidFault(
            Code.WORKSPACE_BROKEN,
            "cdp.toml holds none of a workspace's tables ([profiles], [vault], …)",
            where=f"{path}:1",
            hint="restore it, or make a workspace elsewhere: cdp init DIR --profiles FILE --key COLUMN",
        )
    return document


def _ends_too_early(error: TOMLKitError, text: str) -> bool:
    """The parser reads a NUL after the end: one that it objects to, and that the text does not hold."""
    past_the_end = isinstance(error, UnexpectedCharError) and "\\x00" in str(error) and "\0" not in text
    return past_the_end or isinstance(error, UnexpectedEofError)


def validated(document: tomlkit.TOMLDocument, path: Path) -> WorkspaceSettings:
    """What the document says; raises `InvalidFault` naming each wrong field, at the first one's line."""
    try:
        loaded: dict[str, Any] = WorkspaceSchema().load(document.unwrap())
    except marshmallow.ValidationError as error:
        wrong = dict(_flattened(error.messages_dict))
        raise InvalidFault(
            Code.SETTING_INVALID,
            "; ".join(f"{name}: {message.removesuffix('.')}" for name, message in wrong.items()),
            where=f"{path}:{min(_line_of(document.as_string(), name) for name in wrong)}",
            hint=_meant(wrong),
        ) from None
    source = loaded["profiles"]
    return WorkspaceSettings(
        profiles=ProfileSource(
            url=_absolute(source["url"], path.parent), key=source["key"], options=source["options"]
        ),
        vault=loaded["vault"]["kind"],
        memory_limit=loaded["engine"]["memory_limit"],
        local_normalising=loaded["engine"]["local_normalising"],
        disabled_plugins=tuple(loaded["plugins"]["disabled"]),
        patience=Patience(**loaded["delivery"]),
        consent=member_consent(**loaded["consent"]) if loaded["consent"]["field"] else None,
        retry_minutes=loaded["scheduler"]["retry_minutes"],
        encrypt_ledger=loaded["ledger"]["encrypted"],
        alerts=AlertSettings(**loaded["alerts"] | {"urls": tuple(loaded["alerts"]["urls"])}),
    )


def written(settings: WorkspaceSettings) -> str:
    """A new `cdp.toml` that says this."""
    document = tomlkit.document()
    document.add(tomlkit.comment(HEADING))
    engine: dict[str, Any] = {"memory_limit": settings.memory_limit} if settings.memory_limit else {}
    engine |= {} if settings.local_normalising else {"local_normalising": False}
    patience = {} if settings.patience == _PATIENCE else dataclasses.asdict(settings.patience)
    source = settings.profiles
    tables: dict[str, dict[str, Any]] = {
        "profiles": {"url": source.url, "key": source.key, "options": dict(source.options)},
        "engine": EngineSettings().dump(engine),
        "delivery": patience,
        "consent": {"field": settings.consent.field, "granted": list(settings.consent.granted)}
        if settings.consent
        else {},
        "scheduler": {} if settings.retry_minutes == 120.0 else {"retry_minutes": settings.retry_minutes},
        "alerts": _written_alerts(settings.alerts),
        "ledger": {"encrypted": True} if settings.encrypt_ledger else {},
        "plugins": {"disabled": list(settings.disabled_plugins)},
        "vault": {"kind": settings.vault},
    }
    if not source.options:
        del tables["profiles"]["options"]
    for name, content in tables.items():
        if content:
            document.add(tomlkit.nl())
            document.add(name, tomlkit.item(content))
    return document.as_string()


def _written_alerts(alerts: AlertSettings) -> dict[str, Any]:
    """Those that are not as they are by default."""
    default = dataclasses.asdict(AlertSettings())
    kept = dataclasses.asdict(alerts) | {"urls": list(alerts.urls)}
    return {name: value for name, value in kept.items() if value not in (default[name], [])}


def _absolute(url: str, folder: Path) -> str:
    return url if "://" in url else str(folder / Path(url).expanduser())


def _flattened(messages: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """(dotted field, sentence) of marshmallow's nested messages."""
    for name, found in messages.items():
        dotted = f"{above}.{name}" if above else str(name)
        if isinstance(found, Mapping):
            yield from _flattened(found, dotted)
        else:
            yield dotted, " ".join(str(part) for part in found)


def _line_of(text: str, dotted: str) -> int:
    """The line (from 1) where a field stands: its key's, else its table's heading's, else the first."""
    table, _, key = dotted.partition(".")
    key = key.partition(".")[0]
    heading, best = "", 1
    for number, line in enumerate(text.splitlines(), start=1):
        if found := re.match(r"\s*\[\s*\"?([^\]\"]+?)\"?\s*\]", line):
            heading = found[1]
            if heading == table:
                best = number
        elif found := re.match(r"\s*\"?([^=#\"]+?)\"?\s*=", line):
            name = f"{heading}.{found[1]}" if heading else found[1]
            if key and name == f"{table}.{key}":
                return number
            if name == table:
                best = number
    return best


def _meant(wrong: Mapping[str, str]) -> str:
    """The known names near an unknown one, or all of them; of known ones how they may look."""
    declared_ones = {
        f"{table}.{name}": inner
        for table, declared in WorkspaceSchema().fields.items()
        if isinstance(declared, fields.Nested)
        for name, inner in declared.schema.fields.items()
    }
    known = list(declared_ones)
    if all(name in declared_ones and declared_ones[name].metadata.get("example") for name in wrong):
        return "for example " + ", ".join(_shown(name, declared_ones[name]) for name in wrong)
    near = dict.fromkeys(name for field in wrong for name in difflib.get_close_matches(field, known, n=1))
    unknown = any("Unknown" in message for message in wrong.values())
    return f"did you mean {', '.join(near)}?" if unknown and near else f"known settings: {', '.join(known)}"


def _shown(name: str, declared: fields.Field[Any]) -> str:
    """A setting as it stands in the file."""
    example = declared.metadata["example"]
    return f'{name} = "{example}"' if isinstance(declared, fields.String) else f"{name} = {example}"
