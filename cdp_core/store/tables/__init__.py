"""The tables of the state. `migrations/` leads there from every earlier version; a test says so."""

from __future__ import annotations

from cdp_core.store.tables.configuration import (
    connections,
    consents,
    export_segments,
    exports,
    grants,
    new_audiences,
    segments,
    suppressions,
)
from cdp_core.store.tables.metadata import metadata
from cdp_core.store.tables.receipts import erasure_removals, erasures, forgone, purges, withdrawals
from cdp_core.store.tables.runs import (
    batches,
    dead_letters,
    ledger_files,
    ledgers,
    plan_signatures,
    plans,
    runs,
)
from cdp_core.store.tables.safekeeping import audit, audit_head, leases, rates, secrets, vault_key
from cdp_core.store.tables.schedules import alert_standings, alerts, due_runs, schedules

__all__ = [
    "alert_standings",
    "alerts",
    "audit",
    "audit_head",
    "batches",
    "connections",
    "consents",
    "dead_letters",
    "due_runs",
    "erasure_removals",
    "erasures",
    "export_segments",
    "exports",
    "forgone",
    "grants",
    "leases",
    "ledger_files",
    "ledgers",
    "metadata",
    "new_audiences",
    "plan_signatures",
    "plans",
    "purges",
    "rates",
    "runs",
    "schedules",
    "secrets",
    "segments",
    "suppressions",
    "vault_key",
    "withdrawals",
]
