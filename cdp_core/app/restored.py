"""A workspace made from a backup: unpacked, its claims taken for doubtful, and the act written down in it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cdp_core.app.desk import Desk
from cdp_core.app.places import VARIABLE as STATE_VARIABLE
from cdp_core.app.places import vault_of
from cdp_core.app.workspace_views import RestoredView
from cdp_core.app.workspaces import backup_view
from cdp_core.errors import Code, InvalidFault, UsageFault
from cdp_core.model.access import Action, Resource
from cdp_core.pipeline.seal import Seal
from cdp_core.plugins.catalog import Catalog
from cdp_core.plugins.manager import create_plugin_manager
from cdp_core.runner import restoring
from cdp_core.runner.migrating import secret_names
from cdp_core.store.state import State
from cdp_core.vault.file_vault import KEY_FILE, VARIABLE
from cdp_core.vault.ledger_key import ledger_key
from cdp_core.vault.state_vault import StateVault
from cdp_core.vault.vault import Vault
from cdp_core.workspace import Workspace
from cdp_core.workspace.files import write_private
from cdp_core.workspace.settings import parse, validated
from cdp_core.workspace.workspace import LEDGER_VARIABLE, SETTINGS_FILE


def restored(
    file: Path,
    folder: Path,
    *,
    vault_key: Path | None,
    group: str | None,
    progress: Callable[[int, int], None],
) -> RestoredView:
    """Raises `InvalidFault` where the file is no whole backup, or something is in the folder already, and
    `NotAllowedFault` where who does it is no Administrator there; nothing is left then. Raises `UsageFault`
    where the environment says where state or ledgers lie: those are not brought back."""
    for variable in (STATE_VARIABLE, LEDGER_VARIABLE):
        if os.environ.get(variable):
            raise UsageFault(
                Code.USAGE,
                f"{variable} is set, and leads to what the workspace that was backed up has there still",
                where=f"the environment variable {variable}",
                hint=f"unset {variable}, here and wherever the restored workspace is used",
            )
    found, text = restoring.looked_at(file)
    document = parse(text.decode(), file)
    # What lay in a server, or at a URL, lies in the folder: else this workspace and the one that was backed
    # up would take each other's files away.
    for table in ("state", "ledger"):
        document.get(table, {}).pop("url", None)
    document.get("state", {}).pop("password", None)
    document.get("ledger", {}).pop("options", None)
    if document["vault"]["kind"] == "state":
        document["vault"]["kind"] = "file"
    settings = validated(document, file)
    seen: list[restoring.Doubted] = []
    at_hand: list[bool] = []

    def furnish(workspace: Workspace) -> None:
        write_private(workspace.folder / SETTINGS_FILE, document.as_string().encode())
        restoring.unpack(file, workspace.folder, size=found.size, progress=progress)
        if vault_key is not None:
            write_private(workspace.vault_folder / KEY_FILE, _key(vault_key))
        with State.open(workspace.state_path) as state:
            manager = create_plugin_manager(disabled=settings.disabled_plugins)
            desk = Desk(state, Catalog(manager, own_roles=settings.roles, where=str(workspace.settings_path)))
            about = Resource(kind="workspace", name=str(folder.absolute()))

            def deed() -> None:
                vault, names = vault_of(workspace, state), secret_names(workspace, state)
                if settings.vault == "file":
                    _take_along(vault, state, names)
                    at_hand.append(_are_at_hand(vault, names, key=vault_key))
                if settings.encrypt_ledger and not any(at_hand):
                    raise _no_ledger_key(file)
                seal = Seal(lambda: ledger_key(vault), encrypts=settings.encrypt_ledger)
                seen.append(restoring.doubt(state, workspace.ledger_folder, seal))
                desk.note(backup=str(file), digest=found.digest, head=found.head)

            desk.perform(Action.WORKSPACE_RESTORE, about, deed)

    with _telling_how_to_restore(file, vault_key=vault_key, group=group):
        made = Workspace.create(folder, settings, furnish, group=group)
    return RestoredView(
        workspace=str(made.folder),
        backup=backup_view(file, found),
        audiences=seen[0].audiences,
        claims=seen[0].claims,
        secrets=any(at_hand),
    )


@contextmanager
def _telling_how_to_restore(file: Path, *, vault_key: Path | None, group: str | None) -> Iterator[None]:
    """Where something is there already: `cdp init`, which that fault may name, would make an empty one."""
    try:
        yield
    except InvalidFault as fault:
        if fault.code is not Code.WORKSPACE_EXISTS:
            raise
        typed = ["cdp", "workspace", "restore", str(file), "NEWFOLDER"]
        typed += ["--vault-key", str(vault_key)] if vault_key is not None else []
        typed += ["--group", group] if group is not None else []
        hint = f"name a folder that is new: {shlex.join(typed)}"
        raise InvalidFault(fault.code, fault.message, where=fault.where, hint=hint) from fault


def _take_along(vault: Vault, state: State, names: Iterable[str]) -> None:
    """Put what was sealed in a shared state into the vault, where `CDP_VAULT_KEY` is at hand. It does not
    stay where it was: the next move to a server would ask for that key for ever."""
    if state.secrets.key() is None:
        return
    sealed = None
    if os.environ.get(VARIABLE):
        sealed = StateVault(state.secrets, where=f"the environment variable {VARIABLE}")
        sealed.prove()
    for name in sorted(names):
        secret = sealed.get(name) if sealed is not None else None
        if secret is not None:
            vault.put(name, secret)
    state.secrets.forget()


def _are_at_hand(vault: Vault, names: Iterable[str], *, key: Path | None) -> bool:
    """Whether there are secrets, and all of them open. Raises `InvalidFault` where it is not the key that was
    named that opens them."""
    try:
        found = [vault.get(name) for name in sorted(names)]
    except InvalidFault as fault:
        if fault.code is not Code.VAULT_LOCKED:
            raise
        if key is None:
            return False
        raise InvalidFault(
            Code.VAULT_LOCKED,
            f"the secrets in the backup do not open: {fault.message}",
            where=str(key),
            hint="--vault-key takes the file `vault/key` of the workspace that was backed up; what was "
            f"sealed with {VARIABLE} needs that",
        ) from fault
    return any(secret is not None for secret in found)


def _no_ledger_key(file: Path) -> InvalidFault:
    return InvalidFault(
        Code.VAULT_LOCKED,
        "the ledger in the backup is encrypted, and its key is not at hand",
        where=str(file),
        hint="it lies in the vault: give --vault-key, or set CDP_VAULT_KEY to what it was; from a keyring it "
        "does not come back",
    )


def _key(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as failure:
        raise InvalidFault(
            Code.VAULT_LOCKED,
            f"the vault's key cannot be read: {(failure.strerror or 'it is not there').lower()}",
            where=str(path),
            hint="--vault-key takes the file `vault/key` of the workspace that was backed up",
        ) from failure
