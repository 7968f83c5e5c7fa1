"""The tables of the state. `migrations/` leads there from every earlier version; a test says so."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    false,
    true,
)

from cdp_core.contract.digests import DIGEST_SIZE
from cdp_core.store.columns import Json, UtcDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

segments = Table(
    "segments",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("condition", Text),
    Column("sql", Text),
    Column("created_by", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("active", Boolean, nullable=False, server_default=true()),
    # Of a static one, the result that is kept.
    Column("kept", Json),
)

connections = Table(
    "connections",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("type", Text, nullable=False),
    Column("settings", Json, nullable=False),
    Column("shared_with", Json, nullable=False),
    Column("status", Text, nullable=False),
    Column("identity", Json, nullable=False),
    Column("export_user", Text),
    Column("created_by", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("authenticated_at", UtcDateTime),
)

# Consents, plans and runs outlive what they speak of: they refer to it by id, without a foreign key.
consents = Table(
    "consents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("connection_id", Text, nullable=False, index=True),
    Column("prompt_key", Text, nullable=False),
    Column("prompt_version", Text, nullable=False),
    Column("prompt_title", Text, nullable=False),
    Column("prompt_text", Text, nullable=False),
    Column("prompt_language", Text, nullable=False),
    Column("prompt_digest", Text, nullable=False),
    Column("agreed_by", Text, nullable=False),
    Column("agreed_at", UtcDateTime, nullable=False),
)

exports = Table(
    "exports",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("destination", Text, nullable=False),
    Column("connection_id", Text, ForeignKey("connections.id", ondelete="RESTRICT"), index=True),
    Column("settings", Json, nullable=False),
    Column("matching", Json, nullable=False),
    Column("policy", Json, nullable=False, server_default="{}"),
    # Exports that one command has made, each for a segment with an audience of its own.
    Column("grouped_as", Text, index=True),
    Column("created_by", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

# Audiences that are asked for and that no export has yet. `marker` stands in the audience's description.
new_audiences = Table(
    "new_audiences",
    metadata,
    Column("marker", Text, primary_key=True),
    Column("connection_id", Text, ForeignKey("connections.id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("retention_in_days", Integer),
    Column("requested_by", Text, nullable=False),
    Column("requested_at", UtcDateTime, nullable=False),
    UniqueConstraint("connection_id", "name"),
)

export_segments = Table(
    "export_segments",
    metadata,
    Column("export_id", Text, ForeignKey("exports.id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("segment_id", Text, ForeignKey("segments.id", ondelete="RESTRICT"), nullable=False, index=True),
    PrimaryKeyConstraint("export_id", "position"),
    UniqueConstraint("export_id", "segment_id"),
)

# The refresh's own schedule has no export.
schedules = Table(
    "schedules",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("export_id", Text, ForeignKey("exports.id", ondelete="CASCADE"), unique=True),
    Column("recurrence", Json),
    Column("active", Boolean, nullable=False),
    Column("paused", Text),
    Column("paused_at", UtcDateTime),
    Column("since", UtcDateTime),
    Column("set_by", Text, nullable=False),
)

due_runs = Table(
    "due_runs",
    metadata,
    Column("export_id", Text, ForeignKey("exports.id", ondelete="CASCADE"), nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("missed", Integer, nullable=False),
    Column("run_id", Text),
    Column("exit_status", Integer),
    Column("message", Text, nullable=False),
    Column("next_try_at", UtcDateTime),
    Column("updated_at", UtcDateTime),
    PrimaryKeyConstraint("export_id", "due_at"),
)

# How each export stood when somebody was last told of it.
alert_standings = Table(
    "alert_standings",
    metadata,
    Column("export_id", Text, ForeignKey("exports.id", ondelete="CASCADE"), primary_key=True),
    Column("trouble", Text, nullable=False),
    Column("unusual", Boolean, nullable=False),
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("export", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("hint", Text, nullable=False),
    Column("run_id", Text),
    # The ways by which it has still to be sent.
    Column("waiting", Json, nullable=False),
)

grants = Table(
    "grants",
    metadata,
    Column("person", Text, primary_key=True),
    Column("role", Text, primary_key=True),
    Column("granted_by", Text, nullable=False),
    Column("granted_at", UtcDateTime, nullable=False),
)

plans = Table(
    "plans",
    metadata,
    Column("id", Text, primary_key=True),
    Column("export_id", Text, nullable=False, index=True),
    Column("run_id", Text, nullable=False),
    Column("folder", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("basis", Json, nullable=False),
    Column("summary", Json, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

runs = Table(
    "runs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("export_id", Text, nullable=False),
    Column("export_name", Text, nullable=False, index=True),
    Column("status", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("dry_run", Boolean, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("plan_id", Text),
    Column("kinds", Json, nullable=False),
    Column("members", BigInteger, nullable=False),
    Column("profiles", BigInteger, nullable=False),
    Column("delivered", Json, nullable=False),
    Column("audience", Json),
    Column("seconds", Float, nullable=False),
    Column("resumed_from", Text),
    Column("settled_by", Text),
    Column("error_code", Text),
    Column("error", Text),
    Column("error_hint", Text),
    Column("drift", Json),
    Column("skipped", Json),
    # Which audience's ledger the run is about, under which fence, and the version that it committed (0 where
    # the ledger was moved aside since).
    Column("destination", Text),
    Column("origin", Text),
    Column("audience_id", Text),
    Column("fence", BigInteger),
    Column("ledger_version", BigInteger),
    Index("ix_runs_export_id_started_at", "export_id", "started_at"),
    Index("ix_runs_destination_origin_audience_id", "destination", "origin", "audience_id"),
)

# What people said of plans that need their approval.
plan_signatures = Table(
    "plan_signatures",
    metadata,
    Column("plan_id", Text, ForeignKey("plans.id", ondelete="CASCADE"), nullable=False),
    Column("person", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("approved", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("plan_id", "person"),
)

batches = Table(
    "batches",
    metadata,
    Column("run_id", Text, ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("half_of", Integer),
    Column("operation", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("again", Boolean, nullable=False, server_default=false()),
    Column("start", BigInteger, nullable=False),
    Column("digests", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("left_out", Json, nullable=False, server_default="[]"),
    Column("attempts", Integer, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("http_status", Integer, nullable=False),
    Column("message", Text, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("sent_at", UtcDateTime),
    Column("answered_at", UtcDateTime),
    PrimaryKeyConstraint("run_id", "number"),
)

# Digests that the service refused when they stood alone; they go with their export.
dead_letters = Table(
    "dead_letters",
    metadata,
    Column("destination", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("audience_id", Text, nullable=False),
    Column("export_id", Text, ForeignKey("exports.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("operation", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("digest", LargeBinary(DIGEST_SIZE), nullable=False),
    Column("reason", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("http_status", Integer, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("destination", "origin", "audience_id", "export_id", "operation", "kind", "digest"),
)

# A number is never given twice, so that it tells what has come since.
suppressions = Table(
    "suppressions",
    metadata,
    Column("number", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("digest", LargeBinary(DIGEST_SIZE), nullable=False),
    Column("note", Text, nullable=False),
    Column("added_by", Text, nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
    UniqueConstraint("kind", "digest"),
    sqlite_autoincrement=True,
)

ledgers = Table(
    "ledgers",
    metadata,
    Column("destination", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("audience_id", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    PrimaryKeyConstraint("destination", "origin", "audience_id"),
)

ledger_files = Table(
    "ledger_files",
    metadata,
    Column("destination", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("audience_id", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("path", Text, nullable=False),
    Column("file", Json, nullable=False),
    PrimaryKeyConstraint("destination", "origin", "audience_id", "position"),
    ForeignKeyConstraint(
        ["destination", "origin", "audience_id"],
        ["ledgers.destination", "ledgers.origin", "ledgers.audience_id"],
        ondelete="CASCADE",
    ),
)

# A released name keeps its row, so that its fence never falls.
leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("fence", BigInteger, nullable=False),
    Column("held", Boolean, nullable=False),
    Column("person", Text, nullable=False),
    Column("pid", BigInteger, nullable=False),
    Column("host", Text, nullable=False),
    Column("process_started_at", Float, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("taken_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("stop_asked_by", Text, nullable=False, server_default=""),
    Column("machine", Text, nullable=False, server_default=""),
)

# What the vault keeps where several machines share the state; it is sealed before it comes here.
secrets = Table(
    "secrets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
)

# With what the vault's key is made from its phrase, and something sealed with it that tells the right one.
vault_key = Table(
    "vault_key",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("salt", LargeBinary, nullable=False),
    Column("proof", LargeBinary, nullable=False),
)

rates = Table(
    "rates",
    metadata,
    Column("key", Text, primary_key=True),
    Column("moments", Json, nullable=False),
    Column("barred_until", Float, nullable=False),
    Column("seen_at", Float, nullable=False),
    Column("share", Float, nullable=False, server_default="1"),
    Column("slowed_at", Float, nullable=False, server_default="0"),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", Text, nullable=False),
    Column("real", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("object", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("details", Json, nullable=False),
    Column("previous", Text, nullable=False),
    Column("digest", Text, nullable=False),
)

# How many entries there are and the newest one's digest, kept apart so that a cut end is noticed.
audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("entries", BigInteger, nullable=False),
    Column("digest", Text, nullable=False),
)
