"""The tables of schedules, of what was due, and of the alerts on it."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Integer, PrimaryKeyConstraint, Table, Text

from cdp_core.store.columns import Json, UtcDateTime
from cdp_core.store.tables.metadata import metadata

# The refresh's own schedule has no export.
schedules = Table(
    "schedules",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("export_id", Text, ForeignKey("exports.id", ondelete="CASCADE"), unique=True),
    Column("recurrence", Json),
    Column("active", Boolean, nullable=False),
    Column("paused", Text),
    Column("paused_at", UtcDateTime),
    Column("since", UtcDateTime),
    Column("set_by", Text, nullable=False),
)

due_runs = Table(
    "due_runs",
    metadata,
    Column("export_id", Text, ForeignKey("exports.id", ondelete="CASCADE"), nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("missed", Integer, nullable=False),
    Column("run_id", Text),
    Column("exit_status", Integer),
    Column("message", Text, nullable=False),
    Column("next_try_at", UtcDateTime),
    Column("updated_at", UtcDateTime),
    PrimaryKeyConstraint("export_id", "due_at"),
)

# How each export stood when somebody was last told of it.
alert_standings = Table(
    "alert_standings",
    metadata,
    Column("export_id", Text, ForeignKey("exports.id", ondelete="CASCADE"), primary_key=True),
    Column("trouble", Text, nullable=False),
    Column("unusual", Boolean, nullable=False),
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("export", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("hint", Text, nullable=False),
    Column("run_id", Text),
    # The ways by which it has still to be sent.
    Column("waiting", Json, nullable=False),
)
