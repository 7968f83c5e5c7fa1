"""Digests that are never sent, and what batches left out for them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("batches", sa.Column("left_out", sa.JSON, nullable=False, server_default="[]"))
    op.create_table(
        "suppressions",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("added_by", sa.Text, nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_suppressions"),
        sa.UniqueConstraint("kind", "digest", name="uq_suppressions_kind_digest"),
        sqlite_autoincrement=True,
    )
