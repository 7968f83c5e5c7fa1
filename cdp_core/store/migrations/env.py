"""Alembic's entry: migrates over the connection, and within the transaction, that `store.schema` hands it."""

from __future__ import annotations

from alembic import context

from cdp_core.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
