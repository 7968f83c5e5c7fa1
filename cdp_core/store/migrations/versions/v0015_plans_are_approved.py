"""What people said of plans that need their approval."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_table(
        "plan_signatures",
        sa.Column(
            "plan_id",
            sa.Text,
            sa.ForeignKey("plans.id", name="fk_plan_signatures_plan_id_plans", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("approved", sa.Boolean, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("plan_id", "person", name="pk_plan_signatures"),
    )
