"""The tables of plans, runs and their batches, and of the ledgers that they lead to."""

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
    PrimaryKeyConstraint,
    Table,
    Text,
    false,
)

from cdp_core.contract.digests import DIGEST_SIZE
from cdp_core.store.columns import Json, UtcDateTime
from cdp_core.store.tables.metadata import metadata

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
    # Which audience's ledger the run is about, under which fence, the version that it committed (0 where the
    # ledger was moved aside since), how many claims its export had then, and how many the ledger held in all.
    Column("destination", Text),
    Column("origin", Text),
    Column("audience_id", Text),
    Column("fence", BigInteger),
    Column("ledger_version", BigInteger),
    Column("claims", BigInteger),
    Column("held", BigInteger),
    Index("ix_runs_export_id_started_at", "export_id", "started_at"),
    Index("ix_runs_destination_origin_audience_id", "destination", "origin", "audience_id"),
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
