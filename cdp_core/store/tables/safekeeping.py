"""The tables of what keeps the others right: leases, rates, sealed secrets, and the audit log."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Integer, LargeBinary, Table, Text

from cdp_core.store.columns import Json, UtcDateTime
from cdp_core.store.tables.metadata import metadata

# A released name keeps its row, so that its fence never falls.
leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("fence", BigInteger, nullable=False),
    Column("held", Boolean, nullable=False),
    Column("person", Text, nullable=False),
    Column("pid", BigInteger, nullable=False),
    Column("host", Text, nullable=False),
    Column("process_started_at", Float, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("taken_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("stop_asked_by", Text, nullable=False, server_default=""),
    Column("machine", Text, nullable=False, server_default=""),
)

rates = Table(
    "rates",
    metadata,
    Column("key", Text, primary_key=True),
    Column("moments", Json, nullable=False),
    Column("barred_until", Float, nullable=False),
    Column("seen_at", Float, nullable=False),
    Column("share", Float, nullable=False, server_default="1"),
    Column("slowed_at", Float, nullable=False, server_default="0"),
)

# What the vault keeps where several machines share the state; it is sealed before it comes here.
secrets = Table(
    "secrets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
)

# With what the vault's key is made from its phrase, and something sealed with it that tells the right one.
vault_key = Table(
    "vault_key",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("salt", LargeBinary, nullable=False),
    Column("proof", LargeBinary, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", Text, nullable=False),
    Column("real", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("object", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("details", Json, nullable=False),
    Column("previous", Text, nullable=False),
    Column("digest", Text, nullable=False),
)

# How many entries there are and the newest one's digest, kept apart so that a cut end is noticed.
audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("entries", BigInteger, nullable=False),
    Column("digest", Text, nullable=False),
)
