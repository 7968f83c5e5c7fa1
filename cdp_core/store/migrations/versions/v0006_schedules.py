"""When exports run by themselves, and what became of each due moment."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "schedules",
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("export_id", sa.Text),
        sa.Column("recurrence", sa.JSON),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("paused", sa.Text),
        sa.Column("paused_at", sa.DateTime(timezone=True)),
        sa.Column("since", sa.DateTime(timezone=True)),
        sa.Column("set_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("scope", name="pk_schedules"),
        sa.ForeignKeyConstraint(
            ["export_id"], ["exports.id"], name="fk_schedules_export_id_exports", ondelete="CASCADE"
        ),
        sa.UniqueConstraint("export_id", name="uq_schedules_export_id"),
    )
    op.create_table(
        "due_runs",
        sa.Column("export_id", sa.Text, nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("missed", sa.Integer, nullable=False),
        sa.Column("run_id", sa.Text),
        sa.Column("exit_status", sa.Integer),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True)),
        sa.Column("updated_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("export_id", "due_at", name="pk_due_runs"),
        sa.ForeignKeyConstraint(
            ["export_id"], ["exports.id"], name="fk_due_runs_export_id_exports", ondelete="CASCADE"
        ),
    )
