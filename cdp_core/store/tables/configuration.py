"""The tables of what is configured: segments, connections, the consent to them, exports, audiences that are
wanted, who has which role, and who is left out everywhere."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    true,
)

from cdp_core.contract.digests import DIGEST_SIZE
from cdp_core.store.columns import Json, UtcDateTime
from cdp_core.store.tables.metadata import metadata

segments = Table(
    "segments",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("condition", Text),
    Column("sql", Text),
    Column("created_by", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("active", Boolean, nullable=False, server_default=true()),
    # Of a static one, the result that is kept.
    Column("kept", Json),
)

connections = Table(
    "connections",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("type", Text, nullable=False),
    Column("settings", Json, nullable=False),
    Column("shared_with", Json, nullable=False),
    Column("status", Text, nullable=False),
    Column("identity", Json, nullable=False),
    Column("export_user", Text),
    Column("created_by", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("authenticated_at", UtcDateTime),
)

# Consents, plans and runs outlive what they speak of: they refer to it by id, without a foreign key.
consents = Table(
    "consents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("connection_id", Text, nullable=False, index=True),
    Column("prompt_key", Text, nullable=False),
    Column("prompt_version", Text, nullable=False),
    Column("prompt_title", Text, nullable=False),
    Column("prompt_text", Text, nullable=False),
    Column("prompt_language", Text, nullable=False),
    Column("prompt_digest", Text, nullable=False),
    Column("agreed_by", Text, nullable=False),
    Column("agreed_at", UtcDateTime, nullable=False),
    Column("withdrawn_by", Text),
    Column("withdrawn_at", UtcDateTime),
)

exports = Table(
    "exports",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("destination", Text, nullable=False),
    Column("connection_id", Text, ForeignKey("connections.id", ondelete="RESTRICT"), index=True),
    Column("settings", Json, nullable=False),
    Column("matching", Json, nullable=False),
    Column("policy", Json, nullable=False, server_default="{}"),
    # Exports that one command has made, each for a segment with an audience of its own.
    Column("grouped_as", Text, index=True),
    Column("created_by", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

export_segments = Table(
    "export_segments",
    metadata,
    Column("export_id", Text, ForeignKey("exports.id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("segment_id", Text, ForeignKey("segments.id", ondelete="RESTRICT"), nullable=False, index=True),
    PrimaryKeyConstraint("export_id", "position"),
    UniqueConstraint("export_id", "segment_id"),
)

# Audiences that are asked for and that no export has yet. `marker` stands in the audience's description.
new_audiences = Table(
    "new_audiences",
    metadata,
    Column("marker", Text, primary_key=True),
    Column("connection_id", Text, ForeignKey("connections.id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("retention_in_days", Integer),
    Column("requested_by", Text, nullable=False),
    Column("requested_at", UtcDateTime, nullable=False),
    UniqueConstraint("connection_id", "name"),
)

# Of a person or a group (`holder_kind`); for the whole workspace, or for one connection or segment alone,
# which `about` names by its id: a later one of the same name inherits nothing.
grants = Table(
    "grants",
    metadata,
    Column("holder_kind", Text, nullable=False),
    Column("holder", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("granted_by", Text, nullable=False),
    Column("granted_at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("holder_kind", "holder", "role", "scope", "about"),
)

# A number is never given twice, so that it tells what has come since.
suppressions = Table(
    "suppressions",
    metadata,
    Column("number", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("digest", LargeBinary(DIGEST_SIZE), nullable=False),
    Column("note", Text, nullable=False),
    Column("added_by", Text, nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
    UniqueConstraint("kind", "digest"),
    sqlite_autoincrement=True,
)
