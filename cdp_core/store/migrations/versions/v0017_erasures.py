"""Receipts of erasures and of withdrawn consent, and purges of what was kept long enough."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.create_table(
        "erasures",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("identifiers", sa.JSON, nullable=False),
        sa.Column("not_found", sa.JSON, nullable=False),
        sa.Column("row_keys", sa.JSON, nullable=False),
        sa.Column("secret", sa.LargeBinary, nullable=False),
        sa.Column("pending", sa.JSON, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("asked_by", sa.Text, nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("forgotten", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_erasures"),
    )
    op.create_index("ix_erasures_kind_digest", "erasures", ["kind", "digest"])
    op.create_table(
        "erasure_removals",
        sa.Column(
            "erasure_id",
            sa.Text,
            sa.ForeignKey("erasures.id", name="fk_erasure_removals_erasure_id_erasures", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("destination", sa.Text, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("audience_id", sa.Text, nullable=False),
        sa.Column("export_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("export_name", sa.Text, nullable=False),
        sa.Column("confirmed", sa.Boolean, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("run_id", sa.Text),
        sa.Column("batch", sa.Integer),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("http_status", sa.Integer, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True)),
        sa.Column("answered_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint(
            *("erasure_id", "destination", "origin", "audience_id", "export_id", "kind", "digest"),
            name="pk_erasure_removals",
        ),
    )
    op.create_table(
        "withdrawals",
        sa.Column(
            "run_id",
            sa.Text,
            sa.ForeignKey("runs.id", name="fk_withdrawals_run_id_runs", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kinds", sa.JSON, nullable=False),
        sa.Column("batches", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("run_id", name="pk_withdrawals"),
    )
    op.create_index("ix_withdrawals_at", "withdrawals", ["at"])
    op.create_table(
        "purges",
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("counts", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("at", name="pk_purges"),
    )
    op.create_table(
        "forgone",
        sa.Column("destination", sa.Text, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("audience_id", sa.Text, nullable=False),
        sa.Column("runs", sa.BigInteger, nullable=False),
        sa.Column("added", sa.BigInteger, nullable=False),
        sa.Column("removed", sa.BigInteger, nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("destination", "origin", "audience_id", name="pk_forgone"),
    )
