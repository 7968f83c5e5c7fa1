"""A vault keeps what sign-in yields and what people type at hidden prompts; the workspace says which kind."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Literal, Protocol

from cdp_core.errors import Code, InvalidFault
from cdp_core.model.secret import Secret
from cdp_core.vault.file_vault import FileVault
from cdp_core.workspace import Workspace

VARIABLE = "CDP_VAULT"

Kind = Literal["keyring", "file"]


class Vault(Protocol):
    """Secrets by name. Every method raises `InvalidFault` (VAULT_LOCKED) where the vault does not open."""

    def get(self, name: str, /) -> Secret | None: ...

    def put(self, name: str, secret: Secret, /) -> None: ...

    def delete(self, name: str, /) -> None:
        """A name that is not there is deleted already."""
        ...


def open_vault(workspace: Workspace, environ: Mapping[str, str] = os.environ) -> Vault:
    """The vault that the workspace's settings name. A keyring's entries belong to the folder: a copy of
    the workspace elsewhere has none, so that two workspaces never renew one token against each other."""
    if workspace.settings.vault == "keyring":
        # keyring takes a tenth of a second to import, and a vault in a file has no use for it.
        from cdp_core.vault.keyring_vault import KeyringVault

        return KeyringVault(f"cdp {workspace.folder}")
    return FileVault(workspace.vault_folder, environ)


def preferred_vault(environ: Mapping[str, str] = os.environ) -> Kind:
    """What a new workspace gets: what `CDP_VAULT` says, else the system's keyring where there is one."""
    asked = environ.get(VARIABLE, "")
    if asked == "keyring":
        return "keyring"
    if asked == "file":
        return "file"
    if asked:
        raise InvalidFault(
            Code.SETTING_INVALID,
            f"{VARIABLE} is {asked!r}",
            where=f"the environment variable {VARIABLE}",
            hint="it is `keyring` or `file`, or not set",
        )
    from cdp_core.vault.keyring_vault import usable_keyring

    return "keyring" if usable_keyring() else "file"
