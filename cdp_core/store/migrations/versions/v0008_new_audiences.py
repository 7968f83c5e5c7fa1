"""Audiences that are asked for, exports that belong together, and how an audience was found to differ."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "new_audiences",
        sa.Column("marker", sa.Text, nullable=False),
        sa.Column("connection_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("retention_in_days", sa.Integer),
        sa.Column("requested_by", sa.Text, nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("marker", name="pk_new_audiences"),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connections.id"],
            name="fk_new_audiences_connection_id_connections",
            ondelete="CASCADE",
        ),
        sa.UniqueConstraint("connection_id", "name", name="uq_new_audiences_connection_id_name"),
    )
    op.add_column("exports", sa.Column("grouped_as", sa.Text))
    op.create_index("ix_exports_grouped_as", "exports", ["grouped_as"])
    op.add_column("runs", sa.Column("drift", sa.JSON))
