"""Refused batches are halved, and digests that are refused alone are kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("batches", sa.Column("half_of", sa.Integer))
    op.add_column("batches", sa.Column("again", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_table(
        "dead_letters",
        sa.Column("destination", sa.Text, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("audience_id", sa.Text, nullable=False),
        sa.Column("export_id", sa.Text, nullable=False),
        sa.Column("operation", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("http_status", sa.Integer, nullable=False),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(
            "destination",
            "origin",
            "audience_id",
            "export_id",
            "operation",
            "kind",
            "digest",
            name="pk_dead_letters",
        ),
        sa.ForeignKeyConstraint(
            ["export_id"], ["exports.id"], name="fk_dead_letters_export_id_exports", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_dead_letters_export_id", "dead_letters", ["export_id"])
