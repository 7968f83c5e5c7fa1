"""Which store of ledgers a workspace has: its own folders, or a URL with its options."""

from __future__ import annotations

from collections.abc import Mapping

from cdp_core.pipeline.seal import Seal
from cdp_core.runner.ledger_store import LedgerStore
from cdp_core.store.state import State
from cdp_core.vault import references
from cdp_core.vault.vault import Vault
from cdp_core.workspace import Workspace
from cdp_core.workspace.ledger_url import REFERENCE


def store_of(workspace: Workspace, state: State, seal: Seal, vault: Vault) -> LedgerStore:
    """As the settings say."""
    settings = workspace.settings
    place = settings.ledger_url, settings.ledger_options
    return store_at(*place, workspace=workspace, state=state, seal=seal, vault=vault)


def store_at(
    url: str | None,
    options: Mapping[str, str],
    *,
    workspace: Workspace,
    state: State,
    seal: Seal,
    vault: Vault,
) -> LedgerStore:
    """Nothing is opened yet, and no secret read."""
    if url is None:
        return LedgerStore(workspace, state, seal)
    from cdp_core.remote.files import RemoteFiles
    from cdp_core.runner.remote_store import RemoteStore

    def revealed() -> dict[str, str]:
        return {
            name: references.resolve(value, vault).reveal() if REFERENCE.match(value) else value
            for name, value in options.items()
        }

    return RemoteStore(workspace, state, seal, RemoteFiles(url, revealed, workspace.settings.patience))
