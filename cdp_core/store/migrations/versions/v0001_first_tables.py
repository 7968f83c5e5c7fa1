"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from cdp_core.store import backend

revision = "0001"
down_revision = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    backend.claim(op.get_bind())
    op.create_table(
        "audit",
        sa.Column("seq", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("real", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("object", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("details", sa.JSON, nullable=False),
        sa.Column("previous", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_audit"),
    )
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("entries", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_head"),
    )
    op.create_table(
        "connections",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("settings", sa.JSON, nullable=False),
        sa.Column("shared_with", sa.JSON, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("identity", sa.JSON, nullable=False),
        sa.Column("export_user", sa.Text),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("authenticated_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_connections"),
        sa.UniqueConstraint("name", name="uq_connections_name"),
    )
    op.create_table(
        "consents",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("connection_id", sa.Text, nullable=False),
        sa.Column("prompt_key", sa.Text, nullable=False),
        sa.Column("prompt_version", sa.Text, nullable=False),
        sa.Column("prompt_title", sa.Text, nullable=False),
        sa.Column("prompt_text", sa.Text, nullable=False),
        sa.Column("prompt_language", sa.Text, nullable=False),
        sa.Column("prompt_digest", sa.Text, nullable=False),
        sa.Column("agreed_by", sa.Text, nullable=False),
        sa.Column("agreed_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_consents"),
    )
    op.create_index("ix_consents_connection_id", "consents", ["connection_id"])
    op.create_table(
        "grants",
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("granted_by", sa.Text, nullable=False),
        sa.Column("granted_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("person", "role", name="pk_grants"),
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("fence", sa.BigInteger, nullable=False),
        sa.Column("held", sa.Boolean, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("pid", sa.BigInteger, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("process_started_at", sa.Float, nullable=False),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("taken_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_leases"),
    )
    op.create_table(
        "ledgers",
        sa.Column("destination", sa.Text, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("audience_id", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("destination", "origin", "audience_id", name="pk_ledgers"),
    )
    op.create_table(
        "plans",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("export_id", sa.Text, nullable=False),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("folder", sa.Text, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("basis", sa.JSON, nullable=False),
        sa.Column("summary", sa.JSON, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_plans"),
    )
    op.create_index("ix_plans_export_id", "plans", ["export_id"])
    op.create_table(
        "rates",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("next_at", sa.Float, nullable=False),
        sa.Column("seen_at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_rates"),
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("export_id", sa.Text, nullable=False),
        sa.Column("export_name", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("dry_run", sa.Boolean, nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT),
        sa.Column("plan_id", sa.Text),
        sa.Column("kinds", sa.JSON, nullable=False),
        sa.Column("members", sa.BigInteger, nullable=False),
        sa.Column("profiles", sa.BigInteger, nullable=False),
        sa.Column("delivered", sa.JSON, nullable=False),
        sa.Column("audience", sa.JSON),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("resumed_from", sa.Text),
        sa.Column("settled_by", sa.Text),
        sa.Column("error_code", sa.Text),
        sa.Column("error", sa.Text),
        sa.Column("destination", sa.Text),
        sa.Column("origin", sa.Text),
        sa.Column("audience_id", sa.Text),
        sa.Column("fence", sa.BigInteger),
        sa.Column("ledger_version", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
    )
    op.create_index(
        "ix_runs_destination_origin_audience_id", "runs", ["destination", "origin", "audience_id"]
    )
    op.create_index("ix_runs_export_id_started_at", "runs", ["export_id", "started_at"])
    op.create_index("ix_runs_export_name", "runs", ["export_name"])
    op.create_table(
        "segments",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("condition", sa.Text),
        sa.Column("sql", sa.Text),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_segments"),
        sa.UniqueConstraint("name", name="uq_segments_name"),
    )
    op.create_table(
        "batches",
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("operation", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("start", sa.BigInteger, nullable=False),
        sa.Column("digests", sa.BigInteger, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("http_status", sa.Integer, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("sent_at", MOMENT),
        sa.Column("answered_at", MOMENT),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_batches_run_id_runs", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "number", name="pk_batches"),
    )
    op.create_table(
        "exports",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("destination", sa.Text, nullable=False),
        sa.Column("connection_id", sa.Text),
        sa.Column("settings", sa.JSON, nullable=False),
        sa.Column("matching", sa.JSON, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connections.id"],
            name="fk_exports_connection_id_connections",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_exports"),
        sa.UniqueConstraint("name", name="uq_exports_name"),
    )
    op.create_index("ix_exports_connection_id", "exports", ["connection_id"])
    op.create_table(
        "ledger_files",
        sa.Column("destination", sa.Text, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("audience_id", sa.Text, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("file", sa.JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["destination", "origin", "audience_id"],
            ["ledgers.destination", "ledgers.origin", "ledgers.audience_id"],
            name="fk_ledger_files_destination_origin_audience_id_ledgers",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("destination", "origin", "audience_id", "position", name="pk_ledger_files"),
    )
    op.create_table(
        "export_segments",
        sa.Column("export_id", sa.Text, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("segment_id", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(
            ["export_id"], ["exports.id"], name="fk_export_segments_export_id_exports", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["segment_id"],
            ["segments.id"],
            name="fk_export_segments_segment_id_segments",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("export_id", "position", name="pk_export_segments"),
        sa.UniqueConstraint("export_id", "segment_id", name="uq_export_segments_export_id_segment_id"),
    )
    op.create_index("ix_export_segments_segment_id", "export_segments", ["segment_id"])
    backend.make_append_only(op.get_bind(), "audit", "seq")
