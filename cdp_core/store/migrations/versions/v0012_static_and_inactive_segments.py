"""Segments can be inactive, or keep a result; a skipped run says why."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.add_column("segments", sa.Column("active", sa.Boolean, nullable=False, server_default=sa.true()))
    op.add_column("segments", sa.Column("kept", sa.JSON))
    op.add_column("runs", sa.Column("skipped", sa.JSON))
