"""Rate limits keep a key's newest moments, not the next one alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    # What the table holds is of use for a second: nobody misses it.
    op.drop_table("rates")
    op.create_table(
        "rates",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("moments", sa.JSON, nullable=False),
        sa.Column("barred_until", sa.Float, nullable=False),
        sa.Column("seen_at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_rates"),
    )
