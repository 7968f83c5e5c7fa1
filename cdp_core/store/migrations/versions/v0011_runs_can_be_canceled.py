"""Whoever holds a lease can be asked to stop, from any process."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("leases", sa.Column("stop_asked_by", sa.Text, nullable=False, server_default=""))
