"""Alerts, and how each export stood when the last of them was sent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "alert_standings",
        sa.Column(
            "export_id",
            sa.Text,
            sa.ForeignKey("exports.id", name="fk_alert_standings_export_id_exports", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("trouble", sa.Text, nullable=False),
        sa.Column("unusual", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("export_id", name="pk_alert_standings"),
    )
    op.create_table(
        "alerts",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("export", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("hint", sa.Text, nullable=False),
        sa.Column("run_id", sa.Text),
        sa.Column("waiting", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_alerts"),
    )
    op.create_index("ix_alerts_at", "alerts", ["at"])
