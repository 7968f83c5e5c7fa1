"""A rate limit that a service finds too high is lowered for a while."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("rates", sa.Column("share", sa.Float, nullable=False, server_default="1"))
    op.add_column("rates", sa.Column("slowed_at", sa.Float, nullable=False, server_default="0"))
