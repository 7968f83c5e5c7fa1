"""Exports keep their own rules: region, member consent, gates."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("exports", sa.Column("policy", sa.JSON, nullable=False, server_default="{}"))
