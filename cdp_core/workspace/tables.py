"""The tables of `cdp.toml` and their settings: read, checked and documented as they are declared here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import marshmallow
from marshmallow import fields, validate

from cdp_core.contract.schemas import ServiceUrl, SettingsSchema
from cdp_core.model.alert import AlertSettings
from cdp_core.model.delivery import Patience
from cdp_core.model.retention import Retention
from cdp_core.workspace.ledger_url import trouble_with_options, trouble_with_url
from cdp_core.workspace.role_tables import RoleSettings, role_name

_REFERENCE = r"(env|file|keyring):.+"
_A_REFERENCE = "Give a reference, env:NAME, file:PATH or keyring:SERVICE/NAME: it may hold a token."
_UNITS = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_LARGEST_SIZE = 2**60
LEDGER_CACHE = 10 * 10**9
APPROVAL_HOURS = 72.0
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMG]?i?B)", re.IGNORECASE)
_PATIENCE = Patience()


class MemorySize(fields.Field[int]):
    """A number of bytes, written for people: `400MB`, `1.5GiB`."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> int:
        found = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
        unit = next((n for unit, n in _UNITS.items() if found and unit.upper() == found[2].upper()), 0)
        size = float(found[1]) * unit if found else 0.0
        if not 1 <= size <= _LARGEST_SIZE:
            raise marshmallow.ValidationError('Not a size such as "400MB" or "2GB".')
        return int(size)

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


class ApprovalSettings(SettingsSchema):
    lapse_hours = fields.Float(
        load_default=APPROVAL_HOURS,
        validate=validate.Range(0, 90 * 24),
        metadata={
            "label": "Lapse hours",
            "help": "How long a plan that needs approval may be approved of and run; after that it has "
            "lapsed, and a new one is made.",
            "example": "72",
        },
    )


_RETENTION = Retention()


def _days(label: str, what: str, default: int) -> fields.Integer:
    return fields.Integer(
        load_default=default,
        validate=validate.Range(0, 36_500),
        metadata={
            "label": label,
            "help": f"For how many days {what}; 0 keeps them.",
            "example": str(default),
        },
    )


class RetentionSettings(SettingsSchema):
    """What is older is purged, by the scheduler once a day or by `cdp workspace purge`."""

    plans = _days(
        "Plans",
        "plans are kept. What a run did whose plan is gone, a ledger cannot be rebuilt from",
        _RETENTION.plans,
    )
    dead_letters = _days(
        "Dead letters",
        "digests are kept that a service refused, and that no run has tried since",
        _RETENTION.dead_letters,
    )
    history = _days(
        "History", "runs are kept, with what services answered to their batches", _RETENTION.history
    )
    receipts = _days(
        "Receipts", "receipts of erasures and of withdrawn consent are kept", _RETENTION.receipts
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
    url = fields.String(
        load_default=None,
        metadata={
            "label": "URL",
            "help": "Where ledgers and plans lie, for every machine with the same state: "
            "`s3://`, `gs://`, `abfs://` or `sftp://`, or another of fsspec's. Unset: in the workspace. "
            "`cdp ledger move` sets it; `CDP_LEDGER_URL` goes before it.",
            "example": "s3://bucket/prefix",
        },
    )
    options = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        load_default=dict,
        metadata={
            "label": "Options",
            "help": "What the URL's library takes beside it, such as `endpoint_url`; a secret by reference.",
            "advanced": True,
        },
    )
    cache = MemorySize(
        load_default=LEDGER_CACHE,
        metadata={
            "label": "Cache",
            "help": "How much of what lies at the URL the workspace keeps a copy of; what was not used for "
            "longest goes first.",
            "example": "10GB",
        },
    )

    @marshmallow.validates_schema
    def without_secrets(self, data: Mapping[str, Any], **_: Any) -> None:
        if data["url"] is not None and (trouble := trouble_with_url(data["url"])):
            raise marshmallow.ValidationError(trouble, "url")
        if trouble := trouble_with_options(data["options"]):
            raise marshmallow.ValidationError(trouble, "options")


class _UrlOrReference(ServiceUrl):
    """Accepts a reference to a secret, too."""

    def __call__(self, value: str) -> str:
        return value if re.fullmatch(_REFERENCE, value) else super().__call__(value)


class AlertsSettings(SettingsSchema):
    """Where alerts go; by default nowhere."""

    urls = fields.List(
        fields.String(validate=validate.Regexp(_REFERENCE, error=_A_REFERENCE)),
        load_default=list,
        metadata={
            "label": "Ways",
            "help": "References to URLs of Apprise, which may hold a token: chat, mail, pager.",
            "example": '["env:CDP_ALERT_URL"]',
        },
    )
    webhook = fields.String(
        load_default=None,
        validate=_UrlOrReference(),
        metadata={
            "label": "Webhook",
            "help": "A URL to which each alert is posted as JSON; a reference to it where it holds a token.",
            "example": "https://alerts.example.org/cdp",
        },
    )
    webhook_secret = fields.String(
        load_default=None,
        validate=validate.Regexp(_REFERENCE, error=_A_REFERENCE),
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
            "help": "How far from usual an export's digests in the ledger are worth an alert, as a share.",
            "example": "0.3",
        },
    )


class TelemetrySettings(SettingsSchema):
    opentelemetry = fields.Boolean(
        load_default=False,
        metadata={
            "label": "OpenTelemetry",
            "help": "Whether runs are traced and counted by OpenTelemetry (the extra `otel`); where it sends "
            "them, its own variables say, such as OTEL_EXPORTER_OTLP_ENDPOINT.",
        },
    )


class PluginsSettings(SettingsSchema):
    disabled = fields.List(
        fields.String(),
        load_default=list,
        metadata={"label": "Disabled plugins", "help": "Plugins that are not loaded.", "example": '["acme"]'},
    )


class StateSettings(SettingsSchema):
    url = fields.String(
        load_default=None,
        validate=validate.Length(min=1),
        metadata={
            "label": "State",
            "help": "The PostgreSQL server that holds the state, where several machines share it; after a # "
            "the schema, by default `cdp`. Unset: `state.db` in the folder.",
            "example": "postgresql://cdp@db.example.org/crm#cdp",
        },
    )
    password = fields.String(
        load_default=None,
        validate=validate.Length(min=1),
        metadata={
            "label": "Password",
            "help": "Where its password is: env:NAME, file:PATH or keyring:SERVICE/NAME. Unset: libpq finds "
            "it (PGPASSWORD, ~/.pgpass), or needs none.",
            "example": "env:CDP_STATE_PASSWORD",
        },
    )


class VaultSettings(SettingsSchema):
    kind = fields.String(
        required=True,
        validate=validate.OneOf(("keyring", "file", "state")),
        metadata={
            "label": "Vault",
            "help": "Where sign-in tokens lie: the system's keyring, an encrypted file, or sealed in the "
            "state that several machines share, which then holds them in any case.",
            "example": "file",
        },
    )


class WorkspaceSchema(SettingsSchema):
    """The whole file; each field is one of its tables."""

    profiles = fields.Nested(ProfilesSettings, required=True)
    engine = fields.Nested(EngineSettings, load_default=lambda: EngineSettings().load({}))
    delivery = fields.Nested(DeliverySettings, load_default=lambda: DeliverySettings().load({}))
    consent = fields.Nested(ConsentSettings, load_default=lambda: ConsentSettings().load({}))
    approval = fields.Nested(ApprovalSettings, load_default=lambda: ApprovalSettings().load({}))
    retention = fields.Nested(RetentionSettings, load_default=lambda: RetentionSettings().load({}))
    scheduler = fields.Nested(SchedulerSettings, load_default=lambda: SchedulerSettings().load({}))
    telemetry = fields.Nested(TelemetrySettings, load_default=lambda: {"opentelemetry": False})
    alerts = fields.Nested(AlertsSettings, load_default=lambda: AlertsSettings().load({}))
    ledger = fields.Nested(LedgerSettings, load_default=lambda: LedgerSettings().load({}))
    state = fields.Nested(StateSettings, load_default=lambda: StateSettings().load({}))
    roles = fields.Dict(
        keys=fields.String(validate=role_name),
        values=fields.Nested(RoleSettings),
        load_default=dict,
        metadata={"label": "Roles", "help": "Roles of the workspace's own."},
    )
    plugins = fields.Nested(PluginsSettings, load_default=lambda: {"disabled": []})
    vault = fields.Nested(VaultSettings, required=True)
