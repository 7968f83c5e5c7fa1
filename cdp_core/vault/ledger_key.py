"""The key that the ledger and the plans are encrypted with: 256 bits, made once, kept in the vault alone."""

from __future__ import annotations

import base64
import secrets

from cdp_core.model.secret import Secret
from cdp_core.vault.vault import Vault

NAME = "ledger-key"
_SIZE = 32


def ledger_key(vault: Vault) -> bytes | None:
    """None where the vault has none. Raises `InvalidFault` (VAULT_LOCKED) as the vault does."""
    kept = vault.get(NAME)
    return None if kept is None else base64.b64decode(kept.reveal())


def make_ledger_key(vault: Vault) -> None:
    """A key that is there stays: what is encrypted with it could else never be read again."""
    if vault.get(NAME) is None:
        made = base64.b64encode(secrets.token_bytes(_SIZE)).decode("ascii")
        vault.put(NAME, Secret(made))
