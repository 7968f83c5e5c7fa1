"""The tables of receipts (of erasures, of withdrawn consent), and of purges of what was kept long enough."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from cdp_core.contract.digests import DIGEST_SIZE
from cdp_core.store.columns import Json, UtcDateTime
from cdp_core.store.tables.metadata import metadata

# Who is to be taken out of every audience: digests alone. Their rows' keys, and the secret, are there for as
# long as something is left to do.
erasures = Table(
    "erasures",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("digest", LargeBinary(DIGEST_SIZE), nullable=False),
    Column("identifiers", Json, nullable=False),
    Column("not_found", Json, nullable=False),
    Column("row_keys", Json, nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("pending", Json, nullable=False),
    Column("note", Text, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("forgotten", Json, nullable=False),
    Index("ix_erasures_kind_digest", "kind", "digest"),
)

# Of each claim that an erasure ends, what the service answered.
erasure_removals = Table(
    "erasure_removals",
    metadata,
    Column("erasure_id", Text, ForeignKey("erasures.id", ondelete="CASCADE"), nullable=False),
    Column("destination", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("audience_id", Text, nullable=False),
    Column("export_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("digest", LargeBinary(DIGEST_SIZE), nullable=False),
    Column("export_name", Text, nullable=False),
    Column("confirmed", Boolean, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("run_id", Text),
    Column("batch", Integer),
    Column("request_id", Text, nullable=False),
    Column("http_status", Integer, nullable=False),
    Column("message", Text, nullable=False),
    Column("sent_at", UtcDateTime),
    Column("answered_at", UtcDateTime),
    PrimaryKeyConstraint("erasure_id", "destination", "origin", "audience_id", "export_id", "kind", "digest"),
)

# Of each run that took out people whose consent was withdrawn, the receipt.
withdrawals = Table(
    "withdrawals",
    metadata,
    Column("run_id", Text, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("kinds", Json, nullable=False),
    Column("batches", Json, nullable=False),
)

# Each purge of what was kept long enough.
purges = Table(
    "purges",
    metadata,
    Column("at", UtcDateTime, primary_key=True),
    Column("by", Text, nullable=False),
    Column("counts", Json, nullable=False),
)

# What each audience's ledger stands on whose receipts were purged.
forgone = Table(
    "forgone",
    metadata,
    Column("destination", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("audience_id", Text, nullable=False),
    Column("runs", BigInteger, nullable=False),
    Column("added", BigInteger, nullable=False),
    Column("removed", BigInteger, nullable=False),
    Column("until", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("destination", "origin", "audience_id"),
)
